import * as z from "zod/mini";
import { editKey } from "../../account/edit-key.ts";
import { viewOf } from "../../account/key-view.ts";
import { withLatestUse } from "../../account/last-used.ts";
import { revokeKey } from "../../account/revoke-key.ts";
import { KeyEditBody } from "../../account/routes/edit-key.ts";
import { KeyParams } from "../../account/routes/find-key.ts";
import { KeyListQuery, keyPage, SHORT_PAGES } from "../../account/routes/list-keys.ts";
import { EXAMPLE_ADMIN_KEY, examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, KeySchema, pageOf } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { sha256Hex } from "../../keys/hash.ts";
import { type KeyRowWithUse, listKeys, readKey, readKeyByHash } from "../../store/keys.ts";

const TAG = "All keys";

const AdminKeySchema = z
  .strictObject({ ...KeySchema.shape, account_id: z.string() })
  .check(z.meta({ id: "AdminKey" }));

const view = (row: KeyRowWithUse, now: number) => ({ ...viewOf(row, now), account_id: row.account_id });

const list = adminRoute({
  method: "GET",
  path: "/admin/keys",
  summary: "Search all API keys",
  description: `\`q\` also takes a whole key, or its SHA-256 in hexadecimal, and then finds that key alone, whatever else is asked: whose is the one that leaked? ${SHORT_PAGES}`,
  tag: TAG,
  query: z.strictObject({
    ...KeyListQuery.shape,
    account_id: z.optional(Id),
    created_by: z.optional(z.string().check(z.maxLength(320))),
    names: z
      .optional(z.string().check(z.maxLength(63)))
      .check(
        z.describe(
          "Id of an endpoint or namespace: only keys whose scopes name it, which keep it from being deleted",
        ),
      ),
  }),
  answers: {
    200: {
      description: "A page of keys, newest first",
      schema: pageOf(AdminKeySchema),
      example: examplePage(EXAMPLE_ADMIN_KEY),
    },
  },
  async handle({ env, query, now }) {
    const { limit, cursor, q, ...filter } = query;
    const found = q ? await byKey(env.DB, q) : null;
    if (found !== null) return ok({ data: [view(found, now)], next_cursor: null });
    const page = await listKeys(
      env.DB,
      { ...filter, q: q || undefined, names: filter.names || undefined },
      { limit, before: cursor ?? null },
      now,
    );
    return ok(keyPage(page, (row) => view(row, now)));
  },
});

/** The key of which `q` is the whole, the hash or the id. */
async function byKey(db: D1Database, q: string): Promise<KeyRowWithUse | null> {
  if (/^[0-9a-f]{64}$/i.test(q)) return readKeyByHash(db, q.toLowerCase());
  return (await readKeyByHash(db, sha256Hex(q))) ?? readKey(db, q);
}

const get = adminRoute({
  method: "GET",
  path: "/admin/keys/{id}",
  summary: "Get any API key",
  tag: TAG,
  params: KeyParams,
  answers: { 200: { description: "The key", schema: AdminKeySchema, example: EXAMPLE_ADMIN_KEY } },
  errors: ["api_key_not_found"],
  async handle(call) {
    const row = await readKey(call.env.DB, call.params.id);
    return row === null ? { code: "api_key_not_found" } : ok(view(await withLatestUse(call, row), call.now));
  },
});

const edit = adminRoute({
  method: "PATCH",
  path: "/admin/keys/{id}",
  summary: "Edit any API key",
  description: "As in the account API; scopes may name what the key's own account sees.",
  tag: TAG,
  params: KeyParams,
  body: KeyEditBody,
  bodyExample: { enabled: false },
  answers: {
    200: {
      description: "The key as it is now",
      schema: AdminKeySchema,
      example: { ...EXAMPLE_ADMIN_KEY, enabled: false, status: "disabled" },
    },
  },
  errors: [
    "api_key_not_found",
    "key_revoked",
    "key_expired",
    "legacy_key",
    "active_key_limit_reached",
    "conflict",
  ],
  async handle(call) {
    const row = await editKey(call, () => readKey(call.env.DB, call.params.id), call.body);
    return isDenial(row) ? row : ok(view(await withLatestUse(call, row), call.now));
  },
});

const revoke = adminRoute({
  method: "POST",
  path: "/admin/keys/{id}/revoke",
  summary: "Revoke any API key",
  tag: TAG,
  params: KeyParams,
  answers: {
    200: {
      description: "The key, revoked",
      schema: AdminKeySchema,
      example: { ...EXAMPLE_ADMIN_KEY, status: "revoked", revoked_at: "2026-11-21T02:00:00.000Z" },
    },
  },
  errors: ["api_key_not_found"],
  async handle(call) {
    const row = await revokeKey(call, () => readKey(call.env.DB, call.params.id));
    return isDenial(row) ? row : ok(view(await withLatestUse(call, row), call.now));
  },
});

export const keyRoutes = [list, get, edit, revoke];
