import { Buffer } from "node:buffer";
import * as z from "zod";

/** Where a page ends: the row's sort key. Opaque to clients, so that it may change. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** Reads a cursor of a given shape; anything else is a 400. */
function cursorOf<T>(position: z.ZodType<T>) {
  return z
    .string()
    .max(500)
    .transform((text, context): T => {
      try {
        return position.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
      } catch {
        context.addIssue({ code: "custom", message: "is not one that a list gave" });
        return z.NEVER;
      }
    })
    .meta({ description: "`next_cursor` of the page before" });
}

/** After a row of a list in the order of time. */
export const timeCursor = cursorOf(
  z.tuple([z.int(), z.string()]).transform(([at, id]) => ({ at, id })),
).optional();

/** After a row of a list in the order of names. */
export const nameCursor = cursorOf(z.tuple([z.string()]).transform(([name]) => name)).optional();

const DEFAULT_LIMIT = 50;

/** Rows a page holds at most. */
export const limit = z
  .string()
  .regex(/^\d{1,3}$/, "must be a whole number from 1 to 100")
  .transform(Number)
  .pipe(z.number().min(1).max(100))
  .default(DEFAULT_LIMIT)
  .meta({
    description: "Rows on a page at most",
    // Text in the URL, a number to whoever writes it.
    documented: { type: "integer", minimum: 1, maximum: 100, default: DEFAULT_LIMIT },
  });

/**
 * A page of a list that was asked for one row more than the page holds: that row only tells that there is
 * a next page.
 */
export function page<R, V>(
  rows: readonly R[],
  most: number,
  view: (row: R) => V,
  position: (row: R) => readonly (string | number)[],
): { data: V[]; next_cursor: string | null } {
  const shown = rows.slice(0, most);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    next_cursor: rows.length > most && last !== undefined ? encodeCursor(position(last)) : null,
  };
}
