import * as z from "zod/mini";
import { attempting, settled } from "../../api/attempt.ts";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { EXAMPLE_NAMESPACE_ID, EXAMPLE_TIMES, examplePage } from "../../api/examples.ts";
import { carryOut, toEachOwner } from "../../api/operator.ts";
import { created, noContent, ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, Instant, instant, Name, pageOf } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { sameJson } from "../../json.ts";
import { must } from "../../refusal.ts";
import { readAccount } from "../../store/accounts.ts";
import {
  deleteNamespace,
  keysNamingNamespace,
  listNamespaces,
  type NamespaceRow,
  putNamespace,
  readNamespace,
} from "../../store/namespaces.ts";

import { inUse, whyRefused } from "../in-use.ts";

const TAG = "Kubernetes namespaces";

/** Ids are compared as text, so a UUID has one spelling (RFC 9562 section 4). */
const Params = z.strictObject({ id: z.pipe(z.string().check(z.toLowerCase()), z.guid("must be a UUID")) });

const Cluster = z.strictObject({
  server: z
    .string()
    .check(
      z.maxLength(2048),
      must(isServerUrl, "must be an https URL without user information, query or fragment"),
      z.meta({ format: "uri", description: "The kube-apiserver. Clients call it; the gateway never does" }),
    ),
  certificate_authority_data: z
    .optional(
      z
        .string()
        .check(
          z.maxLength(100_000),
          z.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "must be base64"),
        ),
    )
    .check(z.describe("PEM in base64, as in a kubeconfig")),
  audience: z
    .string()
    .check(
      z.regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 printable ASCII characters without spaces"),
      z.describe("Audience of the tokens that the cluster accepts"),
    ),
});

/** `http` only on this machine, for a cluster that runs there. */
function isServerUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s\\]/.test(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== "" || password !== "") return false;
  return (
    protocol === "https:" || (protocol === "http:" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  );
}

const Body = z.strictObject({ account_id: Id, name: Name, cluster: Cluster });

const NamespaceSchema = z
  .strictObject({
    id: z.string(),
    account_id: z.string(),
    name: z.string(),
    cluster: Cluster,
    created_at: Instant,
    updated_at: Instant,
  })
  .check(z.meta({ id: "Namespace" }));

function view({ version: _, created_at, updated_at, ...namespace }: NamespaceRow) {
  return { ...namespace, created_at: instant(created_at), updated_at: instant(updated_at) };
}

/** What the audit log keeps of a namespace. */
function settings({ account_id, name, cluster }: NamespaceRow) {
  return { account_id, name, cluster };
}

const EXAMPLE = {
  id: EXAMPLE_NAMESPACE_ID,
  account_id: "acme",
  name: "training",
  cluster: { server: "https://kube.example.com:6443", audience: "postern" },
  ...EXAMPLE_TIMES,
};

interface Stored {
  row: NamespaceRow;
  isNew: boolean;
}

const list = adminRoute({
  method: "GET",
  path: "/admin/namespaces",
  summary: "List namespaces",
  tag: TAG,
  query: z.strictObject({ limit, cursor: nameCursor, account_id: z.optional(Id) }),
  answers: {
    200: {
      description: "A page of namespaces, by id",
      schema: pageOf(NamespaceSchema),
      example: examplePage(EXAMPLE),
    },
  },
  async handle({ env, query }) {
    const rows = await listNamespaces(
      env.DB,
      { account_id: query.account_id },
      { limit: query.limit + 1, after: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, view, (row) => [row.id]));
  },
});

const get = adminRoute({
  method: "GET",
  path: "/admin/namespaces/{id}",
  summary: "Get a namespace",
  tag: TAG,
  params: Params,
  answers: { 200: { description: "The namespace", schema: NamespaceSchema, example: EXAMPLE } },
  errors: ["not_found"],
  async handle({ env, params }) {
    const row = await readNamespace(env.DB, params.id);
    return row === null ? { code: "not_found" } : ok(view(row));
  },
});

const put = adminRoute({
  method: "PUT",
  path: "/admin/namespaces/{id}",
  summary: "Create or change a namespace",
  description: "Not taken from an account while live keys of its name it.",
  tag: TAG,
  params: Params,
  body: Body,
  bodyExample: {
    account_id: "acme",
    name: "training",
    cluster: { server: "https://kube.example.com:6443", audience: "postern" },
  },
  answers: {
    200: { description: "The namespace, changed", schema: NamespaceSchema, example: EXAMPLE },
    201: { description: "The namespace, created", schema: NamespaceSchema, example: EXAMPLE },
  },
  errors: ["in_use", "conflict"],
  async handle(call) {
    const { env, params, body, now } = call;
    const stored = await attempting<Stored>(async () => {
      if ((await readAccount(env.DB, body.account_id)) === null) {
        return { code: "invalid_request", detail: `Unknown account: ${body.account_id}` };
      }
      const before = await readNamespace(env.DB, params.id);
      const row = {
        ...body,
        id: params.id,
        version: (before?.version ?? 0) + 1,
        created_at: before?.created_at ?? now,
        updated_at: now,
      };
      const deed = {
        action: before === null ? "namespace.create" : "namespace.update",
        subject: row.id,
        account_id: row.account_id,
        before: before && settings(before),
        after: settings(row),
      };
      if (sameJson(deed.before, deed.after)) return { row: before!, isNew: false };
      const [told, ...former] = toEachOwner(deed, before, row);
      const result = await carryOut(call, told, [putNamespace(before, row)], former);
      return settled<Stored>(result, { row, isNew: before === null }, () =>
        whyRefused("namespace", before, row, () => keysNamingNamespace(env.DB, row.id, now, row.account_id)),
      );
    });
    if (isDenial(stored)) return stored;
    const shown = view(stored.row);
    return stored.isNew ? created(shown, `/admin/namespaces/${shown.id}`) : ok(shown);
  },
});

const remove = adminRoute({
  method: "DELETE",
  path: "/admin/namespaces/{id}",
  summary: "Delete a namespace",
  description: "Refused while a key that is not revoked or expired names it.",
  tag: TAG,
  params: Params,
  answers: { 204: { description: "Deleted" } },
  errors: ["not_found", "in_use", "conflict"],
  async handle(call) {
    const { env, params, now } = call;
    const done = await attempting<object>(async () => {
      const row = await readNamespace(env.DB, params.id);
      if (row === null) return { code: "not_found" };
      const deed = {
        action: "namespace.delete",
        subject: row.id,
        account_id: row.account_id,
        before: settings(row),
        after: null,
      };
      return settled<object>(await carryOut(call, deed, [deleteNamespace(row, now)]), {}, async () => {
        if ((await readNamespace(env.DB, params.id))?.version !== row.version) return "again";
        return inUse("namespace", await keysNamingNamespace(env.DB, row.id, now));
      });
    });
    return isDenial(done) ? done : noContent();
  },
});

export const namespaceRoutes = [list, get, put, remove];
