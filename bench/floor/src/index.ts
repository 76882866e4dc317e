/**
 * What spec 2.7 asks of any gateway's requests and responses, and nothing else: no key is looked at, nothing
 * is decided. The distance from `bare` to here is the price of the headers themselves on this runtime; the
 * distance from here to Postern is the price of deciding.
 */
const DROPPED = new Set(["authorization", "x-api-key", "host", "content-length", "connection", "cookie"]);
const REMOVED = new Set(["set-cookie", "server", "x-powered-by", "connection"]);

export default {
  async fetch(request: Request, env: { ORIGIN: string }): Promise<Response> {
    const { url, method } = request;
    const id = crypto.randomUUID();
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
    const get = method === "GET" || method === "HEAD";
    const response = await fetch(env.ORIGIN + url.slice(url.indexOf("/", url.indexOf("://") + 3)), {
      method,
      headers,
      body: get ? null : request.body,
      redirect: "manual",
      signal: request.signal,
      ...(get ? { cache: "no-store" as const } : {}),
    });
    const answer = new Response(response.body, response);
    response.headers.forEach((_, name) => {
      if (REMOVED.has(name)) answer.headers.delete(name);
    });
    answer.headers.set("cache-control", "private, no-store");
    answer.headers.set("x-content-type-options", "nosniff");
    answer.headers.set("content-security-policy", "sandbox; default-src 'none'");
    answer.headers.set("x-request-id", id);
    answer.headers.set("server-timing", "postern;dur=0, origin;dur=0");
    return answer;
  },
};
