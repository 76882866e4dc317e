import * as z from "zod/mini";
import { attempting, settled } from "../../api/attempt.ts";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { EXAMPLE_TIMES, examplePage } from "../../api/examples.ts";
import { carryOut } from "../../api/operator.ts";
import { created, noContent, ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, Instant, instant, pageOf } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { sameJson } from "../../json.ts";
import { must } from "../../refusal.ts";
import { unknownAccounts } from "../../store/accounts.ts";
import { deleteMember, listMembers, type MemberRow, putMember, readMember } from "../../store/members.ts";

const TAG = "Members";
const MOST_ACCOUNTS = 100;

/** As people write addresses; whether one works is for the issuer to have verified. */
const Email = z
  .string()
  .check(
    z.maxLength(320),
    z.toLowerCase(),
    z.regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u, "must be an e-mail address"),
  );

const Params = z.strictObject({ email: Email });
/** Sessions have no other addresses. Those that were added once can still be removed. */
const PutParams = z.strictObject({
  email: z.pipe(z.string().check(z.regex(/^[\x21-\x7e]*$/, "must be ASCII")), Email),
});

const Accounts = z.array(z.strictObject({ account_id: Id, role: z.enum(["owner", "member", "viewer"]) }));

const Body = z.strictObject({
  accounts: z._default(
    Accounts.check(
      z.maxLength(MOST_ACCOUNTS),
      must(
        (held) => new Set(held.map(({ account_id }) => account_id)).size === held.length,
        "must name each account once",
      ),
    ),
    [],
  ),
  admin: z._default(z.boolean(), false),
});

const MemberSchema = z
  .strictObject({
    email: z.string(),
    accounts: Accounts,
    admin: z.boolean(),
    created_at: Instant,
    updated_at: Instant,
  })
  .check(z.meta({ id: "Member" }));

function view({ version: _, created_at, updated_at, ...member }: MemberRow) {
  return { ...member, created_at: instant(created_at), updated_at: instant(updated_at) };
}

/** What the audit log keeps of a member. */
const settings = ({ accounts, admin }: MemberRow) => ({ accounts, admin });

const EXAMPLE = {
  email: "max@acme.example",
  accounts: [{ account_id: "acme", role: "member" }],
  admin: false,
  ...EXAMPLE_TIMES,
};

interface Stored {
  row: MemberRow;
  isNew: boolean;
}

const list = adminRoute({
  method: "GET",
  path: "/admin/members",
  summary: "List members",
  tag: TAG,
  query: z.strictObject({ limit, cursor: nameCursor, account_id: z.optional(Id) }),
  answers: {
    200: {
      description: "A page of members, by address",
      schema: pageOf(MemberSchema),
      example: examplePage(EXAMPLE),
    },
  },
  async handle({ env, query }) {
    const rows = await listMembers(
      env.DB,
      { account_id: query.account_id },
      { limit: query.limit + 1, after: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, view, (row) => [row.email]));
  },
});

const get = adminRoute({
  method: "GET",
  path: "/admin/members/{email}",
  summary: "Get a member",
  tag: TAG,
  params: Params,
  answers: { 200: { description: "The member", schema: MemberSchema, example: EXAMPLE } },
  errors: ["not_found"],
  async handle({ env, params }) {
    const row = await readMember(env.DB, params.email);
    return row === null ? { code: "not_found" } : ok(view(row));
  },
});

const put = adminRoute({
  method: "PUT",
  path: "/admin/members/{email}",
  summary: "Add or change a member",
  description:
    "What somebody may manage whose session token names no account. In force at their next request.",
  tag: TAG,
  params: PutParams,
  body: Body,
  bodyExample: { accounts: [{ account_id: "acme", role: "member" }], admin: false },
  answers: {
    200: { description: "The member, changed", schema: MemberSchema, example: EXAMPLE },
    201: { description: "The member, added", schema: MemberSchema, example: EXAMPLE },
  },
  errors: ["conflict"],
  async handle(call) {
    const { env, params, body, now } = call;
    const stored = await attempting<Stored>(async () => {
      const ids = body.accounts.map(({ account_id }) => account_id);
      const [unknown] = ids.length === 0 ? [] : await unknownAccounts(env.DB, ids);
      if (unknown !== undefined) return { code: "invalid_request", detail: `Unknown account: ${unknown}` };
      const before = await readMember(env.DB, params.email);
      const row = {
        ...body,
        email: params.email,
        version: (before?.version ?? 0) + 1,
        created_at: before?.created_at ?? now,
        updated_at: now,
      };
      const deed = {
        action: before === null ? "member.create" : "member.update",
        subject: row.email,
        account_id: null,
        before: before && settings(before),
        after: settings(row),
      };
      if (sameJson(deed.before, deed.after)) return { row: before!, isNew: false };
      return settled<Stored>(await carryOut(call, deed, [putMember(before, row)]), {
        row,
        isNew: before === null,
      });
    });
    if (isDenial(stored)) return stored;
    const shown = view(stored.row);
    return stored.isNew ? created(shown, `/admin/members/${encodeURIComponent(shown.email)}`) : ok(shown);
  },
});

const remove = adminRoute({
  method: "DELETE",
  path: "/admin/members/{email}",
  summary: "Remove a member",
  tag: TAG,
  params: Params,
  answers: { 204: { description: "Removed" } },
  errors: ["not_found", "conflict"],
  async handle(call) {
    const { env, params } = call;
    const done = await attempting<object>(async () => {
      const row = await readMember(env.DB, params.email);
      if (row === null) return { code: "not_found" };
      const deed = {
        action: "member.delete",
        subject: row.email,
        account_id: null,
        before: settings(row),
        after: null,
      };
      return settled<object>(await carryOut(call, deed, [deleteMember(row)]), {});
    });
    return isDenial(done) ? done : noContent();
  },
});

export const memberRoutes = [list, get, put, remove];
