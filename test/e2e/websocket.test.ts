import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { expectRefused } from "../harness/denied.ts";
import type { Answer } from "../harness/http.ts";
import type { Seen } from "../harness/origin.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** Opens a socket through the gateway. */
async function connect(path = "/v2/web/ws", key = world.ALL, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`${world.gateway.url.replace("http", "ws")}${path}`, protocols, {
    headers: key.bearer,
  });
  await once(socket, "open");
  return socket;
}

/** Asks for a socket, and gives the answer where it is refused. */
const ask = (path: string, key = world.ALL, method = "GET"): Promise<Answer> =>
  world.gateway.raw([
    `${method} ${path} HTTP/1.1`,
    `x-api-key: ${key.key}`,
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ]);

/** What the origin's side sees a socket end with. */
function watchOrigin(): {
  closed: Promise<[number, string]>;
  socket: Promise<WebSocket>;
  seen: Promise<Seen>;
} {
  const closed = Promise.withResolvers<[number, string]>();
  const socket = Promise.withResolvers<WebSocket>();
  const seen = Promise.withResolvers<Seen>();
  world.origin.onSocket("/web/watched", (at, request) => {
    at.on("close", (code, reason) => closed.resolve([code, String(reason)]));
    socket.resolve(at);
    seen.resolve(request);
  });
  return { closed: closed.promise, socket: socket.promise, seen: seen.promise };
}

describe("a WebSocket passes (spec 2.7)", () => {
  it("text and binary, both ways", async () => {
    const socket = await connect();
    for (const sent of ["hello", "", "h\u00e9 \u{1f600}", "x".repeat(500_000)]) {
      socket.send(sent);
      const [data, binary] = await once(socket, "message");
      expect([String(data) === sent, binary]).toEqual([true, false]);
    }
    for (const sent of [Buffer.from([0, 1, 254, 255]), Buffer.alloc(0), Buffer.alloc(500_000, 7)]) {
      socket.send(sent);
      const [data, binary] = await once(socket, "message");
      expect([Buffer.compare(data as Buffer, sent), binary]).toEqual([0, true]);
    }
    socket.close();
    await once(socket, "close");
  });

  it("in order, many at once", async () => {
    const socket = await connect();
    const received: string[] = [];
    socket.on("message", (data) => received.push(String(data)));
    for (let i = 0; i < 1000; i += 1) socket.send(String(i));
    while (received.length < 1000) await once(socket, "message");
    expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
    socket.close();
  });

  it("with the query and headers that may pass, and never the key", async () => {
    const { seen } = watchOrigin();
    const socket = await connect("/v2/web/watched?a=1");
    const request = await seen;
    expect(request.target).toBe("/web/watched?a=1");
    expect(request.header("x-postern-key-id")).toBe(world.ALL.id);
    expect(request.header("x-postern-access")).toBe("read_write");
    expect(JSON.stringify(request.headers)).not.toContain(world.ALL.key);
    socket.close();
  });

  it("with the subprotocol that the origin chooses, or none", async () => {
    const offered = await connect("/v2/web/ws", world.ALL, ["graphql-transport-ws", "other"]);
    expect(world.origin.only.header("sec-websocket-protocol")).toBe("graphql-transport-ws,other");
    expect(offered.protocol).toBe("graphql-transport-ws");
    offered.close();
    const plain = await connect();
    expect(plain.protocol).toBe("");
    plain.close();
  });

  it("what the origin sends at once is not lost", async () => {
    world.origin.onSocket("/web/greeting", (socket) => {
      socket.send("hello");
      socket.close(1000, "bye");
    });
    const socket = new WebSocket(`${world.gateway.url.replace("http", "ws")}/v2/web/greeting`, {
      headers: world.ALL.bearer,
    });
    const messages: string[] = [];
    socket.on("message", (data) => messages.push(String(data)));
    const [code, reason] = await once(socket, "close");
    expect([messages, code, String(reason)]).toEqual([["hello"], 1000, "bye"]);
  });
});

describe("an end passes both ways", () => {
  it.each([
    [1000, "done"],
    [1001, ""],
    [1008, "policy"],
    [1011, "oops"],
    [3000, "registered"],
    [4403, "h\u00e9"],
  ])("code %i from the client", async (code, reason) => {
    const { closed } = watchOrigin();
    const socket = await connect("/v2/web/watched");
    socket.close(code, reason);
    expect(await closed).toEqual([code, reason]);
  });

  it.each([
    [1000, "done"],
    [1001, ""],
    [1011, "oops"],
    [4401, "h\u00e9"],
  ])("code %i from the origin", async (code, reason) => {
    const watched = watchOrigin();
    const socket = await connect("/v2/web/watched");
    (await watched.socket).close(code, reason);
    const [seen, why] = await once(socket, "close");
    expect([seen, String(why)]).toEqual([code, reason]);
  });

  it("without a code from either side", async () => {
    const watched = watchOrigin();
    (await connect("/v2/web/watched")).close();
    expect((await watched.closed)[0]).toBe(1005);
    const again = watchOrigin();
    const socket = await connect("/v2/web/watched");
    (await again.socket).close();
    expect((await once(socket, "close"))[0]).toBe(1005);
  });

  it("a lost connection of the client's ends the origin's", async () => {
    const { closed } = watchOrigin();
    (await connect("/v2/web/watched")).terminate();
    await closed;
  });

  it("a lost connection of the origin's ends the client's", async () => {
    const watched = watchOrigin();
    const socket = await connect("/v2/web/watched");
    (await watched.socket).terminate();
    const [code] = await once(socket, "close");
    expect([1006, 1011, 1005]).toContain(code);
  });

  it("a key that is revoked ends both within 15 s (spec 8)", { timeout: 30_000 }, async () => {
    const { closed } = watchOrigin();
    const key = await world.gateway.createKey({ permissions: { inference: "read_write" } });
    const socket = await connect("/v2/web/watched", key);
    await world.gateway.changeKey(key.id, { revoked_at: Date.now() });
    const since = Date.now();
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([1008, "API key no longer valid"]);
    expect((await closed)[0]).toBe(1008);
    expect(Date.now() - since).toBeLessThan(15_000);
  });
});

describe("a WebSocket is refused", () => {
  it("to a read-only key: it is a write on http and openai endpoints", async () => {
    const reader = await world.gateway.createKey({ permissions: { inference: "read", graphql: "read" } });
    for (const path of ["/v2/web/ws", "/v2/llm/realtime"]) {
      expectRefused(await ask(path, reader), 403, "insufficient_scope", world.origin);
    }
  });

  it("to GraphQL read keys: what travels on it cannot be classified", async () => {
    expectRefused(await ask("/graphql", world.GR), 403, "insufficient_scope", world.origin);
  });

  it("without a key, with a bad one, on a foreign endpoint", async () => {
    const stranger = { id: "", key: world.gateway.strayKey(), bearer: { authorization: "" } };
    expectRefused(await ask("/v2/web/ws", stranger), 401, "invalid_api_key", world.origin);
    expectRefused(await ask("/v2/foreign/ws"), 404, "endpoint_not_found", world.origin);
  });

  it("on serverless endpoints, which have none: the wish is ignored, the rest is answered", async () => {
    const answer = await ask("/v2/epA/status/j1", world.RO);
    expect([answer.status, answer.text]).toEqual([200, '{"ok":true}']);
    expect(world.origin.only.all("upgrade")).toEqual([]);
    expectRefused(
      await ask("/v2/epA/run", world.RO).finally(() => world.origin.clear()),
      405,
      "method_not_allowed",
      world.origin,
    );
  });

  it("a POST that asks for one is an ordinary POST", async () => {
    const answer = await ask("/v2/web/ws", world.ALL, "POST");
    expect(answer.status).toBeLessThan(500);
    expect(world.origin.requests.flatMap((seen) => seen.all("upgrade"))).toEqual([]);
  });

  it("by an origin that answers without one: its answer is the client's", async () => {
    const refusing = new WebSocket(`${world.gateway.url.replace("http", "ws")}/v2/web/none`, {
      headers: world.ALL.bearer,
    });
    world.origin.onSocket("/web/none", (socket) => socket.terminate());
    const [outcome] = await Promise.race([
      once(refusing, "error").then(() => ["refused"]),
      once(refusing, "close").then(() => ["closed"]),
    ]);
    expect(["refused", "closed"]).toContain(outcome);
  });
});

it("a GraphQL read_write key may open one", async () => {
  const socket = await connect("/graphql", world.GW, ["graphql-transport-ws"]);
  expect(socket.protocol).toBe("graphql-transport-ws");
  socket.close();
});
