import http from "node:http";
import type { AddressInfo } from "node:net";

/** A demo origin that is listening. */
export interface Origin {
  port: number;
  stop(): Promise<void>;
}

/** Answers one request. What it throws becomes a 400 when it is a `BadRequest`, else a 500. */
export type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => unknown;

export class BadRequest extends Error {}

/** Far more than a demo needs; keeps a stray upload from filling memory. */
const MOST_BODY_BYTES = 4 * 1024 * 1024;

/**
 * Serves `handler` on loopback.
 * @param port 0 is any that is free
 * @throws Error with the code EADDRINUSE where it is taken
 */
export async function listen(port: number, handler: Handler): Promise<Origin> {
  const server = http.createServer(async (request, response) => {
    try {
      await handler(request, response);
    } catch (error) {
      if (response.headersSent) return response.destroy();
      sendJson(response, error instanceof BadRequest ? 400 : 500, {
        error: { message: (error as Error).message, type: "invalid_request_error" },
      });
    }
  });
  return {
    port: await bind(server, port),
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function bind(server: http.Server, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      done((server.address() as AddressInfo).port);
    });
  });
}

export function sendJson(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

/** The request's body as JSON; `undefined` when there is none. */
export async function readJson(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MOST_BODY_BYTES) throw new BadRequest("The body is too large");
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new BadRequest("The body is not JSON");
  }
}

/** The request's path without its query. */
export function pathOf(request: http.IncomingMessage): string {
  return new URL(request.url ?? "/", "http://origin").pathname;
}
