import type { Denial } from "../denial.ts";
import type { HeaderLookup } from "../http/header-entries.ts";
import { decodeQuery, queryPairs, type RequestUrl } from "../http/url.ts";

/** A key as presented, and where. */
export interface Credential {
  key: string;
  source: "header" | "query";
}

/** Longest key that is looked at (spec 2.1). */
const MAX_KEY = 512;
/** A shorter one may stand in a URL by chance. */
const LEAST_TELLING_KEY = 16;

// Printable ASCII without spaces. A byte outside ASCII arrives as U+FFFD, so that different keys would
// look alike; a header sent twice arrives joined by ", ", so no key holds a comma.
const KEY = /^[\x21-\x2b\x2d-\x7e]+$/;
const BEARER = /^bearer(?: +(.*))?$/i;
/** An `Authorization` of another scheme: its name, then what goes with it (RFC 9110 section 11.4). */
const OTHER_SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ /;

const bad = (detail: string): Denial => ({ code: "invalid_request", detail });

// Says nothing of what was sent: a scheme that is none may be part of a key.
const ACCEPTED_FORMS =
  "An API key is presented as `Authorization: Bearer KEY`, `Authorization: KEY` or `x-api-key: KEY`, not under another scheme";

/**
 * The one credential of a request (spec 2.1): `x-api-key`, `Authorization: Bearer KEY`, a bare
 * `Authorization: KEY`, or `?api_key=` (whether the endpoint allows that is judged later).
 */
export function readCredential(headers: HeaderLookup, query: string): Credential | Denial {
  const xApiKey = headers.get("x-api-key");
  const authorization = headers.get("authorization");
  const queryKeys = query.length < 8 ? [] : queryPairs(query).filter((pair) => pair.name === "api_key");
  const sources = (xApiKey === null ? 0 : 1) + (authorization === null ? 0 : 1) + queryKeys.length;
  if (sources === 0) return { code: "invalid_api_key", reason: "missing" };
  if (sources > 1) return bad("More than one credential was presented");

  if (queryKeys[0] !== undefined) {
    const key = decodeQuery(queryKeys[0].value);
    return key === null ? bad("The API key is not valid text") : checked(key, "query");
  }
  if (xApiKey !== null) return checked(xApiKey, "header");
  const bearer = BEARER.exec(authorization as string);
  if (bearer === null && OTHER_SCHEME.test(authorization as string)) return bad(ACCEPTED_FORMS);
  return checked(bearer === null ? (authorization as string) : (bearer[1] ?? ""), "header");
}

function checked(key: string, source: Credential["source"]): Credential | Denial {
  if (key === "") return { code: "invalid_api_key", reason: "missing" };
  if (!KEY.test(key)) return bad("The API key must be printable ASCII without spaces, presented once");
  if (key.length > MAX_KEY) return { code: "invalid_api_key", reason: "malformed" };
  return { key, source };
}

/** The query without the key, for the origin. */
export function withoutKey(query: string): string {
  return queryPairs(query)
    .filter((pair) => pair.name !== "api_key")
    .map((pair) => pair.raw)
    .join("&");
}

/** Whether the URL that would be forwarded holds the key, as it is or percent-encoded. */
export function holdsKey(url: RequestUrl, { key, source }: Credential): boolean {
  if (key.length < LEAST_TELLING_KEY) return false;
  const text = `${url.segments.join("/")}?${source === "query" ? withoutKey(url.query) : url.query}`;
  return holdsText(text, key);
}

/** Whether a text holds a key, as it is or percent-encoded. */
export function holdsText(text: string, key: string): boolean {
  return text.includes(key) || (text.includes("%") && decodedAscii(text).includes(key));
}

/** Percent-decoded once. A key is ASCII, and what surrounds it need not be valid: every escape is read by itself. */
export function decodedAscii(text: string): string {
  return text.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
