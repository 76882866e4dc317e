import * as z from "zod/mini";
import { attempting, settled } from "../../api/attempt.ts";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { EXAMPLE_TIMES, examplePage } from "../../api/examples.ts";
import { carryOut } from "../../api/operator.ts";
import { created, noContent, ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, Instant, instant, Name, pageOf } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { sameJson } from "../../json.ts";
import {
  type AccountRow,
  deleteAccount,
  listAccounts,
  putAccount,
  readAccount,
} from "../../store/accounts.ts";

const TAG = "Accounts";
const DEFAULT_LIMIT = 100;
const MOST_KEYS = 1_000_000;

const AccountSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    active_key_limit: z.int(),
    suspended: z.boolean().check(z.describe("Whether every key of the account is refused")),
    created_at: Instant,
    updated_at: Instant,
  })
  .check(z.meta({ id: "Account" }));

const Params = z.strictObject({ id: Id });

const Body = z.strictObject({
  name: Name,
  active_key_limit: z
    .optional(z.int().check(z.minimum(0), z.maximum(MOST_KEYS)))
    .check(z.describe(`Most keys active at once; ${DEFAULT_LIMIT} for a new account, else as it is`)),
  // A default would lift a suspension by leaving it out.
  suspended: z.optional(z.boolean()).check(z.describe("False for a new account, else as it is")),
});

function view({ version: _, created_at, updated_at, ...account }: AccountRow) {
  return { ...account, created_at: instant(created_at), updated_at: instant(updated_at) };
}

/** What the audit log keeps of an account. */
const settings = ({ name, active_key_limit, suspended }: Omit<AccountRow, "version">) => ({
  name,
  active_key_limit,
  suspended,
});

const EXAMPLE = {
  id: "acme",
  name: "Acme",
  active_key_limit: 100,
  suspended: false,
  ...EXAMPLE_TIMES,
};

/** A record as it is after a PUT. */
interface Stored {
  row: AccountRow;
  isNew: boolean;
}

const list = adminRoute({
  method: "GET",
  path: "/admin/accounts",
  summary: "List accounts",
  tag: TAG,
  query: z.strictObject({ limit, cursor: nameCursor }),
  answers: {
    200: {
      description: "A page of accounts, by id",
      schema: pageOf(AccountSchema),
      example: examplePage(EXAMPLE),
    },
  },
  async handle({ env, query }) {
    const rows = await listAccounts(env.DB, { limit: query.limit + 1, after: query.cursor ?? null });
    return ok(page(rows, query.limit, view, (row) => [row.id]));
  },
});

const get = adminRoute({
  method: "GET",
  path: "/admin/accounts/{id}",
  summary: "Get an account",
  tag: TAG,
  params: Params,
  answers: { 200: { description: "The account", schema: AccountSchema, example: EXAMPLE } },
  errors: ["not_found"],
  async handle({ env, params }) {
    const row = await readAccount(env.DB, params.id);
    return row === null ? { code: "not_found" } : ok(view(row));
  },
});

const put = adminRoute({
  method: "PUT",
  path: "/admin/accounts/{id}",
  summary: "Create or change an account",
  description:
    "What is left out stays as it is. Suspending an account stops every key of it: everywhere within `LEASE_SECONDS` of the answer (2 by default), and at once on endpoints with strict freshness.",
  tag: TAG,
  params: Params,
  body: Body,
  bodyExample: { name: "Acme", active_key_limit: 100, suspended: false },
  answers: {
    200: { description: "The account, changed", schema: AccountSchema, example: EXAMPLE },
    201: { description: "The account, created", schema: AccountSchema, example: EXAMPLE },
  },
  errors: ["conflict"],
  async handle(call) {
    const { env, params, body, now } = call;
    const stored = await attempting<Stored>(async () => {
      const before = await readAccount(env.DB, params.id);
      const row = {
        id: params.id,
        name: body.name,
        active_key_limit: body.active_key_limit ?? before?.active_key_limit ?? DEFAULT_LIMIT,
        suspended: body.suspended ?? before?.suspended ?? false,
        version: (before?.version ?? 0) + 1,
        created_at: before?.created_at ?? now,
        updated_at: now,
      };
      const deed = {
        action: before === null ? "account.create" : "account.update",
        subject: row.id,
        account_id: row.id,
        before: before && settings(before),
        after: settings(row),
      };
      if (sameJson(deed.before, deed.after)) return { row: before!, isNew: false };
      return settled<Stored>(await carryOut(call, deed, [putAccount(before, row)]), {
        row,
        isNew: before === null,
      });
    });
    if (isDenial(stored)) return stored;
    const shown = view(stored.row);
    return stored.isNew ? created(shown, `/admin/accounts/${shown.id}`) : ok(shown);
  },
});

const remove = adminRoute({
  method: "DELETE",
  path: "/admin/accounts/{id}",
  summary: "Delete an account",
  description:
    "Only an account that has no keys (revoked ones count: they are its history), endpoints, namespaces or members. Any other can be suspended.",
  tag: TAG,
  params: Params,
  answers: { 204: { description: "Deleted" } },
  errors: ["not_found", "in_use"],
  async handle(call) {
    const { env, params } = call;
    const done = await attempting<object>(async () => {
      const row = await readAccount(env.DB, params.id);
      if (row === null) return { code: "not_found" };
      const deed = {
        action: "account.delete",
        subject: row.id,
        account_id: row.id,
        before: settings(row),
        after: null,
      };
      return settled<object>(await carryOut(call, deed, [deleteAccount(row)]), {}, async () => {
        if ((await readAccount(env.DB, params.id))?.version !== row.version) return "again";
        return {
          code: "in_use",
          detail: "The account has keys (revoked ones count), endpoints, namespaces or members",
        };
      });
    });
    return isDenial(done) ? done : noContent();
  },
});

export const accountRoutes = [list, get, put, remove];
