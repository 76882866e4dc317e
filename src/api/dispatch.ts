import * as z from "zod/mini";
import { type Denial, denialResponse, isDenial, reasonOf } from "../denial.ts";
import type { Env } from "../env.ts";
import { changeWorldOf } from "../freshness/change.ts";
import type { Isolate } from "../isolate.ts";
import { rayOf } from "../journey/trip.ts";
import { ACCOUNT_HEADER, chooseAccount } from "../session/choose-account.ts";
import { identityOf, type Session } from "../session/session.ts";
import { verifySession } from "../session/verify.ts";
import { readAccount } from "../store/accounts.ts";
import { isTransient } from "../store/retry.ts";
import { hasNoBody, mediaProblem, readJson, readNothing } from "./body.ts";
import { matchRoute } from "./match.ts";
import { check } from "./problem.ts";
import { readQuery } from "./query.ts";
import type { AccountCall, AdminCall, Call, Route } from "./route.ts";

/** A request to the management API, and the platform as it sees it. */
export interface Incoming {
  request: Request;
  env: Env;
  context: Pick<ExecutionContext, "waitUntil">;
  isolate: Isolate;
  requestId: string;
  /** Set where a door of our own has found out already who is there: no header is then looked at. */
  caller?: Caller;
}

/** Who calls, for which account, and what the call is known by. */
export interface Caller {
  session: Session;
  account_id: string | null;
  /** Id for the key record that the call may make: the same call, sent twice, makes one key. */
  keyId?: string | undefined;
}

/**
 * Session, route, role, parameters, query, body, handler: each step ends the journey with a denial, or
 * hands on. Without a session every path is 401, whether or not there is such a route.
 */
export async function dispatch(routes: readonly Route[], incoming: Incoming): Promise<Response> {
  const { request, requestId } = incoming;
  const trace: Trace = { route: null, account_id: null };
  let result: Response | Denial;
  try {
    result = await serve(routes, incoming, trace);
  } catch (error) {
    if (!isTransient(error)) throw error;
    console.error(JSON.stringify({ message: "database away", request_id: requestId, error: String(error) }));
    result = { code: "state_unavailable", detail: "The database cannot be reached right now" };
  }
  const response = isDenial(result)
    ? denialResponse(result, { requestId })
    : new Response(result.body, result);
  response.headers.set("x-request-id", requestId);
  response.headers.set("x-content-type-options", "nosniff");
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  if (incoming.isolate.config.REQUEST_LOG) {
    const { method, headers } = request;
    const { status } = response;
    const reason = isDenial(result) ? denialReason(result) : null;
    const ray = rayOf(headers);
    console.log(JSON.stringify({ request_id: requestId, ray, method, ...trace, status, reason }));
  }
  return request.method === "HEAD" ? new Response(null, response) : response;
}

/** What the log line tells of a request besides its answer: the route's path, never the request's own. */
interface Trace {
  route: string | null;
  account_id: string | null;
}

const denialReason = (denial: Denial): string =>
  (denial.code === "missing_access_token" && denial.reason) || reasonOf(denial);

async function serve(routes: readonly Route[], incoming: Incoming, trace: Trace): Promise<Response | Denial> {
  const { request, env, isolate } = incoming;
  const { config } = isolate;
  const url = new URL(request.url);
  const matched = matchRoute(routes, request.method, url.pathname.slice(1).split("/"));
  const open = matched !== null && "route" in matched && matched.route.audience === "anybody";
  const { caller } = incoming;
  const session = open ? null : (caller?.session ?? (await verifySession(request, config, env.DB)));
  if (session !== null && isDenial(session)) return session;
  if (matched === null) return { code: "not_found" };
  if ("allow" in matched) return { code: "method_not_allowed", allow: matched.allow };
  const { route } = matched;
  trace.route = route.path;

  const call: Call<unknown, unknown, unknown> & Partial<AccountCall<unknown, unknown, unknown>> = {
    ...incoming,
    now: Date.now(),
    actor: session === null ? "anonymous" : identityOf(session),
    address: addressOf(request, config.CLIENT_IP_HEADER),
    keyId: caller?.keyId,
    world: changeWorldOf(env, config.LEDGER_SHARDS, incoming.context),
    params: matched.params,
    query: {},
    body: undefined,
  };
  if (session !== null) {
    call.session = session;
    const named = caller === undefined ? request.headers.get(ACCOUNT_HEADER) : caller.account_id;
    const denial = await admit(route, call as AdminCall<unknown, unknown, unknown>, named);
    if (denial !== null) return denial;
    trace.account_id = call.account?.id ?? null;
  }
  return (await read(route, call, url)) ?? route.handle(call);
}

/** Checks the role, and finds the account where the route is about one. */
async function admit(
  route: Route,
  call: AdminCall<unknown, unknown, unknown> & Partial<AccountCall<unknown, unknown, unknown>>,
  accountId: string | null,
): Promise<Denial | null> {
  const { audience } = route;
  const { session } = call;
  if (audience === "anybody") return null;
  if (audience === "admin") {
    return session.admin ? null : { code: "forbidden", detail: "This needs the admin role" };
  }
  const membership = chooseAccount(session, accountId);
  if (isDenial(membership)) return membership;
  if (!audience.includes(membership.role)) {
    return { code: "forbidden", detail: `The role ${membership.role} does not allow this` };
  }
  const account = await readAccount(call.env.DB, membership.account_id);
  if (account === null) return { code: "forbidden", detail: `There is no account ${membership.account_id}` };
  call.account = account;
  call.role = membership.role;
  return null;
}

const NO_QUERY = z.strictObject({});

/** Reads parameters, query and body through the route's schemas into the call. */
async function read(route: Route, call: Call<unknown, unknown, unknown>, url: URL): Promise<Denial | null> {
  if (route.params !== undefined) {
    // An id is shown for ever, as a name is.
    if (call.isolate.keyFormat.within(JSON.stringify(call.params)))
      return invalid("The URL holds an API key");
    const params = check(route.params, call.params, "path");
    // What cannot be an id names nothing, and nothing can be put there.
    if ("message" in params) return route.method === "PUT" ? invalid(params.message) : { code: "not_found" };
    call.params = params.value;
  }
  const given = readQuery(url.searchParams);
  if (isDenial(given)) return given;
  const query = check(route.query ?? NO_QUERY, given.value, "query");
  if ("message" in query) return invalid(query.message);
  call.query = query.value;
  if (route.raw !== undefined && !route.raw.anyType) {
    const problem = mediaProblem(call.request, route.raw.types);
    if (problem !== null) return problem;
  }
  if (route.body !== undefined) {
    const absent = route.bodyOptional === true && hasNoBody(call.request);
    const json = absent ? { value: {} } : await readJson(call.request);
    if (isDenial(json)) return json;
    // A name, or what another member holds, is shown for ever. Written anew, no escape hides a key.
    if (call.isolate.keyFormat.within(JSON.stringify(json.value))) {
      return invalid("The body holds an API key");
    }
    const body = check(route.body, json.value, "body");
    if ("message" in body) return invalid(body.message);
    call.body = body.value;
    return null;
  }
  return route.method === "GET" || route.raw !== undefined ? null : readNothing(call.request);
}

/** The client's address, from the header that the platform sets and nobody else can. */
export function addressOf(request: Request, header: string | undefined): string | null {
  return header === undefined ? null : (request.headers.get(header)?.slice(0, 100) ?? null);
}

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });
