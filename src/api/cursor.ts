import { Buffer } from "node:buffer";
import * as z from "zod/mini";
import { refuse } from "../refusal.ts";

/** Where a page ends: the row's sort key. Opaque to clients, so that it may change. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** Reads a cursor; what `read` makes nothing of is a 400. */
function cursorOf<T>(read: (position: unknown[]) => T | null) {
  return z
    .pipe(
      z.string().check(z.maxLength(500)),
      z.transform((text, context): T => {
        const position = parsed(Buffer.from(text, "base64url").toString("utf8"));
        const cursor = Array.isArray(position) ? read(position) : null;
        return cursor ?? refuse(context, { message: "is not one that a list gave" });
      }),
    )
    .check(z.describe("`next_cursor` of the page before"));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** After a row of a list in the order of time. */
export const timeCursor = z.optional(
  cursorOf(([at, id, ...more]) =>
    Number.isSafeInteger(at) && typeof id === "string" && more.length === 0 ? { at: at as number, id } : null,
  ),
);

/** After a row of a list in the order of names. */
export const nameCursor = z.optional(
  cursorOf(([name, ...more]) => (typeof name === "string" && more.length === 0 ? name : null)),
);

const DEFAULT_LIMIT = 50;

/** Rows a page holds at most. */
export const limit = z
  ._default(
    z.pipe(
      z.pipe(
        z.string().check(z.regex(/^\d{1,3}$/, "must be a whole number from 1 to 100")),
        z.transform(Number),
      ),
      z.number().check(z.minimum(1), z.maximum(100)),
    ),
    DEFAULT_LIMIT,
  )
  .check(
    z.meta({
      description: "Rows on a page at most",
      // Text in the URL, a number to whoever writes it.
      documented: { type: "integer", minimum: 1, maximum: 100, default: DEFAULT_LIMIT },
    }),
  );

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
