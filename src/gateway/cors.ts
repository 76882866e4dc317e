import type { Endpoint } from "../endpoints/endpoint.ts";

const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~,\s-]{0,1024}$/;

/** The origin of a web page that the endpoint's record lists, or null. Never `*`, never `null`. */
function allowedOrigin(endpoint: Endpoint | null, headers: Headers): string | null {
  if (endpoint === null || endpoint.cors === null) return null;
  const origin = headers.get("origin");
  return origin !== null && origin !== "null" && endpoint.cors.origins.includes(origin) ? origin : null;
}

/** Lets pages of the listed origins read a response (WHATWG Fetch, CORS protocol). */
export function addCors(response: Headers, endpoint: Endpoint | null, request: Headers): void {
  if (endpoint === null || endpoint.cors === null) return;
  response.append("vary", "origin");
  allowOrigin(response, endpoint, request);
}

function allowOrigin(response: Headers, endpoint: Endpoint | null, request: Headers): void {
  const origin = allowedOrigin(endpoint, request);
  if (origin === null) return;
  response.set("access-control-allow-origin", origin);
  response.set("access-control-expose-headers", "x-request-id, server-timing, retry-after");
}

/** The answer to every `OPTIONS`: 204, with permissions only for listed origins. */
export function preflight(endpoint: Endpoint | null, request: Headers, requestId: string): Response {
  const headers = new Headers({ "x-request-id": requestId, "cache-control": "no-store", vary: "origin" });
  allowOrigin(headers, endpoint, request);
  if (headers.has("access-control-allow-origin")) {
    headers.set("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    const asked = request.get("access-control-request-headers");
    if (asked !== null && HEADER_NAMES.test(asked)) headers.set("access-control-allow-headers", asked);
    headers.set("access-control-max-age", "600");
  }
  return new Response(null, { status: 204, headers });
}
