import { createServer, type Server, type Socket } from "node:net";

/** 1 KiB of JSON. */
const BODY = JSON.stringify({ id: "x".repeat(1015) });
const WHOLE = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
);

/** A stream of unknown length, in as many writes as it has events. */
const EVENTS = 20;
const STREAM_HEAD = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
);
const EVENT = Buffer.from(`3a\r\ndata: ${"x".repeat(50)}\n\n\r\n`);
const STREAM_END = Buffer.from("0\r\n\r\n");

/**
 * An origin that answers at once and spends next to nothing on it, so that the gateway is what is measured.
 * A path that ends in `/stream` is answered in 20 events, each in a turn of its own.
 */
export function startOrigin(): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const end = pending.indexOf("\r\n\r\n");
        if (end === -1) return;
        const head = pending.toString("latin1", 0, end);
        const length = bodyLength(pending, head, end);
        if (length === null || pending.length < end + 4 + length) return;
        pending = pending.subarray(end + 4 + length);
        if (/^\S+ \S*\/stream /.test(head)) stream(socket);
        else socket.write(WHOLE);
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({
        port,
        stop: () => {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}

/** Bytes of a request's body, chunked or not; null while that cannot be told. */
function bodyLength(buffer: Buffer, head: string, end: number): number | null {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  if (!/^transfer-encoding:/im.test(head)) return 0;
  const last = buffer.indexOf("0\r\n\r\n", end + 4);
  return last === -1 ? null : last + 5 - end - 4;
}

function stream(socket: Socket): void {
  socket.write(STREAM_HEAD);
  let left = EVENTS;
  const next = () => {
    if (socket.destroyed) return;
    if (left === 0) {
      socket.write(STREAM_END);
      return;
    }
    left -= 1;
    socket.write(EVENT);
    setImmediate(next);
  };
  next();
}
