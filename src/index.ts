import "./bundle-order.ts";

import { handleManagement } from "./api/index.ts";
import { isEntrance, showIn } from "./console/entrance.ts";
import { handleConsole } from "./console/index.ts";
import { denialResponse, isDenial } from "./denial.ts";
import { isOwnRoute } from "./endpoints/path.ts";
import { ConfigError, type Env } from "./env.ts";
import { preflight } from "./gateway/cors.ts";
import { handle } from "./gateway/index.ts";
import { describeKey } from "./gateway/own-key.ts";
import { health } from "./health.ts";
import { headerEntries, lookupIn } from "./http/header-entries.ts";
import { readUrl } from "./http/url.ts";
import { isolateOf } from "./isolate.ts";
import type { Arrival } from "./journey/trip.ts";
import { handleKubernetes } from "./kubernetes/index.ts";
import { wellKnown } from "./signing/well-known.ts";

export { Ledger } from "./ledger/ledger.ts";

/** Which door a request goes through. Everything that is not the gateway's own is an endpoint's. */
function route(
  request: Request,
  env: Env,
  context: ExecutionContext,
  requestId: string,
): Response | Promise<Response> {
  const isolate = isolateOf(env);
  const entries = headerEntries(request.headers);
  const host = isDenial(entries) ? null : lookupIn(entries).get("host");
  const url = readUrl(request.url, host, isolate.config.HOSTNAMES);
  const arrival: Arrival = { request, env, context, isolate, requestId, url, entries };
  if (isDenial(url) || !isOwnRoute(url.segments)) {
    const shownIn = !isDenial(url) && !isDenial(entries) && isEntrance(request, url);
    return shownIn ? showIn(arrival) : handle(arrival);
  }
  if (isDenial(entries)) return denialResponse(entries, { requestId });
  if (request.method === "OPTIONS") return preflight(null, request.headers, requestId);
  const path = url.segments.join("/");
  if (path === "healthz") return health(isolate, env, url.query, requestId);
  if (path === "v1/key") return describeKey(arrival);
  const [first, second] = url.segments;
  if (first === ".well-known") {
    return wellKnown(request, path.slice(first.length + 1), isolate.config, requestId);
  }
  if (first === "console") return handleConsole({ ...arrival, url, entries });
  if (first === "v1" && second === "kubernetes") return handleKubernetes(arrival);
  return handleManagement(request, env, context, isolate, requestId);
}

export default {
  async fetch(request, env, context): Promise<Response> {
    const requestId = crypto.randomUUID();
    try {
      return await route(request, env, context, requestId);
    } catch (error) {
      // Never forwards, never says why: the log does, without anything the client sent.
      const message = error instanceof ConfigError ? error.message : "unexpected exception";
      const stack = error instanceof Error ? error.stack : undefined;
      console.error(JSON.stringify({ message, request_id: requestId, error: String(error), stack }));
      return denialResponse({ code: "internal_error" }, { requestId });
    }
  },
} satisfies ExportedHandler<Env>;
