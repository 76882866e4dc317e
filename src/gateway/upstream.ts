import type { Denial } from "../denial.ts";
import { ORIGIN_SECRET } from "../endpoints/endpoint.ts";
import { originProblem } from "../endpoints/origin.ts";
import { type HeaderEntries, lookupIn } from "../http/header-entries.ts";
import type { RequestUrl } from "../http/url.ts";
import type { Isolate } from "../isolate.ts";
import { type Credential, withoutKey } from "../journey/credential.ts";
import type { Trip } from "../journey/trip.ts";
import type { KeyRecord } from "../keys/record.ts";
import { oncePerConfig } from "../once-per-config.ts";
import type { Decision } from "./decide.ts";
import { SHORT_BODY, type Upstream } from "./forward.ts";
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

const CREDENTIAL_MISSING =
  "The endpoint's origin credential is not configured: whoever runs this gateway must set the secret that the endpoint names";

/**
 * The request to the origin. Its path is built from the segments that were matched and judged, its headers
 * from those that may pass, its GraphQL body from what was parsed.
 */
export function prepareUpstream(trip: Trip, allowed: Allowed): Upstream | Denial {
  const { request, env, isolate, requestId } = trip;
  const { method } = trip.journey;
  const { url, credential, record, target, tail, decision, judged, upgrade } = allowed;
  const { endpoint, id, depth, wildcard } = target;

  // Judged again at use: a record may be older than the rules, or written past them.
  if (!isAllowedOrigin(isolate, decision.origin, url.host)) {
    return { code: "origin_unreachable", detail: "The endpoint's origin is not allowed" };
  }
  const { origin } = decision;
  const originBase = (origin.endsWith("/") ? origin.slice(0, -1) : origin) + (wildcard ? `/${id}` : "");
  const path = (tail.length === 0 ? "" : `/${tail.join("/")}`) + (url.trailingSlash ? "/" : "");
  const query =
    judged !== null ? judged.query : credential.source === "query" ? withoutKey(url.query) : url.query;

  const headers = upstreamHeaders(allowed.entries, {
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
    clientIpHeader: isolate.config.CLIENT_IP_HEADER,
  });
  if (endpoint.credential !== null) {
    // Judged again at use, like the origin.
    const { header, scheme, secret } = endpoint.credential;
    const value = ORIGIN_SECRET.test(secret) ? env[secret] : undefined;
    if (typeof value !== "string" || value === "") {
      // Which secret is missing, the operator reads in the log; the client only that it is not its own fault.
      const message = "origin credential is not configured";
      console.error(JSON.stringify({ message, request_id: requestId, endpoint_id: endpoint.id, secret }));
      return { code: "origin_unreachable", detail: CREDENTIAL_MISSING };
    }
    headers[header.toLowerCase()] = scheme === undefined ? value : `${scheme} ${value}`;
  }
  let body: BodyInit | null = method === "GET" || method === "HEAD" ? null : request.body;
  if (judged?.body != null) {
    body = judged.body;
    headers["content-type"] = "application/json";
    delete headers["content-encoding"];
  }
  if (upgrade) headers.upgrade = "websocket";
  const prefix = url.segments.slice(0, depth).join("/");
  return {
    url: originBase + path + (query === "" ? "" : `?${query}`),
    method,
    headers,
    body,
    websocket: upgrade,
    endpoint,
    longUpload: body !== null && judged?.body == null && !isShort(allowed.entries),
    publicBase: `${url.scheme}://${url.host}/${prefix}`,
    originBase,
    requestId,
  };
}

/** Whether a request says that its body is a short one. */
function isShort(entries: HeaderEntries): boolean {
  const length = lookupIn(entries).get("content-length");
  return length !== null && Number(length) <= SHORT_BODY;
}

/** The assertion of who calls, for origins that ask for one (spec 2.7). */
export function assertionFor(
  { isolate, now }: Trip,
  { record, target, decision }: Pick<Allowed, "record" | "target" | "decision">,
): Promise<string> {
  return isolate.assertions.of(
    {
      accountId: record.account_id,
      keyId: record.id,
      environment: record.environment,
      access: decision.access,
      endpointId: target.id,
      expiresAt: record.expires_at,
    },
    now,
  );
}

/** Judgements that are remembered; clients choose the host names. */
const MOST_JUDGED = 1000;
/** In characters; what is longer is judged each time. */
const LONGEST_JUDGED = 500;

/** What was judged of origins, by origin and the host that the client named. */
const judgedOrigins = oncePerConfig(() => new Map<string, boolean>());

/** Whether an origin may be forwarded to by a gateway that is reached under `host`. */
function isAllowedOrigin({ config, ownHosts }: Isolate, origin: string, host: string): boolean {
  const judged = judgedOrigins(config);
  const name = `${host} ${origin}`;
  let allowed = judged.get(name);
  if (allowed === undefined) {
    const rules = { insecureHosts: config.INSECURE_ORIGIN_HOSTS, ownHosts: [host, ...ownHosts] };
    allowed = originProblem(origin, rules) === null;
    if (judged.size >= MOST_JUDGED) judged.clear();
    if (name.length <= LONGEST_JUDGED) judged.set(name, allowed);
  }
  return allowed;
}
