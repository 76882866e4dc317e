import * as z from "zod/mini";
import { attempting, settled } from "../../api/attempt.ts";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { EXAMPLE_TIMES, examplePage } from "../../api/examples.ts";
import { carryOut, toEachOwner } from "../../api/operator.ts";
import { created, noContent, ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, pageOf } from "../../api/schemas.ts";
import { type Denial, isDenial } from "../../denial.ts";
import type { Endpoint } from "../../endpoints/endpoint.ts";
import { originProblem } from "../../endpoints/origin.ts";
import { pathProblem } from "../../endpoints/path.ts";
import type { Isolate } from "../../isolate.ts";
import { sameJson } from "../../json.ts";
import { readAccount } from "../../store/accounts.ts";
import {
  deleteEndpoint,
  type EndpointRow,
  endpointAt,
  keysNamingEndpoint,
  listEndpoints,
  putEndpoint,
  readEndpoint,
} from "../../store/endpoints.ts";
import { EndpointBody, EndpointSchema, endpointOf, endpointView } from "../endpoint-schema.ts";
import { inUse, whyRefused } from "../in-use.ts";

const TAG = "Endpoints";
const Params = z.strictObject({ id: Id });

const EXAMPLE = {
  id: "chat",
  account_id: "acme",
  name: "Chat",
  api: "inference",
  protocol: "openai",
  path: "/v2/chat",
  origin: "https://models.example.com/v1",
  test_origin: null,
  operations: null,
  credential: { header: "authorization", secret: "ORIGIN_MODELS_TOKEN", scheme: "Bearer" },
  assertion: false,
  allow_query_key: false,
  redirects: "refuse",
  timeout_seconds: 120,
  freshness: "bounded",
  cors: null,
  ...EXAMPLE_TIMES,
};

/** A record as it is after a PUT. */
interface Stored {
  row: EndpointRow;
  isNew: boolean;
}

const list = adminRoute({
  method: "GET",
  path: "/admin/endpoints",
  summary: "List endpoints",
  tag: TAG,
  query: z.strictObject({
    limit,
    cursor: nameCursor,
    account_id: z.optional(Id).check(z.describe("Only those the account sees: its own and the shared")),
  }),
  answers: {
    200: {
      description: "A page of endpoints, by id",
      schema: pageOf(EndpointSchema),
      example: examplePage(EXAMPLE),
    },
  },
  async handle({ env, query }) {
    const rows = await listEndpoints(
      env.DB,
      { visible_to: query.account_id },
      { limit: query.limit + 1, after: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, endpointView, (row) => [row.id]));
  },
});

const get = adminRoute({
  method: "GET",
  path: "/admin/endpoints/{id}",
  summary: "Get an endpoint",
  tag: TAG,
  params: Params,
  answers: { 200: { description: "The endpoint", schema: EndpointSchema, example: EXAMPLE } },
  errors: ["not_found"],
  async handle({ env, params }) {
    const row = await readEndpoint(env.DB, params.id);
    return row === null ? { code: "not_found" } : ok(endpointView(row));
  },
});

const put = adminRoute({
  method: "PUT",
  path: "/admin/endpoints/{id}",
  summary: "Register or change an endpoint",
  description:
    "The body is the whole record: what it leaves out gets its default. In force everywhere within `LEASE_SECONDS` of the answer (2 by default), and at once on endpoints with strict freshness. Not taken from accounts while live keys of theirs name it.",
  tag: TAG,
  params: Params,
  body: EndpointBody,
  bodyExample: {
    account_id: "acme",
    name: "Chat",
    api: "inference",
    protocol: "openai",
    origin: "https://models.example.com/v1",
    credential: { header: "authorization", secret: "ORIGIN_MODELS_TOKEN", scheme: "Bearer" },
  },
  answers: {
    200: { description: "The endpoint, changed", schema: EndpointSchema, example: EXAMPLE },
    201: { description: "The endpoint, registered", schema: EndpointSchema, example: EXAMPLE },
  },
  errors: ["path_reserved", "path_taken", "in_use", "conflict"],
  async handle(call) {
    const { env, isolate, params, body, now } = call;
    const endpoint = endpointOf(params.id, body);
    const problem = endpointProblem(endpoint, isolate);
    if (problem !== null) return problem;
    const stored = await attempting<Stored>(async () => {
      if (endpoint.account_id !== null && (await readAccount(env.DB, endpoint.account_id)) === null) {
        return invalid(`Unknown account: ${endpoint.account_id}`);
      }
      const before = await readEndpoint(env.DB, params.id);
      const row: EndpointRow = {
        ...endpoint,
        version: (before?.version ?? 0) + 1,
        created_at: before?.created_at ?? now,
        updated_at: now,
      };
      const deed = {
        action: before === null ? "endpoint.create" : "endpoint.update",
        subject: row.id,
        account_id: row.account_id,
        before: before && settings(before),
        after: settings(row),
      };
      if (sameJson(deed.before, deed.after)) return { row: before!, isNew: false };
      const [told, ...former] = toEachOwner(deed, before, row);
      const result = await carryOut(call, told, [putEndpoint(before, row)], former);
      return settled<Stored>(result, { row, isNew: before === null }, async () => {
        const holder = await endpointAt(env.DB, row.path);
        if (holder === null || holder === row.id) {
          return whyRefused("endpoint", before, row, () =>
            keysNamingEndpoint(env.DB, row.id, now, row.account_id),
          );
        }
        return { code: "path_taken", detail: `The path ${row.path} is taken by the endpoint ${holder}` };
      });
    });
    if (isDenial(stored)) return stored;
    const shown = endpointView(stored.row);
    return stored.isNew ? created(shown, `/admin/endpoints/${shown.id}`) : ok(shown);
  },
});

const remove = adminRoute({
  method: "DELETE",
  path: "/admin/endpoints/{id}",
  summary: "Delete an endpoint",
  description: "Refused while a key that is not revoked or expired names it.",
  tag: TAG,
  params: Params,
  answers: { 204: { description: "Deleted" } },
  errors: ["not_found", "in_use", "conflict"],
  async handle(call) {
    const { env, params, now } = call;
    const done = await attempting<object>(async () => {
      const row = await readEndpoint(env.DB, params.id);
      if (row === null) return { code: "not_found" };
      const deed = {
        action: "endpoint.delete",
        subject: row.id,
        account_id: row.account_id,
        before: settings(row),
        after: null,
      };
      return settled<object>(await carryOut(call, deed, [deleteEndpoint(row, now)]), {}, async () => {
        if ((await readEndpoint(env.DB, params.id))?.version !== row.version) return "again";
        return inUse("endpoint", await keysNamingEndpoint(env.DB, row.id, now));
      });
    });
    return isDenial(done) ? done : noContent();
  },
});

export const endpointRoutes = [list, get, put, remove];

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });

/** The rules that need to know the gateway: which paths are its own, and which hosts. */
function endpointProblem(endpoint: Endpoint, { config, ownHosts }: Isolate): Denial | null {
  const path = pathProblem(endpoint.path);
  if (path !== null) return path;
  const rules = { insecureHosts: config.INSECURE_ORIGIN_HOSTS, ownHosts };
  for (const member of ["origin", "test_origin"] as const) {
    const url = endpoint[member];
    const problem = url === null ? null : originProblem(url, rules);
    if (problem !== null) return invalid(`${member} ${problem}`);
  }
  return null;
}

/** What the audit log keeps of an endpoint, its members always in the same order. */
function settings(row: EndpointRow) {
  const { version: _, created_at: __, updated_at: ___, ...endpoint } = row;
  return Object.fromEntries(Object.entries(endpoint).sort(([one], [other]) => (one < other ? -1 : 1)));
}
