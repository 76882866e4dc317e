import http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";

/** An answer, read to its end. */
export interface Answer {
  status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  headers: Record<string, string>;
  bytes: Buffer;
  text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a body by looking into it
  readonly json: any;
}

export interface Call {
  method?: string;
  /** A list of names and values sends them in that order, also twice. */
  headers?: Record<string, string> | string[];
  /** Anything but text, bytes and streams is sent as JSON. */
  body?: string | Uint8Array | Readable | object | undefined;
}

/** An answer whose body has not been read. */
export interface OpenAnswer {
  status: number;
  headers: Record<string, string>;
  body: http.IncomingMessage;
  /** Hangs up. */
  hangUp(): void;
}

/** Sends a request whose path goes out as written, and gives the answer as soon as its head is there. */
export function open(url: string, path: string, call: Call = {}): Promise<OpenAnswer> {
  return new Promise((done, failed) => {
    const { host, port, hostname } = new URL(url);
    const { text, json } = payload(call.body);
    const given = Array.isArray(call.headers) ? call.headers : Object.entries(call.headers ?? {}).flat();
    const has = (name: string) => given.some((item, i) => i % 2 === 0 && item.toLowerCase() === name);
    const headers = [...given];
    if (!has("host")) headers.push("host", host);
    if (json && !has("content-type")) headers.push("content-type", "application/json");
    if (text !== undefined && !has("content-length") && !has("transfer-encoding")) {
      if (text instanceof Readable) headers.push("transfer-encoding", "chunked");
      else headers.push("content-length", String(Buffer.byteLength(text)));
    }
    const request = http.request({
      hostname,
      port,
      path,
      method: call.method ?? "GET",
      headers,
      agent: false,
    });
    request.on("error", failed);
    request.on("response", (response) =>
      done({
        status: response.statusCode ?? 0,
        headers: joined(response.rawHeaders),
        body: response,
        hangUp: () => request.destroy(),
      }),
    );
    if (text instanceof Readable) text.pipe(request);
    else request.end(text);
  });
}

/** Sends a request and reads the whole answer. */
export async function call(url: string, path: string, options: Call = {}): Promise<Answer> {
  const { status, headers, body } = await open(url, path, options).catch((error) => {
    // Refused before it was read, and the answer lost with the connection: it is there when asked again.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE" || options.body instanceof Readable) throw error;
    return open(url, path, options);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return answer(status, headers, Buffer.concat(chunks));
}

function payload(body: Call["body"]): { text: string | Uint8Array | Readable | undefined; json: boolean } {
  if (
    body === undefined ||
    typeof body === "string" ||
    body instanceof Uint8Array ||
    body instanceof Readable
  )
    return { text: body, json: false };
  return { text: JSON.stringify(body), json: true };
}

function joined(rawHeaders: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    headers[name] =
      headers[name] === undefined ? rawHeaders[i + 1]! : `${headers[name]}, ${rawHeaders[i + 1]}`;
  }
  return headers;
}

function answer(status: number, headers: Record<string, string>, bytes: Buffer): Answer {
  return {
    status,
    headers,
    bytes,
    text: bytes.toString("utf8"),
    get json() {
      return JSON.parse(this.text);
    },
  };
}

/**
 * Sends bytes nobody has tidied, and reads one answer. `lines` are the request line and the headers;
 * characters stand for bytes (Latin-1). Ends when the answer is whole or the connection is closed; a
 * connection closed without an answer has status 0.
 */
export function raw(port: number, lines: readonly string[], body: string | Uint8Array = ""): Promise<Answer> {
  return new Promise((done, failed) => {
    const socket = net.connect(port, "127.0.0.1");
    let received = Buffer.alloc(0);
    const finish = () => {
      socket.destroy();
      done(parseAnswer(received) ?? answer(0, {}, received));
    };
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (isWhole(received)) finish();
    });
    socket.on("end", finish);
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? finish() : failed(error),
    );
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    socket.write(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes]));
  });
}

function parseAnswer(received: Buffer): Answer | null {
  const text = received.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  // An interim answer (100, 103): the one that counts follows it.
  if (/^HTTP\/1\.1 1(?!01)/.test(text)) return parseAnswer(received.subarray(end + 4));
  const [statusLine, ...lines] = text.slice(0, end).split("\r\n");
  const headers = joined(
    lines.flatMap((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = received.subarray(end + 4);
  const whole = headers["transfer-encoding"] === "chunked" ? dechunked(body.toString("latin1")) : body;
  return answer(Number(statusLine?.split(" ")[1] ?? 0), headers, whole);
}

function dechunked(text: string): Buffer {
  let rest = text;
  let body = "";
  for (;;) {
    const size = Number.parseInt(rest, 16);
    if (!(size > 0)) return Buffer.from(body, "latin1");
    const start = rest.indexOf("\r\n") + 2;
    body += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
}

function isWhole(received: Buffer): boolean {
  const parsed = parseAnswer(received);
  if (parsed === null) return false;
  const length = parsed.headers["content-length"];
  if (length !== undefined) return parsed.bytes.length >= Number(length);
  if (parsed.headers["transfer-encoding"] === "chunked")
    return received.toString("latin1").endsWith("0\r\n\r\n");
  return parsed.status === 204 || parsed.status === 304;
}
