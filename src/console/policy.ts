/** Nothing runs or loads but the console's own two files; no page may frame it; forms go nowhere else. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer of the console. */
const HEADERS: Record<string, string> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not `no-referrer`: with that, browsers send `Origin: null` even to ourselves (Fetch, "append a request Origin header").
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Adds the console's headers. What a response says itself about caching and its referrer stands. */
export function withPolicy(response: Response, requestId: string): Response {
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(HEADERS)) {
    if (name !== "referrer-policy" || !answer.headers.has(name)) answer.headers.set(name, value);
  }
  if (!answer.headers.has("cache-control")) answer.headers.set("cache-control", "no-store");
  answer.headers.set("x-request-id", requestId);
  return answer;
}
