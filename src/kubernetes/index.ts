import { type Denial, denialResponse, isDenial, reasonOf } from "../denial.ts";
import type { RequestUrl } from "../http/url.ts";
import { type Arrival, beginTrip, countUse, finish, type Trip } from "../journey/trip.ts";
import { mayExecInNamespace } from "../keys/permissions.ts";
import { isTransient } from "../store/retry.ts";
import { type Caller, identifyCaller } from "./caller.ts";
import { credentialRoute } from "./exec-credential.ts";
import { kubeconfigRoute } from "./kubeconfig.ts";
import { findNamespace } from "./namespace.ts";
import type { NamespaceRoute } from "./route.ts";

const ROUTES: Readonly<Record<string, NamespaceRoute>> = {
  "exec-credential": credentialRoute,
  kubeconfig: kubeconfigRoute,
};

/**
 * `/v1/kubernetes/namespaces/{id}/…`: caller, route, visibility, decision, answer, as on the data plane.
 * Visibility comes before the decision, so that another account's namespace is the same 404 as one that does
 * not exist, whatever the key may do.
 */
export async function handleKubernetes(arrival: Arrival): Promise<Response> {
  const trip = beginTrip(arrival);
  const { requestId, request, journey } = trip;
  let caller: Caller | null = null;
  let result: Response | Denial;
  try {
    if (isDenial(arrival.url)) result = arrival.url;
    else {
      const asked = read(arrival.url);
      const found = await identifyCaller(trip, arrival.url, asked?.route ?? null);
      if (isDenial(found)) result = found;
      else {
        caller = found;
        result = found.invalid ?? (await serve(trip, arrival.url, asked, found));
      }
    }
  } catch (error) {
    if (!isTransient(error)) throw error;
    console.error(JSON.stringify({ message: "database away", request_id: requestId, error: String(error) }));
    result = { code: "state_unavailable", detail: "The database cannot be reached right now" };
  }
  const response = isDenial(result) ? denialResponse(result, { requestId }) : result;
  if (isDenial(result)) journey.reason = reasonOf(result);
  else journey.decision = "allow";
  if (caller !== null && "record" in caller) countUse(trip, caller.record, caller.invalid === null);
  return finish(trip, request.method === "HEAD" ? new Response(null, response) : response);
}

/** What a path asks for. */
interface Asked {
  id: string;
  route: NamespaceRoute;
}

function read({ segments, trailingSlash }: RequestUrl): Asked | null {
  const [, , kind, id, name = "", ...more] = segments;
  if (kind !== "namespaces" || id === undefined || more.length > 0 || trailingSlash) return null;
  return Object.hasOwn(ROUTES, name) ? { id, route: ROUTES[name]! } : null;
}

/** What a caller who was let in is answered. */
async function serve(
  trip: Trip,
  url: RequestUrl,
  asked: Asked | null,
  caller: Caller,
): Promise<Response | Denial> {
  const { request, env, journey } = trip;
  if (asked === null) return { code: "not_found" };
  const { route, id } = asked;
  if (!route.methods.includes(request.method)) return { code: "method_not_allowed", allow: route.methods };
  const namespace = await findNamespace(env.DB, id, caller);
  if (isDenial(namespace)) return namespace;
  journey.namespace_id = namespace.id;
  if ("record" in caller) {
    const { permissions, environment } = caller.record;
    if (!mayExecInNamespace(permissions, environment, namespace.id)) {
      const needed = environment === "test" ? "production kubernetes_exec" : "kubernetes_exec";
      return { code: "insufficient_scope", needed, resource: `namespace ${namespace.id}` };
    }
  } else {
    journey.account_id = namespace.account_id;
  }
  journey.operation = route.operation;
  return route.answer(trip, url, namespace, caller);
}
