import type { Guard } from "./forward.ts";

/** How often an open socket looks whether its key is still valid, in ms (spec 8: within 15 s). */
const WATCH_EVERY = 5000;

/** Codes an endpoint may send (RFC 6455 section 7.4); others, such as 1005 and 1006, only report. */
const mayBeSent = (code: number) =>
  code === 1000 ||
  (code >= 1001 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ||
  (code >= 3000 && code <= 4999);

/**
 * Joins the client's and the origin's sockets until either closes or the key stops being valid.
 * @param response the origin's 101, for the subprotocol it chose
 */
export function pumpWebSocket(
  response: Response,
  origin: WebSocket,
  headers: Headers,
  guard: Guard,
): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  // The platform's default is a Blob, which `send` would turn into the text "[object Blob]".
  origin.binaryType = server.binaryType = "arraybuffer";
  origin.accept();
  server.accept();

  let timer: ReturnType<typeof setInterval> | undefined;
  const closeBoth = (code: number, reason: string) => {
    clearInterval(timer);
    for (const socket of [origin, server]) {
      try {
        if (mayBeSent(code)) socket.close(code, reason);
        else socket.close();
      } catch {
        // closed already
      }
    }
  };
  const join = (from: WebSocket, to: WebSocket) => {
    from.addEventListener("message", (event) => {
      try {
        to.send(event.data as string | ArrayBuffer);
      } catch {
        closeBoth(1011, "peer gone");
      }
    });
    from.addEventListener("close", (event) => closeBoth(event.code, event.reason));
    from.addEventListener("error", () => closeBoth(1011, "connection failed"));
  };
  join(origin, server);
  join(server, origin);
  timer = setInterval(() => {
    guard.stillValid().then(
      (valid) => valid || closeBoth(1008, "API key no longer valid"),
      () => closeBoth(1008, "API key no longer valid"),
    );
  }, WATCH_EVERY);

  const chosen = response.headers.get("sec-websocket-protocol");
  if (chosen !== null) headers.set("sec-websocket-protocol", chosen);
  return new Response(null, { status: 101, webSocket: client, headers });
}
