import { createHash } from "node:crypto";

/**
 * SHA-256 of the UTF-8 bytes of `text`: 64 lower-case hex digits. This is all that is stored of a key.
 * A plain hash suffices: a native key carries 238 random bits, so there is nothing to guess and a slow
 * hash would only slow the request.
 */
export function sha256Hex(text: string): string {
  return shortAsciiHash(text) ?? createHash("sha256").update(text, "utf8").digest("hex");
}

// Every request hashes its key, and a call into the platform for it costs three times what hashing 56
// characters in optimised JavaScript does (docs/performance.md). What follows is FIPS 180-4, section 6.2,
// for texts of at most two blocks; `test/keys/hash.test.ts` holds it against the platform's.

/** Longest text whose padding (one bit, then 64 bits of length) still fits two blocks of 64 bytes. */
const MOST_CHARACTERS = 2 * 64 - 9;

/** Fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const [ROUND_CONSTANTS, INITIAL] = constants();

/** Message schedule, and the state. One hash at a time: nothing here waits. */
const W = new Int32Array(64);
const H = new Int32Array(8);

/** The character code of a hexadecimal digit. */
const digit = (bits: number) => (bits < 10 ? 48 : 87) + bits;

/** A word as 8 hexadecimal digits. */
const hexOf = (word: number) =>
  String.fromCharCode(
    digit(word >>> 28),
    digit((word >>> 24) & 15),
    digit((word >>> 20) & 15),
    digit((word >>> 16) & 15),
    digit((word >>> 12) & 15),
    digit((word >>> 8) & 15),
    digit((word >>> 4) & 15),
    digit(word & 15),
  );

/** The hash of a short ASCII text, or null for any other. */
function shortAsciiHash(text: string): string | null {
  const { length } = text;
  if (length > MOST_CHARACTERS) return null;
  const blocks = length < 56 ? 1 : 2;
  H.set(INITIAL);
  for (let block = 0; block < blocks; block += 1) {
    for (let word = 0; word < 16; word += 1) {
      let bits = 0;
      for (let byte = 0; byte < 4; byte += 1) {
        const at = block * 64 + word * 4 + byte;
        const code = at < length ? text.charCodeAt(at) : at === length ? 0x80 : 0;
        if (code > 0x7f && at < length) return null;
        bits = (bits << 8) | code;
      }
      W[word] = bits;
    }
    if (block === blocks - 1) W[15] = length * 8;
    compress();
  }
  let hex = "";
  for (let i = 0; i < 8; i += 1) hex += hexOf(H[i]!);
  return hex;
}

function compress(): void {
  for (let t = 16; t < 64; t += 1) {
    const x = W[t - 15]!;
    const y = W[t - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[t] = (W[t - 16]! + s0 + W[t - 7]! + s1) | 0;
  }
  let a = H[0]!;
  let b = H[1]!;
  let c = H[2]!;
  let d = H[3]!;
  let e = H[4]!;
  let f = H[5]!;
  let g = H[6]!;
  let h = H[7]!;
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + W[t]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  H[0] = (H[0]! + a) | 0;
  H[1] = (H[1]! + b) | 0;
  H[2] = (H[2]! + c) | 0;
  H[3] = (H[3]! + d) | 0;
  H[4] = (H[4]! + e) | 0;
  H[5] = (H[5]! + f) | 0;
  H[6] = (H[6]! + g) | 0;
  H[7] = (H[7]! + h) | 0;
}

/** Exact in doubles: 32 bits of fraction beside at most 5 of whole number leave 16 to spare. */
function constants(): [rounds: Int32Array, initial: Int32Array] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (x: number) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  return [
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
  ];
}
