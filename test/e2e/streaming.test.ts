import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type OpenAnswer, open } from "../harness/http.ts";
import { startWorld, type World } from "../harness/world.ts";

const MB = 1024 * 1024;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** `megabytes` that no two of are alike, and their hash as they go by. */
function bytes(megabytes: number): { chunks: Iterable<Buffer>; hash: () => string } {
  const hash = createHash("sha256");
  const block = Buffer.from(crypto.getRandomValues(new Uint8Array(64 * 1024)));
  return {
    chunks: {
      *[Symbol.iterator]() {
        for (let i = 0; i < megabytes * 16; i += 1) {
          const chunk = Buffer.from(block);
          chunk.writeUInt32BE(i);
          hash.update(chunk);
          yield chunk;
        }
      },
    },
    hash: () => hash.digest("hex"),
  };
}

/** Runs `work`, and gives by how much workerd's memory exceeded what it was before, at most. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = world.gateway.memory();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, world.gateway.memory());
  }, 50);
  await work();
  clearInterval(timer);
  return Math.max(most, world.gateway.memory()) - before;
}

async function readAll(answer: OpenAnswer): Promise<{ size: number; hash: string }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, hash: hash.digest("hex") };
}

describe("200 MB pass through with the Worker's memory flat", () => {
  it.each([
    ["of known length", { "content-length": String(200 * MB) }],
    ["in chunks", {}],
  ])("an upload %s", { timeout: 60_000 }, async (_, headers) => {
    const { chunks, hash } = bytes(200);
    const grown = await growth(async () => {
      const answer = await world.gateway.call("/v2/web/up", {
        method: "POST",
        headers: { ...world.ALL.bearer, ...headers },
        body: Readable.from(chunks),
      });
      expect(answer.status).toBe(200);
    });
    expect(world.origin.only.bytes).toBe(200 * MB);
    expect(await world.origin.only.sha256).toBe(hash());
    expect(grown).toBeLessThan(64 * MB);
  });

  it.each([
    ["of known length", { "content-length": String(200 * MB) }],
    ["in chunks", {}],
  ])("a download %s", { timeout: 60_000 }, async (_, headers) => {
    const { chunks, hash } = bytes(200);
    world.origin.on("/web/down", ({ response }) => {
      response.writeHead(200, { "content-type": "application/octet-stream", ...headers });
      Readable.from(chunks).pipe(response);
    });
    const grown = await growth(async () => {
      const answer = await world.gateway.open("/v2/web/down", { headers: world.ALL.bearer });
      expect(answer.headers["content-length"]).toBe(headers["content-length" as never]);
      expect(await readAll(answer)).toEqual({ size: 200 * MB, hash: hash() });
    });
    expect(grown).toBeLessThan(64 * MB);
  });

  it("a download by a client that reads slowly holds the origin back", { timeout: 60_000 }, async () => {
    const { chunks } = bytes(200);
    let sent = 0;
    world.origin.on("/web/down", ({ response }) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      const source = Readable.from(chunks);
      source.on("data", (chunk: Buffer) => {
        sent += chunk.length;
      });
      source.pipe(response);
    });
    const answer = await world.gateway.open("/v2/web/down", { headers: world.ALL.bearer });
    await once(answer.body, "readable");
    await new Promise((done) => setTimeout(done, 1000));
    expect(sent).toBeLessThan(64 * MB);
    answer.hangUp();
    expect(await world.origin.only.ended).toBe("cut");
  });
});

describe("bytes pass as they come", () => {
  it("the first event of a stream reaches the client while the origin still sends", async () => {
    let finish = () => {};
    world.origin.on("/v1/chat/completions", ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      finish = () => response.end("data: last\n\n");
    });
    const answer = await world.gateway.open("/v2/llm/chat/completions", {
      method: "POST",
      headers: world.ALL.bearer,
      body: { stream: true },
    });
    const [first] = await once(answer.body, "data");
    expect(String(first)).toBe("data: first\n\n");
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    finish(); // only now: what was read so far cannot have waited for the end
    const [last] = await once(answer.body, "data");
    expect(String(last)).toBe("data: last\n\n");
  });

  it("also compressed ones, and ones of announced length", async () => {
    for (const headers of [{ "content-encoding": "gzip" }, { "content-length": "100000" }] as Record<
      string,
      string
    >[]) {
      let finish = () => {};
      world.origin.on("/web/drip", ({ response }) => {
        response.writeHead(200, headers);
        response.write("first");
        finish = () => response.end("x".repeat(99_995));
      });
      const answer = await world.gateway.open("/v2/web/drip", {
        headers: { ...world.ALL.bearer, "accept-encoding": "gzip" },
      });
      expect(String((await once(answer.body, "data"))[0])).toBe("first");
      finish();
      expect((await readAll(answer)).size).toBe(99_995);
    }
  });

  it("the head reaches the client before any of the body is there", async () => {
    let finish = () => {};
    world.origin.on("/web/late", ({ response }) => {
      response.writeHead(200, { "x-early": "1" });
      response.flushHeaders();
      finish = () => response.end("late");
    });
    const answer = await world.gateway.open("/v2/web/late", { headers: world.ALL.bearer });
    expect(answer.headers["x-early"]).toBe("1");
    finish();
    expect((await readAll(answer)).size).toBe(4);
  });

  it("the origin sees an upload's first bytes while the client still sends", async () => {
    const body = new Readable({ read() {} });
    body.push("first");
    const answered = world.gateway.call("/v2/web/up", { method: "POST", headers: world.ALL.bearer, body });
    const seen = await world.origin.next();
    while (seen.bytes < 5) await new Promise((done) => setImmediate(done));
    expect(seen.body.toString()).toBe("first");
    body.push("last");
    body.push(null);
    expect((await answered).status).toBe(200);
    expect(seen.body.toString()).toBe("firstlast");
  });

  it("both ways at once", async () => {
    world.origin.on("/web/echo", ({ request, response }) => {
      response.writeHead(200);
      response.flushHeaders();
      request.pipe(response);
    });
    const body = new Readable({ read() {} });
    body.push("one");
    const answer = await open(world.gateway.url, "/v2/web/echo", {
      method: "POST",
      headers: world.ALL.bearer,
      body,
    });
    expect(String((await once(answer.body, "data"))[0])).toBe("one");
    body.push("two");
    expect(String((await once(answer.body, "data"))[0])).toBe("two");
    body.push(null);
    await once(answer.body.resume(), "end");
  });
});

describe("a client that hangs up ends the origin's request", () => {
  it("before the head, by a reset", async () => {
    world.origin.on("/web/hang", () => {});
    const socket = net.connect(world.gateway.port, "127.0.0.1");
    socket.write(`GET /v2/web/hang HTTP/1.1\r\nHost: x\r\nx-api-key: ${world.ALL.key}\r\n\r\n`);
    const seen = await world.origin.next();
    socket.resetAndDestroy();
    expect(await seen.ended).toBe("cut");
  });

  it.each([
    ["in a stream", {}],
    ["in a body of known length", { "content-length": String(10 * MB) }],
  ])("after the head, %s", async (_, headers) => {
    world.origin.on("/web/endless", ({ response }) => {
      response.writeHead(200, headers);
      const timer = setInterval(() => response.write("tick"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const answer = await world.gateway.open("/v2/web/endless", { headers: world.ALL.bearer });
    await once(answer.body, "data");
    answer.hangUp();
    expect(await world.origin.only.ended).toBe("cut");
  });

  // A mere FIN may come from a client that still reads (RFC 9112 section 9.6), so it is noticed at the
  // next byte that the origin sends.
  it("after the head, while the origin is silent, by a reset", async () => {
    world.origin.on("/web/silent", ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    });
    const socket = net.connect(world.gateway.port, "127.0.0.1");
    socket.write(`GET /v2/web/silent HTTP/1.1\r\nHost: x\r\nx-api-key: ${world.ALL.key}\r\n\r\n`);
    await once(socket, "data");
    socket.resetAndDestroy();
    expect(await world.origin.only.ended).toBe("cut");
  });

  it("in the middle of an upload", async () => {
    const { hostname, port } = new URL(world.gateway.url);
    const request = http.request({
      hostname,
      port,
      path: "/v2/web/up",
      method: "POST",
      headers: { ...world.ALL.bearer, "transfer-encoding": "chunked" },
    });
    request.on("error", () => {});
    request.write("first");
    const seen = await world.origin.next();
    request.destroy();
    expect(await seen.ended).toBe("cut");
  });
});

describe("Expect: 100-continue", () => {
  it("is the gateway's own business: the client is told to go on, the origin never sees it", async () => {
    const answer = await world.gateway.raw(
      ["POST /v2/web/x HTTP/1.1", `x-api-key: ${world.ALL.key}`, "Expect: 100-continue", "Content-Length: 2"],
      "{}",
    );
    expect(answer.status).toBe(200);
    expect(world.origin.only.all("expect")).toEqual([]);
    expect(world.origin.only.body.toString()).toBe("{}");
  });
});
