import { type HeaderEntries, lookupIn } from "../http/header-entries.ts";
import { HOP_BY_HOP } from "../http/hop-by-hop.ts";
import { holdsText } from "../journey/credential.ts";

/**
 * Headers no origin is ever sent from a client: credentials, what proxies and frameworks trust, what is
 * about one connection only (spec 2.7).
 */
const DROPPED = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "x-api-key",
  "cookie",
  "host",
  "content-length", // set again by fetch, from the body that is really sent
  "expect",
  "forwarded",
  "x-real-ip",
  "client-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "fastly-client-ip",
  "x-method-override",
  "x-override-url",
  "x-http-host-override",
  "x-host",
  "x-scheme",
  "x-script-name",
  "x-request-id",
  "x-sendfile",
  "set-cookie", // no header of requests
  "proxy", // becomes HTTP_PROXY under CGI ("httpoxy")
  "destination",
]);

// Names that proxies and frameworks trust: who the user is, which path or host is meant, what to do.
const DROPPED_PREFIXES =
  /^(?:x-postern-|x-forwarded|x-http-method|x-original-|x-rewrite-|x-envoy-|x-middleware-|x-accel-|x-azure-|x-auth-request-|x-ssl-|x-remote-|remote-|impersonate-|cf-|proxy-)/;

/** What is known of header names that were met before, up to so many: most requests bring the same few. */
const MOST_NAMES = 1000;
/** In characters; longer names are looked at each time. */
const LONGEST_NAME = 64;

/** Remembers what a rule says of a name. */
function remembering(rule: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = rule(name);
      if (known.size >= MOST_NAMES) known.clear(); // clients choose the names
      if (name.length <= LONGEST_NAME) known.set(name, answer);
    }
    return answer;
  };
}

/** Whether a client's header never reaches the origin. */
const isDropped = remembering(
  // CGI and WSGI make an underscore of a hyphen, and some of them of whatever else a name may hold (lighttpd,
  // PHP): `x_postern.key-id` would read as ours.
  (name) => DROPPED.has(name) || /[^a-z\d-]/.test(name) || DROPPED_PREFIXES.test(name),
);

/** What Postern tells the origin about the caller. */
export interface Identity {
  requestId: string;
  accountId: string;
  keyId: string;
  environment: string;
  access: "read" | "read_write";
}

export interface UpstreamHeaderOptions {
  identity: Identity;
  /** The key as presented: no header that holds it is passed on, whatever its name. */
  key: string;
  /** Whether it was presented in the URL: then pages send that URL on by themselves, as `Referer`. */
  keyInUrl: boolean;
  scheme: string;
  host: string;
  /** Header in which the platform reports the client's address, lower case. */
  clientIpHeader: string | undefined;
}

/**
 * The headers of the request to the origin, from those of the client's. A plain record: the platform reads
 * one in one go, where each change of a `Headers` object is a call of its own.
 */
export function upstreamHeaders(
  entries: HeaderEntries,
  options: UpstreamHeaderOptions,
): Record<string, string> {
  const { identity, key } = options;
  const given = lookupIn(entries);
  const named = connectionOptions(given.get("connection"));
  const headers: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (isDropped(name) || named.has(name) || holdsText(value, key)) continue;
    if (name === "referer" && options.keyInUrl) continue;
    headers[name] = value;
  }
  const address = options.clientIpHeader === undefined ? null : given.get(options.clientIpHeader);
  if (address) headers["x-forwarded-for"] = address;
  headers["x-forwarded-proto"] = options.scheme;
  headers["x-forwarded-host"] = options.host;
  headers["x-request-id"] = identity.requestId;
  headers["x-postern-account"] = identity.accountId;
  headers["x-postern-key-id"] = identity.keyId;
  headers["x-postern-environment"] = identity.environment;
  headers["x-postern-access"] = identity.access;
  return headers;
}

const NONE: ReadonlySet<string> = new Set();

/** Headers that `Connection` names are hop-by-hop too (RFC 9110 section 7.6.1). */
function connectionOptions(connection: string | null): ReadonlySet<string> {
  if (connection === null || connection === "keep-alive" || connection === "close") return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

/** Headers of an origin that would act on the gateway's host or on caches, or say more than its answer. */
const REMOVED_FROM_RESPONSE = new Set([
  ...HOP_BY_HOP,
  "set-cookie",
  "set-cookie2",
  "set-login",
  "clear-site-data",
  "service-worker-allowed",
  "alt-svc",
  "server",
  "x-powered-by",
  "www-authenticate",
  "refresh",
  "strict-transport-security",
  "public-key-pins",
  "reporting-endpoints",
  "report-to",
  "nel",
  "expires",
  "pragma",
  "no-vary-search",
  "accept-ch",
  "critical-ch",
  "origin-agent-cluster",
  "use-as-dictionary",
  "speculation-rules",
  "supports-loading-mode",
  "activate-storage-access",
  "content-security-policy-report-only",
  "timing-allow-origin",
  "expect-ct",
  // Sessions bound to a device's key: the browser would keep one for the gateway's host, and renew it by itself.
  "secure-session-registration",
  "secure-session-challenge",
  "sec-session-registration",
  "sec-session-challenge",
  // Features and storage of the browser that an origin may not switch on, or write, for the host.
  "origin-trial",
  "shared-storage-write",
  "observe-browsing-topics",
  "ad-auction-allowed",
]);

// RFC 9213 lets CDN-Cache-Control and its kin overrule Cache-Control; X-Accel-* and X-Sendfile command a proxy.
const REMOVED_PREFIXES =
  /^(?:access-control-|x-postern-|surrogate-|edge-|x-accel-|x-sendfile|x-lighttpd-|attribution-reporting-)|-cache-control$/;

/** Whether an origin's header never reaches the client. */
const isRemoved = remembering((name) => REMOVED_FROM_RESPONSE.has(name) || REMOVED_PREFIXES.test(name));

/** What of an origin's response head decides how it is passed on. */
export interface OriginHead {
  /** Names of the headers that the client must not see. */
  removed: string[];
  location: string | null;
  /** `Content-Length`, in bytes; null where there is none that can be read. */
  length: number | null;
}

/** Reads the head of an origin's response, in one pass. */
export function readOriginHead(from: Headers): OriginHead {
  const head: OriginHead = { removed: [], location: null, length: null };
  let named = NONE;
  from.forEach((value, name) => {
    if (isRemoved(name)) {
      head.removed.push(name);
      if (name === "connection") named = connectionOptions(value);
    } else if (name === "location") {
      head.location = value;
    } else if (name === "content-length") {
      head.length = /^\d{1,15}$/.test(value) ? Number(value) : null;
    }
  });
  if (named.size > 0) {
    from.forEach((_, name) => {
      if (named.has(name)) head.removed.push(name);
    });
  }
  return head;
}

/**
 * Makes an origin's headers what the client may see.
 * @param headers a copy of those that `head` was read from; changed in place
 */
export function dressForClient(headers: Headers, head: OriginHead, requestId: string): void {
  for (const name of head.removed) headers.delete(name);
  // The console lives on the same host: an origin's answer must never run there, or be kept by a cache.
  headers.set("cache-control", "private, no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "sandbox; default-src 'none'");
  headers.set("x-request-id", requestId);
}
