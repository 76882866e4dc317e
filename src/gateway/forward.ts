import type { Denial } from "../denial.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { clientHeaders } from "./headers.ts";
import { locationForClient } from "./redirect.ts";
import { pumpWebSocket } from "./websocket.ts";

/** One request to an origin, decided and ready to go. */
export interface Upstream {
  url: string;
  method: string;
  headers: Headers;
  body: BodyInit | null;
  /** Whether the client asked for a WebSocket and the endpoint allows one. */
  websocket: boolean;
  endpoint: Endpoint;
  /** Public URL of the endpoint's prefix, for `Location`. */
  publicBase: string;
  /** The origin's own base that the prefix stands for. */
  originBase: string;
  requestId: string;
}

/** What keeps a forwarded request honest while it runs. */
export interface Guard {
  /** Whether the key would still be let in. */
  stillValid(): Promise<boolean>;
  /** The client's own abort signal. */
  signal: AbortSignal;
  background(work: Promise<unknown>): void;
}

/** How often a running exchange looks whether its key is still valid, in ms: within 15 s (spec 8). */
const WATCH_EVERY = 5000;
/** Bodies up to this length are handed over natively and not watched: they are soon gone. */
const SHORT_BODY = 64 * 1024;

/** Answers that have no body (RFC 9110): a Response with one throws. */
const hasNoBody = (status: number) => status === 101 || status === 204 || status === 205 || status === 304;

/**
 * Sends the request, and gives back the origin's response as the client may see it. Bodies stream both
 * ways; bytes do not pass through JavaScript.
 */
export async function forward(upstream: Upstream, guard: Guard): Promise<Response | Denial> {
  const abort = new AbortController();
  const onClientGone = () => abort.abort();
  guard.signal.addEventListener("abort", onClientGone, { once: true });

  const timeout = upstream.endpoint.timeout_seconds * 1000;
  let waited = 0;
  let timedOut = false;
  let headSeen = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // One timer for both: how long the head may take, and whether the key is still valid meanwhile.
  const arm = () => {
    const step = headSeen ? WATCH_EVERY : Math.min(WATCH_EVERY, timeout - waited);
    timer = setTimeout(() => {
      waited += step;
      if (!headSeen && waited >= timeout) {
        timedOut = true;
        abort.abort();
        return;
      }
      guard.stillValid().then(
        (valid) => (valid ? timer !== undefined && arm() : abort.abort()),
        () => abort.abort(),
      );
    }, step);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
    guard.signal.removeEventListener("abort", onClientGone);
  };
  arm();

  let response: Response;
  try {
    response = await fetch(upstream.url, {
      method: upstream.method,
      headers: upstream.headers,
      body: upstream.body,
      redirect: "manual",
      // Cloudflare's cache ignores Vary and gives x-api-key no protection.
      cache: "no-store",
      // Compressed bodies pass as they are: decoding and encoding them again would cost and corrupt.
      encodeResponseBody: "manual",
      signal: abort.signal,
    } as RequestInit);
  } catch {
    stop();
    return timedOut
      ? { code: "origin_timeout", seconds: upstream.endpoint.timeout_seconds }
      : { code: "origin_unreachable" };
  }
  headSeen = true;

  if (response.webSocket || response.status === 101) {
    stop();
    if (!upstream.websocket || !response.webSocket) {
      response.webSocket?.accept();
      response.webSocket?.close(1011, "unexpected");
      return { code: "origin_unreachable", detail: "The origin answered with an unexpected protocol change" };
    }
    return pumpWebSocket(
      response,
      response.webSocket,
      clientHeaders(response.headers, upstream.requestId),
      guard,
    );
  }

  // The platform makes no Response of them (Fetch standard: 200 to 599), and clients would not read one.
  if (response.status > 599) {
    stop();
    guard.background(response.body?.cancel() ?? Promise.resolve());
    return { code: "origin_unreachable", detail: "The origin answered with a status that is none" };
  }

  const headers = clientHeaders(response.headers, upstream.requestId);
  const location = response.headers.get("location");
  if (location !== null) {
    const rewritten = locationForClient(location, upstream);
    if (rewritten !== null) {
      headers.set("location", rewritten);
    } else if (response.status >= 300 && response.status < 400) {
      stop();
      guard.background(response.body?.cancel() ?? Promise.resolve());
      return { code: "origin_unreachable", detail: "The origin redirected to another host" };
    } else {
      headers.delete("location"); // of something made (201): nobody follows it, and what was done counts
    }
  }

  const init = {
    status: response.status,
    statusText: response.statusText,
    headers,
    encodeBody: "manual" as const,
  };
  if (response.body === null || upstream.method === "HEAD" || hasNoBody(response.status)) {
    stop();
    return new Response(null, init);
  }
  const length = contentLength(response.headers);
  if (length !== null && length <= SHORT_BODY) {
    stop();
    return new Response(response.body, init);
  }
  // Piping natively lets the watch go on while bytes flow, at the cost of none of them. A stream of known
  // length keeps its Content-Length.
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  guard.background(
    response.body.pipeTo(writable, { signal: abort.signal }).then(stop, () => {
      stop();
      abort.abort();
    }),
  );
  return new Response(readable, init);
}

function contentLength(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
