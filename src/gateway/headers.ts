import type { HeaderEntries } from "../http/header-entries.ts";
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
  "proxy", // becomes HTTP_PROXY under CGI ("httpoxy")
  "destination",
]);

// Names that proxies and frameworks trust: who the user is, which path or host is meant, what to do.
const DROPPED_PREFIXES =
  /^(?:x-postern-|x-forwarded|x-http-method|x-original-|x-rewrite-|x-envoy-|x-middleware-|x-accel-|x-azure-|x-auth-request-|x-ssl-|x-remote-|remote-|impersonate-|cf-|proxy-)/;

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

/** The headers of the request to the origin, from those of the client's. */
export function upstreamHeaders(
  entries: HeaderEntries,
  from: Headers,
  options: UpstreamHeaderOptions,
): Headers {
  const { identity, key } = options;
  const named = connectionOptions(from);
  const headers = new Headers();
  for (const [name, value] of entries) {
    // An underscore is a hyphen to CGI and WSGI: `x_postern_key_id` would read as ours.
    if (DROPPED.has(name) || name.includes("_") || DROPPED_PREFIXES.test(name)) continue;
    if (named.has(name) || holdsText(value, key)) continue;
    if (name === "referer" && options.keyInUrl) continue;
    headers.append(name, value);
  }
  const address = options.clientIpHeader === undefined ? null : from.get(options.clientIpHeader);
  if (address !== null) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", options.scheme);
  headers.set("x-forwarded-host", options.host);
  headers.set("x-request-id", identity.requestId);
  headers.set("x-postern-account", identity.accountId);
  headers.set("x-postern-key-id", identity.keyId);
  headers.set("x-postern-environment", identity.environment);
  headers.set("x-postern-access", identity.access);
  return headers;
}

const NONE: ReadonlySet<string> = new Set();

/** Headers that `Connection` names are hop-by-hop too (RFC 9110 section 7.6.1). */
function connectionOptions(headers: Headers): ReadonlySet<string> {
  const connection = headers.get("connection");
  if (connection === null) return NONE;
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
  "server-timing",
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
]);

// RFC 9213 lets CDN-Cache-Control and its kin overrule Cache-Control; X-Accel-* and X-Sendfile command a proxy.
const REMOVED_PREFIXES =
  /^(?:access-control-|x-postern-|surrogate-|edge-|x-accel-|x-sendfile|x-lighttpd-|attribution-reporting-)|-cache-control$/;

/** The headers of the response to the client, from those of the origin's. */
export function clientHeaders(from: Headers, requestId: string): Headers {
  const named = connectionOptions(from);
  const headers = new Headers();
  for (const [name, value] of from) {
    if (REMOVED_FROM_RESPONSE.has(name) || REMOVED_PREFIXES.test(name) || named.has(name)) continue;
    headers.append(name, value);
  }
  // The console lives on the same host: an origin's answer must never run there, or be kept by a cache.
  headers.set("cache-control", "private, no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "sandbox; default-src 'none'");
  headers.set("x-request-id", requestId);
  return headers;
}
