import type { Denial } from "../denial.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { dressForClient, readOriginHead } from "./headers.ts";
import { locationForClient } from "./redirect.ts";
import { pumpWebSocket } from "./websocket.ts";

/** One request to an origin, decided and ready to go. */
export interface Upstream {
  url: string;
  method: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: BodyInit | null;
  /** Whether the body may go on for long, even after the answer has begun. */
  longUpload: boolean;
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
/** Bodies up to this length are handed over natively and not watched: they are soon gone. In bytes. */
export const SHORT_BODY = 64 * 1024;

/** Answers that have no body (RFC 9110): a Response with one throws. */
const hasNoBody = (status: number) => status === 101 || status === 204 || status === 205 || status === 304;

/**
 * Sends the request, and gives back the origin's response as the client may see it. Bodies stream both
 * ways; bytes do not pass through JavaScript.
 */
export async function forward(upstream: Upstream, guard: Guard): Promise<Response | Denial> {
  const response = await responseOf(upstream, guard);
  if ("code" in response) return response;

  // Each of these is a call into the platform: once will do.
  const { status, headers } = response;
  if (status === 101) return upgraded(upstream, response, guard);
  // The platform makes no Response of them (Fetch standard: 200 to 599), and clients would not read one.
  if (status > 599) {
    discard(response, guard);
    return unreachable("The origin answered with a status that is none");
  }

  const head = readOriginHead(headers);
  const location = head.location === null ? null : locationForClient(head.location, upstream);
  if (head.location !== null && location === null && status >= 300 && status < 400) {
    discard(response, guard);
    return unreachable("The origin redirected to where this endpoint does not lead");
  }

  // A copy with the origin's status, and its body as it came: encoded, if it was.
  const body = upstream.method === "HEAD" || hasNoBody(status) ? null : response.body;
  const answer = new Response(body === null ? null : watched(body, head.length, upstream, guard), response);
  const own = answer.headers;
  dressForClient(own, head, upstream.requestId);
  // Where something was made (201), nobody follows a foreign Location, and what was done counts.
  if (location !== null) own.set("location", location);
  else if (head.location !== null) own.delete("location");
  return answer;
}

/** The answer to a WebSocket handshake that the origin accepted. */
function upgraded(upstream: Upstream, response: Response, guard: Guard): Response | Denial {
  const { webSocket } = response;
  if (!upstream.websocket || !webSocket) {
    webSocket?.accept();
    webSocket?.close(1011, "unexpected");
    return unreachable("The origin answered with an unexpected protocol change");
  }
  const headers = new Headers(response.headers);
  dressForClient(headers, readOriginHead(response.headers), upstream.requestId);
  return pumpWebSocket(response, webSocket, headers, guard);
}

const unreachable = (detail: string): Denial => ({ code: "origin_unreachable", detail });

function discard(response: Response, guard: Guard): void {
  guard.background(response.body?.cancel() ?? Promise.resolve());
}

/** The origin's response as soon as its head is there, or why there is none. */
function responseOf(upstream: Upstream, guard: Guard): Promise<Response | Denial> {
  const { url, method, headers, body, endpoint } = upstream;
  const init: RequestInit & { encodeResponseBody: "manual" } = {
    method,
    headers,
    body,
    redirect: "manual",
    // Compressed bodies pass as they are: decoding and encoding them again would cost and corrupt.
    encodeResponseBody: "manual",
    signal: guard.signal,
  };
  // Cloudflare's cache ignores Vary and gives x-api-key no protection. It knows no other methods.
  if (method === "GET" || method === "HEAD") init.cache = "no-store";

  return new Promise((resolve) => {
    // Whatever comes first ends the wait. A request given up here ends with the answer to the client: an
    // AbortController of its own would cost every request more than all the rest of this function.
    let waiting = true;
    const end = (outcome: Response | Denial) => {
      waiting = false;
      resolve(outcome);
    };
    fetch(url, init).then(
      (response) => (waiting ? end(response) : discard(response, guard)),
      () => end({ code: "origin_unreachable" }),
    );
    watch({
      guard,
      limit: endpoint.timeout_seconds * 1000,
      goesOn: () => waiting,
      onLimit: () => end({ code: "origin_timeout", seconds: endpoint.timeout_seconds }),
      // Not 401: the origin may have acted already, which the client cannot know.
      onInvalid: () => end(unreachable("The API key ceased to be valid before the origin answered")),
    });
  });
}

/** A body that ends when the key stops being valid, and the upload with it, unless both are short. */
function watched(
  body: ReadableStream,
  length: number | null,
  { longUpload }: Upstream,
  guard: Guard,
): ReadableStream {
  if (length !== null && length <= SHORT_BODY && !longUpload) return body;
  // Piping natively lets the watch go on while bytes flow, at the cost of none of them. A stream of known
  // length keeps its Content-Length. (Passed on as it is, the body outlives everything of the request here.)
  const through = length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  const abort = new AbortController();
  watch({ guard, onInvalid: () => abort.abort() });
  // While the origin is silent, nothing but its signal ends the pipe of a client that is gone.
  return body.pipeThrough(through, { signal: AbortSignal.any([guard.signal, abort.signal]) });
}

/**
 * Looks every few seconds whether the key is still valid, while the exchange goes on. A timer that is not
 * needed any more is left to lapse, which is cheaper than to clear it: it ends with the request.
 * @param limit how long the exchange may go on, in ms
 * @param goesOn whether it does still; left out, it ends with the request
 */
function watch(options: {
  guard: Guard;
  limit?: number;
  goesOn?: () => boolean;
  onLimit?: () => void;
  onInvalid: () => void;
}): void {
  const { guard, limit = Number.POSITIVE_INFINITY, goesOn = () => true, onLimit, onInvalid } = options;
  let passed = 0;
  const arm = () => {
    const step = Math.min(WATCH_EVERY, limit - passed);
    setTimeout(() => {
      if (!goesOn()) return;
      passed += step;
      if (passed >= limit) onLimit?.();
      else guard.stillValid().then((valid) => (valid ? goesOn() && arm() : onInvalid()), onInvalid);
    }, step);
  };
  arm();
}
