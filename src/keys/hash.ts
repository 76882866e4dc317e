import { createHash } from "node:crypto";

/**
 * SHA-256 of the UTF-8 bytes of `text`: 64 lower-case hex digits. This is all that is stored of a key.
 * A plain hash suffices: a native key carries 238 random bits, so there is nothing to guess and a slow
 * hash would only slow the request.
 */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
