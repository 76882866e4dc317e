import { type Denial, denialResponse, isDenial, reasonOf } from "../denial.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { NODE_KIND } from "../freshness/kinds.ts";
import { ENDPOINT_SHARD } from "../freshness/shards.ts";
import type { RequestUrl } from "../http/url.ts";
import { QUERY_KEY_REFUSED, stateProblem } from "../journey/caller.ts";
import { holdsKey, readCredential } from "../journey/credential.ts";
import { findKey } from "../journey/key-record.ts";
import { type Arrival, beginTrip, countUse, finish, type Trip } from "../journey/trip.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { KeyRecord } from "../keys/record.ts";
import { addCors, preflight } from "./cors.ts";
import { decide } from "./decide.ts";
import { forward } from "./forward.ts";
import { readGraphql } from "./graphql-step.ts";
import { type Match, match } from "./match.ts";
import { ALL_METHODS, classify, isKnownMethod } from "./operation.ts";
import { prepareUpstream } from "./upstream.ts";

/**
 * A request's journey (spec 2): route, credential, key record, visibility, operation, decision, forward.
 * Every step gives what the next one needs, or the denial that ends it. Nothing is sent upstream before
 * the decision is "allow".
 */
export async function handle(arrival: Arrival): Promise<Response> {
  const trip = beginTrip(arrival);
  const { request, now, requestId, journey } = trip;
  const { url, entries } = arrival;
  let endpoint: Endpoint | null = null;
  let record: KeyRecord | null = null;
  let authenticated = false;

  const travel = async (): Promise<Response | Denial> => {
    if (isDenial(url)) return url;
    if (isDenial(entries)) return entries;
    if (request.method === "OPTIONS") return answerPreflight(trip, url);

    const credential = readCredential(request.headers, url.query);
    if (isDenial(credential)) return credential;
    const { key } = credential;
    // Elsewhere in the URL a key would reach the origin, and every log on the way.
    if (holdsKey(url, credential)) {
      return { code: "invalid_request", detail: "The URL holds the API key" };
    }
    const hash = sha256Hex(key);
    const found = await findKey(trip, key, hash);
    if (isDenial(found)) return found;
    record = found;
    journey.account_id = record.account_id;
    journey.key_id = record.id;
    const invalid = stateProblem(record, now);
    if (invalid !== null) return invalid;

    authenticated = true;

    let target = await findEndpoint(trip, url, record);
    if (credential.source === "query" && (isDenial(target) || !target.endpoint.allow_query_key)) {
      authenticated = false;
      return QUERY_KEY_REFUSED;
    }
    if (isDenial(target)) return target;
    if (target.endpoint.freshness === "strict") {
      const confirmed = await confirm(trip, url, key, hash);
      if (isDenial(confirmed)) return confirmed;
      record = confirmed.record;
      target = confirmed.target;
    }
    endpoint = target.endpoint;
    journey.endpoint_id = target.id;

    if (!isKnownMethod(request.method)) return { code: "method_not_allowed", allow: ALL_METHODS };
    const tail = url.segments.slice(target.depth);
    const upgrade = asksForWebSocket(request) && target.endpoint.protocol !== "serverless";
    const operation = classify(endpoint, request.method, url, tail, upgrade);
    if (typeof operation === "object") return operation;

    const graphql = operation === "inspect" ? await readGraphql(trip, record, url, credential) : null;
    if (graphql !== null && (graphql instanceof Response || isDenial(graphql))) return graphql;
    const decision = decide(record, target, operation, graphql);
    if ("code" in decision) return decision;
    journey.operation = decision.access === "read" ? "read" : "write";
    journey.decision = "allow";

    const upstream = await prepareUpstream(trip, {
      url,
      entries,
      credential,
      record,
      target,
      tail,
      decision,
      judged: graphql,
      upgrade,
    });
    if (isDenial(upstream)) return upstream;
    const sentAt = Date.now();
    const response = await forward(upstream, {
      stillValid: () => isStillValid(trip, hash),
      signal: request.signal,
      background: trip.world.background,
    });
    journey.origin_ms = Date.now() - sentAt;
    return response;
  };

  const result = await travel();
  let response: Response;
  if (result instanceof Response) {
    response = result;
  } else {
    journey.reason = reasonOf(result);
    response = denialResponse(result, {
      requestId,
      graphql: speaksGraphql(endpoint, request),
      accept: request.headers.get("accept"),
    });
  }
  if (request.method !== "OPTIONS") addCors(response.headers, endpoint, request.headers);
  if (journey.origin_ms !== null && response.status !== 101) {
    response.headers.set(
      "server-timing",
      `postern;dur=${journey.postern_ms}, origin;dur=${journey.origin_ms}`,
    );
  }
  if (record !== null) countUse(trip, record, authenticated);
  return finish(trip, response);
}

/** Job queues have no WebSockets: there the wish is ignored, and the rest answered (RFC 9110 section 7.8). */
function asksForWebSocket({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

async function lookUpEndpoint(trip: Trip, url: RequestUrl): Promise<Match | null | "unavailable"> {
  return match(url.segments, async (path) => {
    const began = Date.now();
    const warm = trip.isolate.freshness.peek(NODE_KIND, path, trip.now, trip.world);
    if (warm !== undefined) return warm;
    const found = await trip.isolate.freshness.get(NODE_KIND, path, trip.world);
    trip.journey.postern_ms += Date.now() - began;
    if (found === "unavailable" || found.value === null) return "unavailable";
    return found.value;
  });
}

/** The endpoint a path leads to, if the key's account may see it (spec 2.3). */
async function findEndpoint(trip: Trip, url: RequestUrl, record: KeyRecord): Promise<Match | Denial> {
  const found = await lookUpEndpoint(trip, url);
  if (found === "unavailable") return { code: "state_unavailable" };
  if (found === null) return { code: "endpoint_not_found" };
  const { account_id } = found.endpoint;
  return account_id === null || account_id === record.account_id ? found : { code: "endpoint_not_found" };
}

/**
 * On a strict endpoint nothing is decided on what was known before the request began: both shards are
 * asked anew, and what they fence is read again (spec 8).
 */
async function confirm(
  trip: Trip,
  url: RequestUrl,
  key: string,
  hash: string,
): Promise<{ record: KeyRecord; target: Match } | Denial> {
  const { freshness, keys } = trip.isolate;
  const began = Date.now();
  const shards = [...new Set([keys.shard(hash), ENDPOINT_SHARD])];
  const confirmed = (await Promise.all(shards.map((shard) => freshness.sync(shard, trip.world)))).every(
    Boolean,
  );
  trip.journey.postern_ms += Date.now() - began;
  const record = await findKey(trip, key, hash, !confirmed);
  if (isDenial(record)) return record;
  const invalid = stateProblem(record, Date.now());
  if (invalid !== null) return invalid;
  if (!confirmed) {
    // Without the ledger only D1 itself will do, for the endpoint as well.
    const found = await match(url.segments, async (path) => {
      const node = await freshness.get(NODE_KIND, path, trip.world, { strict: true });
      return node === "unavailable" || node.value === null ? "unavailable" : node.value;
    });
    if (found === "unavailable") return { code: "state_unavailable" };
    if (found === null) return { code: "endpoint_not_found" };
  }
  const target = await findEndpoint(trip, url, record);
  return isDenial(target) ? target : { record, target };
}

/** Whether a key that was let in would be let in still: asked every few seconds while a stream runs. */
async function isStillValid(trip: Trip, hash: string): Promise<boolean> {
  const found = await trip.isolate.freshness.get(trip.isolate.keys, hash, trip.world);
  return found !== "unavailable" && found.value !== null && stateProblem(found.value, Date.now()) === null;
}

async function answerPreflight(trip: Trip, url: RequestUrl): Promise<Response> {
  const { headers } = trip.request;
  const asks = headers.has("origin") && headers.has("access-control-request-method");
  const found = asks ? await lookUpEndpoint(trip, url) : null;
  trip.journey.decision = "allow";
  return preflight(
    found === null || found === "unavailable" ? null : found.endpoint,
    headers,
    trip.requestId,
  );
}

/**
 * Whether a denial is worded for a GraphQL client. Before the endpoint is known, the path and what the
 * client accepts tell: the same for every key, so that nothing is learnt from it.
 */
function speaksGraphql(endpoint: Endpoint | null, request: Request): boolean {
  if (endpoint !== null) return endpoint.protocol === "graphql";
  if (request.headers.get("accept")?.includes("application/graphql-response+json")) return true;
  return /^[a-z]+:\/\/[^/]+\/graphql(?:[/?]|$)/.test(request.url);
}
