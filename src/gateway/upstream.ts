import type { Denial } from "../denial.ts";
import { originProblem } from "../endpoints/origin.ts";
import type { HeaderEntries } from "../http/header-entries.ts";
import type { RequestUrl } from "../http/url.ts";
import { type Credential, withoutKey } from "../journey/credential.ts";
import type { Trip } from "../journey/trip.ts";
import type { KeyRecord } from "../keys/record.ts";
import type { Decision } from "./decide.ts";
import type { Upstream } from "./forward.ts";
import type { Judged } from "./graphql/index.ts";
import { upstreamHeaders } from "./headers.ts";
import type { Match } from "./match.ts";

/** Everything the journey found out, for the request that goes out. */
export interface Allowed {
  url: RequestUrl;
  entries: HeaderEntries;
  credential: Credential;
  record: KeyRecord;
  target: Match;
  /** Path segments below the endpoint's prefix, as sent. */
  tail: readonly string[];
  decision: Decision;
  judged: Judged | null;
  upgrade: boolean;
}

/**
 * The request to the origin. Its path is built from the segments that were matched and judged, its headers
 * from those that may pass, its GraphQL body from what was parsed.
 */
export async function prepareUpstream(trip: Trip, allowed: Allowed): Promise<Upstream | Denial> {
  const { request, env, isolate, requestId } = trip;
  const { url, credential, record, target, tail, decision, judged, upgrade } = allowed;
  const { endpoint, id, depth, wildcard } = target;
  const { config } = isolate;

  // Judged again at use: a record may be older than the rules, or written past them.
  const ownHosts = [url.host, ...isolate.ownHosts];
  if (originProblem(decision.origin, { insecureHosts: config.INSECURE_ORIGIN_HOSTS, ownHosts }) !== null) {
    return { code: "origin_unreachable", detail: "The endpoint's origin is not allowed" };
  }
  const originBase = decision.origin.replace(/\/$/, "") + (wildcard ? `/${id}` : "");
  const path = tail.map((segment) => `/${segment}`).join("") + (url.trailingSlash ? "/" : "");
  const query =
    judged !== null ? judged.query : credential.source === "query" ? withoutKey(url.query) : url.query;

  const headers = upstreamHeaders(allowed.entries, request.headers, {
    identity: {
      requestId,
      accountId: record.account_id,
      keyId: record.id,
      environment: record.environment,
      access: decision.access,
    },
    key: credential.key,
    keyInUrl: credential.source === "query",
    scheme: url.scheme,
    host: url.host,
    clientIpHeader: config.CLIENT_IP_HEADER,
  });
  if (endpoint.credential !== null) {
    const value = env[endpoint.credential.secret];
    if (typeof value !== "string" || value === "") {
      console.error(
        JSON.stringify({ message: "origin credential is not configured", endpoint_id: endpoint.id }),
      );
      return { code: "origin_unreachable", detail: "The endpoint's origin credential is not configured" };
    }
    const { header, scheme } = endpoint.credential;
    headers.set(header, scheme === undefined ? value : `${scheme} ${value}`);
  }
  if (endpoint.assertion) {
    const caller = {
      accountId: record.account_id,
      keyId: record.id,
      environment: record.environment,
      access: decision.access,
      endpointId: id,
      expiresAt: record.expires_at,
    };
    headers.set("x-postern-assertion", await isolate.assertions.of(caller, trip.now));
  }
  let body: BodyInit | null = request.method === "GET" || request.method === "HEAD" ? null : request.body;
  if (judged?.body != null) {
    body = judged.body;
    headers.set("content-type", "application/json");
    headers.delete("content-encoding");
  }
  if (upgrade) headers.set("upgrade", "websocket");
  const prefix = url.segments.slice(0, depth).join("/");
  return {
    url: originBase + path + (query === "" ? "" : `?${query}`),
    method: request.method,
    headers,
    body,
    websocket: upgrade,
    endpoint,
    publicBase: `${url.scheme}://${url.host}/${prefix}`,
    originBase,
    requestId,
  };
}
