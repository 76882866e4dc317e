import * as z from "zod";
import { limit, page, timeCursor } from "../../api/cursor.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { Environment, KeySchema, pageOf } from "../../api/schemas.ts";
import { listKeys } from "../../store/keys.ts";
import { viewOf } from "../key-view.ts";
import { makerFilter } from "./find-key.ts";

/** What a list of keys may be narrowed to. */
export const KeyListQuery = z.strictObject({
  limit,
  cursor: timeCursor,
  status: z.enum(["active", "disabled", "expired", "revoked"]).optional(),
  environment: Environment.optional(),
  q: z.string().max(512).optional().meta({ description: "Text in the name, or the beginning of the prefix" }),
});

export const listKeysRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/api-keys",
  summary: "List API keys",
  description: "Newest first. A member sees the keys they made.",
  tag: "API keys",
  query: KeyListQuery,
  answers: { 200: { description: "A page of keys", schema: pageOf(KeySchema) } },
  async handle(call) {
    const { limit: most, cursor, ...filter } = call.query;
    const rows = await listKeys(
      call.env.DB,
      { ...filter, q: filter.q || undefined, account_id: call.account.id, created_by: makerFilter(call) },
      { limit: most + 1, before: cursor ?? null },
      call.now,
    );
    return ok(
      page(
        rows,
        most,
        (row) => viewOf(row, call.now),
        (row) => [row.created_at, row.id],
      ),
    );
  },
});
