import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** One request as an origin received it. */
export interface Seen {
  method: string;
  /** The request target, byte for byte. */
  target: string;
  /** Names and values as they arrived, in order. */
  headers: [name: string, value: string][];
  /** Values of one header, whatever its case. */
  all(name: string): string[];
  /** The only value of a header; undefined when absent. Throws when it arrived more than once. */
  header(name: string): string | undefined;
  /** Bytes of body so far. */
  bytes: number;
  /** The body itself, while it is short. */
  body: Buffer;
  /** SHA-256 of the whole body, hex; settles when it has arrived. */
  sha256: Promise<string>;
  /** How the exchange ended: the answer was sent whole, or the connection went away first. */
  ended: Promise<"complete" | "cut">;
}

/** What an origin does with one request. Unscripted paths answer 200 `{"ok":true}`. */
export type Script = (exchange: {
  request: http.IncomingMessage;
  response: http.ServerResponse;
  seen: Seen;
}) => unknown;

/** What an origin does with one WebSocket. Unscripted paths echo. */
export type SocketScript = (socket: WebSocket, seen: Seen) => unknown;

/** Longest body kept in memory; longer ones are only counted and hashed. */
const KEPT = 1024 * 1024;

/** An origin that records whatever reaches it: the witness that refused requests did not. */
export class Origin {
  readonly requests: Seen[] = [];
  /** What the HTTP parser could not read. */
  readonly broken: Error[] = [];
  readonly #server: http.Server;
  readonly #scripts = new Map<string, Script>();
  readonly #sockets = new Map<string, SocketScript>();
  readonly #waiting: (() => void)[] = [];

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async start(): Promise<Origin> {
    const server = http.createServer({ maxHeaderSize: 256 * 1024 });
    const origin = new Origin(server);
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    server.on("request", (request, response) => origin.#serve(request, response));
    server.on("checkContinue", (request, response) => origin.#serve(request, response));
    server.on("clientError", (error, socket) => {
      origin.broken.push(error);
      socket.destroy();
    });
    server.on("upgrade", (request, socket, head) => {
      const seen = origin.#record(request, socket);
      const script = origin.#sockets.get(pathOf(request));
      sockets.handleUpgrade(request, socket, head, (websocket) => {
        if (script !== undefined) script(websocket, seen);
        else websocket.on("message", (data, binary) => websocket.send(data, { binary }));
      });
    });
    await listen(server);
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Says what happens at a path (without its query). */
  on(path: string, script: Script): void {
    this.#scripts.set(path, script);
  }

  onSocket(path: string, script: SocketScript): void {
    this.#sockets.set(path, script);
  }

  /** Forgets the requests so far. */
  clear(): void {
    this.requests.length = 0;
    this.broken.length = 0;
  }

  /** The one request since the last `clear`. */
  get only(): Seen {
    if (this.requests.length !== 1)
      throw new Error(`The origin saw ${this.requests.length} requests, not one`);
    return this.requests[0]!;
  }

  /** Waits until a request has arrived (its head, not its body), and gives the latest. */
  async next(): Promise<Seen> {
    if (this.requests.length === 0) await new Promise<void>((done) => this.#waiting.push(done));
    return this.requests.at(-1)!;
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const seen = this.#record(request, response);
    const script = this.#scripts.get(pathOf(request));
    if (script !== undefined) {
      script({ request, response, seen });
      return;
    }
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end('{"ok":true}');
    });
  }

  #record(
    request: http.IncomingMessage,
    answer: { once(event: "close", done: () => void): unknown; writableFinished: boolean },
  ): Seen {
    const hash = createHash("sha256");
    const headers: Seen["headers"] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      headers.push([request.rawHeaders[i]!, request.rawHeaders[i + 1]!]);
    const all = (name: string) => headers.filter(([n]) => n.toLowerCase() === name).map(([, v]) => v);
    const seen: Seen = {
      method: request.method ?? "",
      target: request.url ?? "",
      headers,
      all,
      header(name) {
        const values = all(name);
        if (values.length > 1) throw new Error(`${name} reached the origin ${values.length} times`);
        return values[0];
      },
      bytes: 0,
      body: Buffer.alloc(0),
      sha256: new Promise((done, failed) => {
        request.on("end", () => done(hash.digest("hex")));
        request.on("error", failed);
      }),
      ended: new Promise((done) =>
        answer.once("close", () => done(answer.writableFinished ? "complete" : "cut")),
      ),
    };
    seen.sha256.catch(() => {}); // a body that was cut is seen in `ended`
    request.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      seen.bytes += chunk.length;
      if (seen.bytes <= KEPT) seen.body = Buffer.concat([seen.body, chunk]);
    });
    this.requests.push(seen);
    for (const done of this.#waiting.splice(0)) done();
    return seen;
  }
}

const pathOf = (request: http.IncomingMessage) => (request.url ?? "").split("?", 1)[0]!;

async function listen(server: net.Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

/** An origin below HTTP: `script` gets each connection once its request head has arrived. */
export async function startRawOrigin(
  script: (socket: net.Socket, head: string) => unknown,
): Promise<{ url: string; connections: () => number; stop(): Promise<void> }> {
  let connections = 0;
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {});
    let text = "";
    const read = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.off("data", read);
      script(socket, text);
    };
    socket.on("data", read);
  });
  await listen(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A port where nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer();
  await listen(server);
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
