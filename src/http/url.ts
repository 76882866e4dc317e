import type { Denial } from "../denial.ts";

/** Longest URL that is read, in characters (spec 2). */
const MAX_URL = 8 * 1024;

/** The one reading of a request's URL that matching, classification and forwarding share. */
export interface RequestUrl {
  /** Path segments exactly as sent, each non-empty and valid; `/a/b` is `["a", "b"]`. */
  segments: readonly string[];
  trailingSlash: boolean;
  /** Whether any segment holds a percent-encoding (and so a second reading, see `decodedParts`). */
  encoded: boolean;
  /** The query as sent, without its question mark; empty when there is none. */
  query: string;
  scheme: string;
  /** The `Host` the client named. */
  host: string;
}

// RFC 3986 section 3.3: pchar without pct-encoded, and what clients send as it is all the same (browsers
// brackets, Node a bar). `%` is looked at more closely below.
const PLAIN_PATH = /^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@[\]^{|}]+)*\/?$/;
const ENCODED_PATH = /^(?:\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@[\]^{|}]|%[0-9A-Fa-f]{2})+)*\/?$/;
// With a path parameter (`..;x`) too: Java servers drop the parameter, then climb; of `;x` nothing is left.
const DOT_SEGMENT = /\/(?:\.{0,2};|\.{1,2}(?:\/|$))/;
// What a query may hold as sent: printable ASCII. RFC 3986 is narrower, but real clients are not.
const QUERY = /^[\x21-\x22\x24-\x7e]*$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
// What of them may yet be no host to a URL: 127.999.0.1, [:::], port 99999.
const DOUBTFUL_HOST = /(?:[\d\]]|0x[\da-f]*)\.?$/i;

const bad = (detail: string): Denial => ({ code: "invalid_request", detail });

/**
 * Reads `request.url` once, from the raw string: `new URL()` would resolve `..` and `%2e%2e` before
 * anything could look at them, and `fetch` does so on the way out.
 * @param served the host names the gateway answers to, lower case, whatever the port; empty for any
 */
export function readUrl(
  raw: string,
  hostHeader: string | null,
  served: readonly string[],
): RequestUrl | Denial {
  if (raw.length > MAX_URL) return { code: "uri_too_long" };
  const afterScheme = raw.indexOf("://") + 3;
  const pathStart = raw.indexOf("/", afterScheme);
  if (pathStart === -1) return bad("Malformed URL");
  const host = raw.slice(afterScheme, pathStart);
  // A Host such as `gw.test/v2/x?` would move the path; the runtime does not refuse it.
  if (!HOST.test(host) || (hostHeader !== null && hostHeader !== host)) return bad("Malformed Host header");
  if (DOUBTFUL_HOST.test(host) && !URL.canParse(`http://${host}`)) return bad("Malformed Host header");
  if (served.length > 0 && !served.includes(host.toLowerCase().replace(/:\d+$/, "")))
    return { code: "unknown_host" };
  const queryStart = raw.indexOf("?", pathStart);
  const path = queryStart === -1 ? raw.slice(pathStart) : raw.slice(pathStart, queryStart);
  const query = queryStart === -1 ? "" : raw.slice(queryStart + 1);
  if (!QUERY.test(query)) return bad("The query holds characters that must be percent-encoded");
  const encoded = path.includes("%");
  if (!(encoded ? ENCODED_PATH : PLAIN_PATH).test(path)) {
    return bad("The path holds an empty segment or characters that are not allowed in it");
  }
  if (DOT_SEGMENT.test(path)) return bad("The path holds a dot segment");
  const trailingSlash = path.length > 1 && path.endsWith("/");
  const segments = path === "/" ? [] : path.slice(1, trailingSlash ? -1 : undefined).split("/");
  if (encoded && !segments.every(soundWhenDecoded)) {
    return bad("The path holds a percent-encoding that is not allowed in it");
  }
  return { segments, trailingSlash, encoded, query, scheme: raw.slice(0, afterScheme - 3), host };
}

/** Whether a segment, decoded once and split at slashes again, still names one harmless thing. */
export function soundWhenDecoded(segment: string): boolean {
  if (!segment.includes("%")) return true;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return false; // not UTF-8
  }
  if (/[\x00-\x1f\x7f-\x9f\\]/.test(decoded)) return false;
  return decoded.split("/").every((part) => part !== "" && !/^(?:\.{0,2};|\.{1,2}$)/.test(part));
}

/** The path as an origin that decodes before it splits would see it. */
export function decodedParts(segments: readonly string[]): string[] {
  return segments.flatMap((segment) => decodeURIComponent(segment).split("/"));
}

/** Whether a segment holds an encoded slash. */
export function hasEncodedSlash(segment: string): boolean {
  return /%2f/i.test(segment);
}

/** One `name=value` pair of a query, as sent, with its decoded name. */
export interface QueryPair {
  name: string;
  raw: string;
  /** The value as sent. */
  value: string;
}

/** Splits a query at `&`. A name that does not decode is kept as sent: it can equal no known name. */
export function queryPairs(query: string): QueryPair[] {
  if (query === "") return [];
  return query.split("&").map((raw) => {
    const equals = raw.indexOf("=");
    const name = equals === -1 ? raw : raw.slice(0, equals);
    return { name: decodeQuery(name) ?? name, raw, value: equals === -1 ? "" : raw.slice(equals + 1) };
  });
}

/** Decodes a query name or value (`+` is a space); null when its percent-encoding is not UTF-8. */
export function decodeQuery(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
