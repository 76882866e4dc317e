import type { KeyStatus } from "./state.ts";
import { LATEST_INSTANT, parseInstant } from "./time.ts";

/** A value fit to store, or the text of the 400. */
export type Checked<T> = { ok: true; value: T } | { ok: false; message: string };

/** Longest name, in Unicode code points. */
export const LONGEST_NAME = 64;

export const NAME_LENGTH = `name must be 1 to ${LONGEST_NAME} characters`;
export const NAME_CHARACTERS =
  "name must not contain control characters, line breaks or bidirectional-override characters";
export const EXPIRY_FORMAT = "expires_at must be an RFC 3339 date-time such as 2030-01-31T12:00:00Z, or null";
export const EXPIRY_PAST = "expires_at must be in the future";
export const EXPIRY_FAR = "expires_at must not be later than the year 9999";
export const NOT_MODIFIABLE = "Revoked or expired keys cannot be modified";

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, and every character
 * that turns the direction of what follows and so can disguise a name (Unicode, UAX 9: LRM, RLM, ALM,
 * embeddings, overrides, isolates).
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/** Spaces and invisible format characters: a name of these alone looks empty. */
const INVISIBLE = /^[\p{Z}\p{Cf}]*$/u;

/** A key's name as it is stored: white space at both ends dropped, then 1 to 64 code points. */
export function checkName(value: unknown): Checked<string> {
  if (typeof value !== "string") return { ok: false, message: NAME_LENGTH };
  // Before trimming, which would hide a line break at an end.
  if (FORBIDDEN.test(value)) return { ok: false, message: NAME_CHARACTERS };
  const name = value.trim();
  if (INVISIBLE.test(name) || [...name].length > LONGEST_NAME) return { ok: false, message: NAME_LENGTH };
  return { ok: true, value: name };
}

/**
 * An expiry as a client sends it: RFC 3339 text, or null for never. The value is in milliseconds since
 * 1970 UTC, strictly after `now` (milliseconds).
 */
export function parseExpiry(value: unknown, now: number): Checked<number | null> {
  if (value === null) return { ok: true, value: null };
  const instant = typeof value === "string" ? parseInstant(value) : null;
  return instant === null ? { ok: false, message: EXPIRY_FORMAT } : checkExpiry(instant, now);
}

/** The same for an instant already in milliseconds. */
export function checkExpiry(instant: number, now: number): Checked<number> {
  if (!Number.isSafeInteger(instant)) return { ok: false, message: EXPIRY_FORMAT };
  if (instant <= now) return { ok: false, message: EXPIRY_PAST };
  if (instant > LATEST_INSTANT) return { ok: false, message: EXPIRY_FAR };
  return { ok: true, value: instant };
}

/** Whether a key in this state may be edited, toggled or rotated. Revoking works in every state. */
export function modifiable(status: KeyStatus): status is "active" | "disabled" {
  return status === "active" || status === "disabled";
}

/** The code and detail of the 409 for editing a key in this state; null where editing is allowed. */
export function modificationRefusal(
  status: KeyStatus,
): { code: "key_revoked" | "key_expired"; detail: string } | null {
  if (modifiable(status)) return null;
  return { code: status === "revoked" ? "key_revoked" : "key_expired", detail: NOT_MODIFIABLE };
}
