/**
 * Nothing runs or loads but the console's own two files, and forms go to the console alone: what an origin
 * answers under the same host is not to be had, even by markup that should get into a page. No page may frame it.
 * @param origin scheme and host the person sees; null when it is not known
 */
function policyOf(origin: string | null): string {
  // A source with a path needs a host, and the grammar has none for IPv6 (CSP 3 section 2.3.1).
  const own = origin === null || origin.includes("[") ? null : `${origin}/console/`;
  const source = (path: string) => (own === null ? "'self'" : own + path);
  return [
    "default-src 'none'",
    `style-src ${source("style.css")}`,
    `script-src ${source("script.js")}`,
    "img-src data:",
    `connect-src ${source("")}`,
    `form-action ${source("")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Headers of every answer of the console. */
const HEADERS: Record<string, string> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not `no-referrer`: with that, browsers send `Origin: null` even to ourselves (Fetch, "append a request Origin header").
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Adds the console's headers. What a response says itself about caching and its referrer stands. */
export function withPolicy(response: Response, origin: string | null, requestId: string): Response {
  const answer = new Response(response.body, response);
  answer.headers.set("content-security-policy", policyOf(origin));
  for (const [name, value] of Object.entries(HEADERS)) {
    if (name !== "referrer-policy" || !answer.headers.has(name)) answer.headers.set(name, value);
  }
  if (origin?.startsWith("https:")) answer.headers.set("strict-transport-security", "max-age=31536000");
  if (!answer.headers.has("cache-control")) answer.headers.set("cache-control", "no-store");
  answer.headers.set("x-request-id", requestId);
  return answer;
}
