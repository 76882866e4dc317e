/** Digits before letters, upper case before lower: the digit's value is its index. */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The largest multiple of 62 that a byte can hold. Bytes from here on would favour the first digits. */
const UNBIASED = 248;

/** `length` base62 characters, each equally likely, from the platform's secure random source. */
export function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length - text.length))) {
      if (byte < UNBIASED) text += ALPHABET[byte % 62];
    }
  }
  return text;
}

/** A whole number from 0 below 62^width, big-endian, padded with zeros to `width` characters. */
export function toBase62(value: number, width: number): string {
  let text = "";
  for (let rest = value; text.length < width; rest = Math.floor(rest / 62)) {
    text = ALPHABET[rest % 62] + text;
  }
  return text;
}
