/** RFC 3339 with its time zone; hours to 23, so that a day has one midnight. */
const RFC_3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** The last millisecond of the year 9999, where RFC 3339's four-digit years end. */
export const LATEST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Milliseconds since 1970 UTC of an RFC 3339 date-time, finer digits dropped; null for any other text. */
export function parseInstant(text: string): number | null {
  const upper = text.toUpperCase();
  if (!RFC_3339.test(upper)) return null;
  // `Date.parse` carries 30 February over to March: the day must survive.
  const day = upper.slice(0, 10);
  if (new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day) return null;
  const instant = Date.parse(upper);
  return instant <= LATEST_INSTANT ? instant : null;
}

/** Milliseconds since 1970 UTC as RFC 3339 in UTC, such as `2026-01-31T12:00:00.000Z`; null stays null. */
export function formatInstant(instant: number): string;
export function formatInstant(instant: number | null): string | null;
export function formatInstant(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
