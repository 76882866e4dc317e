/**
 * What spec 2.7 asks of any gateway's requests and responses, and nothing else: no key is looked at, nothing
 * is decided. The distance from `bare` to here is the price of the rules themselves on this runtime; the
 * distance from here to Postern is the price of deciding. `STEPS` stops short of the last ones, so that each
 * can be priced (bench/steps.ts).
 */
const DROPPED = new Set(["authorization", "x-api-key", "host", "content-length", "connection", "cookie"]);
const REMOVED = new Set(["set-cookie", "server", "x-powered-by", "connection"]);
const TIMEOUT = 120_000;

/** The steps, in the order in which they are added. */
const [HEADERS, NO_STORE, SIGNAL, TIMER, COPY, RESPONSE_HEADERS] = [1, 2, 3, 4, 5, 6] as const;

export default {
  async fetch(request: Request, env: { ORIGIN: string; STEPS?: string }): Promise<Response> {
    const steps = env.STEPS === undefined ? RESPONSE_HEADERS : Number(env.STEPS);
    const { url, method } = request;
    const get = method === "GET" || method === "HEAD";
    const id = crypto.randomUUID();
    const init: RequestInit = { method, body: get ? null : request.body, redirect: "manual" };
    if (steps >= HEADERS) init.headers = headersOf(request, id);
    if (steps >= NO_STORE && get) init.cache = "no-store";
    if (steps >= SIGNAL) init.signal = request.signal;
    if (steps >= TIMER) setTimeout(() => {}, TIMEOUT);
    const response = await fetch(env.ORIGIN + url.slice(url.indexOf("/", url.indexOf("://") + 3)), init);
    if (steps < COPY) return response;
    const answer = new Response(response.body, response);
    if (steps >= RESPONSE_HEADERS) dress(answer.headers, response.headers, id);
    return answer;
  },
};

function headersOf(request: Request, id: string): Record<string, string> {
  const headers: Record<string, string> = {};
  request.headers.forEach((value, name) => {
    if (!DROPPED.has(name)) headers[name] = value;
  });
  headers["x-forwarded-proto"] = "http";
  headers["x-forwarded-host"] = "127.0.0.1";
  headers["x-request-id"] = id;
  headers["x-postern-account"] = "bench";
  headers["x-postern-key-id"] = "full";
  headers["x-postern-environment"] = "production";
  headers["x-postern-access"] = "read_write";
  return headers;
}

function dress(headers: Headers, from: Headers, id: string): void {
  from.forEach((_, name) => {
    if (REMOVED.has(name)) headers.delete(name);
  });
  headers.set("cache-control", "private, no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "sandbox; default-src 'none'");
  headers.set("x-request-id", id);
  headers.set("server-timing", "postern;dur=0, origin;dur=0");
}
