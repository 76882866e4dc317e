import { type Denial, denialResponse, isDenial, reasonOf } from "../denial.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import type { Asked } from "../freshness/freshness.ts";
import { NODE_KIND } from "../freshness/kinds.ts";
import { ENDPOINT_SHARD } from "../freshness/shards.ts";
import { type HeaderLookup, lookupIn } from "../http/header-entries.ts";
import type { RequestUrl } from "../http/url.ts";
import { QUERY_KEY_REFUSED, stateProblem } from "../journey/caller.ts";
import { type Credential, holdsKey, readCredential } from "../journey/credential.ts";
import { findKey, hasLimitLeft, keyInMemory } from "../journey/key-record.ts";
import { type Arrival, beginTrip, countUse, finish, type Trip } from "../journey/trip.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { KeyRecord } from "../keys/record.ts";
import { addCors, preflight } from "./cors.ts";
import { decide } from "./decide.ts";
import { forward } from "./forward.ts";
import { readGraphql } from "./graphql-step.ts";
import { type Match, match, walk } from "./match.ts";
import { ALL_METHODS, classify, isKnownMethod } from "./operation.ts";
import { assertionFor, prepareUpstream } from "./upstream.ts";

/**
 * A request's journey (spec 2): route, credential, key record, visibility, operation, decision, forward.
 * Every step gives what the next one needs, or the denial that ends it. Nothing is sent upstream before
 * the decision is "allow".
 */
export async function handle(arrival: Arrival): Promise<Response> {
  const trip = beginTrip(arrival);
  const { request, journey } = trip;
  const { method } = journey;
  const known: Known = { record: null, endpoint: null, authenticated: false };

  const result = await travel(arrival, trip, known);
  const response = isDenial(result) ? refuse(trip, result, known) : result;

  const { record, endpoint, authenticated } = known;
  if (endpoint?.cors != null && method !== "OPTIONS") {
    addCors(response.headers, endpoint, request.headers);
  }
  if (journey.origin_ms !== null && response.status !== 101) {
    response.headers.append(
      "server-timing",
      `postern;dur=${journey.postern_ms}, origin;dur=${journey.origin_ms}`,
    );
  }
  if (record !== null) countUse(trip, record, authenticated);
  return finish(trip, response);
}

async function travel({ url, entries }: Arrival, trip: Trip, known: Known): Promise<Response | Denial> {
  const { request, journey } = trip;
  const { method } = journey;
  if (isDenial(url)) return url;
  if (isDenial(entries)) return entries;
  if (method === "OPTIONS") return answerPreflight(trip, url);

  const headers = lookupIn(entries);
  // RFC 9112 section 6.1: a coding that is not undone here must not be passed on as if there were none.
  if (!/^(?:chunked)?$/i.test(headers.get("transfer-encoding") ?? "")) {
    return { code: "invalid_request", detail: "Transfer-Encoding may be chunked alone" };
  }
  const credential = readCredential(headers, url.query);
  if (isDenial(credential)) return credential;
  // Elsewhere in the URL a key would reach the origin, and every log on the way.
  if (holdsKey(url, credential)) return { code: "invalid_request", detail: "The URL holds the API key" };
  const hash = sha256Hex(credential.key);
  let target = await admit(trip, url, credential, hash, known);
  if (isDenial(target)) return target;

  if (!isKnownMethod(method)) return { code: "method_not_allowed", allow: ALL_METHODS };
  let tail = url.segments.slice(target.depth);
  const upgrade = asksForWebSocket(method, headers) && target.endpoint.protocol !== "serverless";
  const operation = classify(target.endpoint, method, url, tail, upgrade);
  if (typeof operation === "object") return operation;

  const permissions = known.record!.permissions;
  const graphql =
    operation === "inspect" ? await readGraphql(trip, headers, permissions, url, credential) : null;
  if (graphql !== null && (graphql instanceof Response || isDenial(graphql))) return graphql;
  if (graphql !== null && method === "POST") {
    // The body came at the client's pace: what was in force when it began may not be any more.
    trip.now = Date.now();
    target = await admit(trip, url, credential, hash, known);
    if (isDenial(target)) return target;
    // Another endpoint may stand there by now.
    tail = url.segments.slice(target.depth);
    if (classify(target.endpoint, method, url, tail, upgrade) !== operation) return { code: "not_found" };
  }
  const record = known.record!;
  const decision = decide(record, target, operation, graphql);
  if (isDenial(decision)) return decision;
  journey.operation = decision.access === "read" ? "read" : "write";
  journey.decision = "allow";

  const allowed = { url, entries, credential, record, target, tail, decision, judged: graphql, upgrade };
  const upstream = prepareUpstream(trip, allowed);
  if (isDenial(upstream)) return upstream;
  if (target.endpoint.assertion) upstream.headers["x-postern-assertion"] = await assertionFor(trip, allowed);
  const sentAt = Date.now();
  const response = await forward(upstream, {
    stillValid: () => isStillValid(trip, hash),
    signal: request.signal,
    background: trip.world.background,
  });
  journey.origin_ms = Date.now() - sentAt;
  return response;
}

/** The answer to a denial. */
function refuse(trip: Trip, denial: Denial, { endpoint }: Known): Response {
  trip.journey.reason = reasonOf(denial);
  return denialResponse(denial, {
    requestId: trip.requestId,
    graphql: speaksGraphql(endpoint, trip.request),
    accept: trip.request.headers.get("accept"),
  });
}

/** What a request turned out to be about, so far: for its log line, its use count, and the wording of a denial. */
interface Known {
  record: KeyRecord | null;
  endpoint: Endpoint | null;
  authenticated: boolean;
}

/**
 * Key record, state, endpoint, visibility. On a strict endpoint all of it once more, on nothing that was
 * known before the request began (spec 8).
 * @param strict how fresh what is looked up must be; see `Freshness.get`
 */
async function admit(
  trip: Trip,
  url: RequestUrl,
  credential: Credential,
  hash: string,
  known: Known,
  strict: false | Asked = false,
): Promise<Match | Denial> {
  known.authenticated = false;
  const warm = strict === false ? keyInMemory(trip, hash) : undefined;
  const found = warm ?? (await findKey(trip, credential.key, hash, strict));
  const refusal = isDenial(found) ? found : stateProblem(found, Date.now());
  if (!isDenial(found)) {
    known.record = found;
    trip.journey.account_id = found.account_id;
    trip.journey.key_id = found.id;
  }
  if (refusal !== null) {
    // Where nothing may rest on what was known before, a refusal may not either: the key may have been
    // made, enabled or given more time since.
    if (strict === false && mayHavePassed(trip, refusal, credential) && (await leadsToStrict(trip, url))) {
      return admit(trip, url, credential, hash, known, await askAnew(trip, hash));
    }
    return refusal;
  }
  const record = found as KeyRecord;

  let place = lookUpEndpoint(trip, url, strict);
  if (place instanceof Promise) place = await place;
  const target = visibleTo(record, place);
  if (credential.source === "query" && (isDenial(target) || !target.endpoint.allow_query_key)) {
    return QUERY_KEY_REFUSED;
  }
  known.authenticated = true;
  if (isDenial(target)) return target;
  known.endpoint = target.endpoint;
  trip.journey.endpoint_id = countedId(target, record);
  if (target.endpoint.freshness !== "strict" || strict !== false) return target;
  return admit(trip, url, credential, hash, known, await askAnew(trip, hash));
}

/** Asks the shards of the key and of the endpoints for what is in force now. */
async function askAnew(trip: Trip, hash: string): Promise<Asked> {
  const { freshness, keys } = trip.isolate;
  const began = Date.now();
  const asked = await freshness.ask([keys.shard(hash), ENDPOINT_SHARD], trip.world);
  trip.journey.postern_ms += Date.now() - began;
  return asked;
}

/** Whether a change may have lifted a refusal. Revoked is for ever; forged keys and unknown legacy ones cost no more. */
function mayHavePassed(trip: Trip, refusal: Denial, { key }: Credential): boolean {
  if (refusal.code !== "invalid_api_key") return false;
  if (refusal.reason === "unknown") return trip.isolate.keyFormat.classify(key).kind === "native";
  return ["disabled", "expired", "account_suspended"].includes(refusal.reason);
}

async function leadsToStrict(trip: Trip, url: RequestUrl): Promise<boolean> {
  const found = await lookUpEndpoint(trip, url);
  return found !== null && found !== "unavailable" && found.endpoint.freshness === "strict";
}

/**
 * The id a use is counted under. Under a wildcard clients choose the ids: only those that the key's own
 * permissions name get a count of their own, so that nobody can fill the usage table.
 */
function countedId({ endpoint, id, wildcard }: Match, { permissions: { inference } }: KeyRecord): string {
  const named = typeof inference === "object" && Object.hasOwn(inference.endpoints, id);
  return wildcard && !named ? endpoint.id : id;
}

/** Job queues have no WebSockets: there the wish is ignored, and the rest answered (RFC 9110 section 7.8). */
function asksForWebSocket(method: string, headers: HeaderLookup): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** The endpoint a path leads to, whoever may see it; at once where memory has it. */
function lookUpEndpoint(trip: Trip, url: RequestUrl, strict: false | Asked = false): Found | Promise<Found> {
  const { freshness } = trip.isolate;
  const warmNode = (path: string) => freshness.peek(NODE_KIND, path, trip.now, trip.world);
  if (strict === false) {
    const warm = walk(url.segments, warmNode);
    if (warm === null || "endpoint" in warm) return warm;
  }
  return match(url.segments, async (path) => {
    const warm = strict === false ? warmNode(path) : undefined;
    if (warm !== undefined) return warm;
    const began = Date.now();
    const found = await freshness.get(NODE_KIND, path, trip.world, { strict });
    trip.journey.postern_ms += Date.now() - began;
    return found === "unavailable" || found.value === null ? "unavailable" : found.value;
  });
}

type Found = Match | null | "unavailable";

/** The endpoint a path leads to, if the key's account may see it (spec 2.3). */
function visibleTo(record: KeyRecord, found: Found): Match | Denial {
  if (found === "unavailable") return { code: "state_unavailable" };
  if (found === null) return { code: "endpoint_not_found" };
  const { account_id } = found.endpoint;
  return account_id === null || account_id === record.account_id ? found : { code: "endpoint_not_found" };
}

/** Whether a key that was let in would be let in still: asked every few seconds while a stream runs. */
async function isStillValid(trip: Trip, hash: string): Promise<boolean> {
  const found = await trip.isolate.freshness.get(trip.isolate.keys, hash, trip.world);
  return found !== "unavailable" && found.value !== null && stateProblem(found.value, Date.now()) === null;
}

/**
 * Anybody may ask, without a key: what is not in memory is looked up only while the client's address has
 * some of its limit left.
 */
async function answerPreflight(trip: Trip, url: RequestUrl): Promise<Response> {
  const { headers } = trip.request;
  const { freshness } = trip.isolate;
  const asks = headers.has("origin") && headers.has("access-control-request-method");
  const found = !asks
    ? null
    : await match(url.segments, async (path) => {
        const warm = freshness.peek(NODE_KIND, path, trip.now, trip.world);
        if (warm !== undefined) return warm;
        if (!(await hasLimitLeft(trip, "preflight"))) return "unavailable";
        const node = await freshness.get(NODE_KIND, path, trip.world);
        return node === "unavailable" || node.value === null ? "unavailable" : node.value;
      });
  trip.journey.decision = "allow";
  const endpoint = found === null || found === "unavailable" ? null : found.endpoint;
  return preflight(endpoint, headers, trip.requestId);
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
