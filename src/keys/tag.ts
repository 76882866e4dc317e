import { createHmac, timingSafeEqual } from "node:crypto";
import { toBase62 } from "./base62.ts";

/** The secrets that tag native keys, by the letter that names each inside a key. */
export interface TagSecrets {
  /** The letter of the secret that tags new keys. */
  current: string;
  secrets: Record<string, string>;
}

/** A shorter secret than the 256-bit hash is easier to guess than the hash (RFC 2104, section 3). */
const LEAST_SECRET_LENGTH = 32;

/** A string in JSON text. */
const JSON_STRING = /"(?:[^"\\]|\\.)*"/g;

/**
 * Reads `KEY_TAG_SECRETS`: a JSON map from one letter to a secret, such as `{"a": "…", "b": "…"}`.
 * The last member tags new keys, so that rotating is appending; the others go on recognising theirs.
 * Names are letters, never digits: JavaScript lists members named by digits first, whatever was written.
 * @throws Error that says what is wrong and never repeats a secret.
 */
export function parseTagSecrets(json: string): TagSecrets {
  const map = parseMap(json);
  for (const [name, secret] of Object.entries(map)) {
    if (!/^[A-Za-z]$/.test(name)) {
      // A misplaced secret may stand where a name should: only what cannot be one is repeated.
      const shown = name.length === 1 ? ` "${name}"` : "";
      throw new Error(`the name${shown} of a secret must be one letter, A to Z or a to z`);
    }
    if (typeof secret !== "string" || secret.length < LEAST_SECRET_LENGTH) {
      throw new Error(
        `the secret named "${name}" must be text of at least ${LEAST_SECRET_LENGTH} characters`,
      );
    }
  }
  const names = Object.keys(map);
  const current = names.at(-1);
  if (current === undefined) throw new Error("at least one secret is required");
  // `JSON.parse` merges duplicate members silently. Every member adds the string of its name, so more
  // strings than names and secrets means that one was merged away.
  if (json.match(JSON_STRING)?.length !== 2 * names.length) {
    throw new Error("a name appears twice");
  }
  return { current, secrets: map as Record<string, string> };
}

function parseMap(json: string): Record<string, unknown> {
  let map: unknown;
  try {
    map = JSON.parse(json);
  } catch {
    // The parser's own message quotes the text, which holds secrets.
    throw new Error("not JSON");
  }
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new Error('must be a JSON map such as {"a": "secret"}');
  }
  return map as Record<string, unknown>;
}

/** The first 32 bits of HMAC-SHA256(secret, text), as 6 base62 characters (62^6 exceeds 2^32). */
export function tagOf(secret: string, text: string): string {
  const bits = createHmac("sha256", secret).update(text, "utf8").digest("hex").slice(0, 8);
  return toBase62(Number.parseInt(bits, 16), 6);
}

/** Compares two tags of 6 ASCII characters in constant time. `timingSafeEqual` throws on unequal lengths. */
export function sameTag(one: string, other: string): boolean {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(one), encoder.encode(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
