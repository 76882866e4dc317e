/** A key's state. `active` alone opens anything. */
export type KeyStatus = "revoked" | "expired" | "disabled" | "active";

/** What decides a key's state. Times are integer milliseconds since 1970 UTC, or null for never. */
export interface KeyState {
  revoked_at: number | null;
  expires_at: number | null;
  enabled: boolean;
}

/**
 * The state at `now` (milliseconds), by the precedence of the spec: revoked is for ever, and a toggle
 * cannot hide an expiry. A key is expired from the very millisecond `expires_at`. Any `revoked_at`
 * counts, even one that a skewed clock put ahead of `now`.
 */
export function keyStatus(key: KeyState, now: number): KeyStatus {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && key.expires_at <= now) return "expired";
  return key.enabled ? "active" : "disabled";
}
