import type { Fields } from "../forms.ts";

const DAY = 24 * 3_600_000;

/** Presets, in days. */
export const EXPIRY_PRESETS = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "1 year"],
] as const;

/** How a form says when a key expires. */
export interface ExpiryValues {
  /** `keep` (an edited key's own), `never`, a preset's days, or `date`. */
  expiry: string;
  /** A day, `2030-01-31`. */
  on: string;
}

export function readExpiry(form: Fields): ExpiryValues {
  return { expiry: form.text("expiry"), on: form.text("expires_on") };
}

/** When a preset would end, from `now` on (ms). */
export const presetEnd = (days: string, now: number) => new Date(now + Number(days) * DAY).toISOString();

/**
 * The `expires_at` that a form asks for: null for never, undefined to leave it as it is. A day counts to its
 * end, in UTC. Whether it is one, and in the future, is for the API to say.
 */
export function wantedExpiry({ expiry, on }: ExpiryValues, now: number): string | null | undefined {
  if (expiry === "keep") return undefined;
  if (expiry === "date") return `${on}T23:59:59Z`;
  return EXPIRY_PRESETS.some(([days]) => days === expiry) ? presetEnd(expiry, now) : null;
}
