import * as z from "zod/mini";
import { encodeCursor, limit, timeCursor } from "../../api/cursor.ts";
import { EXAMPLE_KEY, examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { Environment, KeySchema, pageOf } from "../../api/schemas.ts";
import { type KeyPage, type KeyRowWithUse, listKeys } from "../../store/keys.ts";
import { viewOf } from "../key-view.ts";
import { makerFilter } from "./find-key.ts";

/** What a list of keys may be narrowed to. */
export const KeyListQuery = z.strictObject({
  limit,
  cursor: timeCursor,
  status: z.optional(z.enum(["active", "disabled", "expired", "revoked"])),
  environment: z.optional(Environment),
  q: z
    .optional(z.string().check(z.trim(), z.maxLength(512)))
    .check(
      z.describe(
        "Text in the name, or the beginning of the prefix; a native key's whole prefix finds that alone",
      ),
    ),
});

/** What a client of a narrowed list must know. */
export const SHORT_PAGES =
  "A page of a narrowed list may be shorter than `limit`, even empty: there are more keys as long as `next_cursor` is not null.";

/** A page of keys as it is answered. */
export function keyPage<V>({ rows, next }: KeyPage, view: (row: KeyRowWithUse) => V) {
  return { data: rows.map(view), next_cursor: next === null ? null : encodeCursor([next.at, next.id]) };
}

export const listKeysRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/api-keys",
  summary: "List API keys",
  description: `Newest first. A member sees the keys they made. ${SHORT_PAGES}`,
  tag: "API keys",
  query: KeyListQuery,
  answers: {
    200: { description: "A page of keys", schema: pageOf(KeySchema), example: examplePage(EXAMPLE_KEY) },
  },
  async handle(call) {
    const { limit, cursor, ...filter } = call.query;
    const page = await listKeys(
      call.env.DB,
      { ...filter, q: filter.q || undefined, account_id: call.account.id, created_by: makerFilter(call) },
      { limit, before: cursor ?? null },
      call.now,
    );
    return ok(keyPage(page, (row) => viewOf(row, call.now)));
  },
});
