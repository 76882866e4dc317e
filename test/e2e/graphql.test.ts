import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import type { TestKey } from "../harness/gateway.ts";
import type { Answer, Call } from "../harness/http.ts";
import { startWorld, type World } from "../harness/world.ts";

// How documents are judged is in test/gateway/graphql*.test.ts; here, that the verdict holds on the wire.

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.gateway.createEndpoint({
    id: "runpod",
    account_id: "acme",
    protocol: "graphql",
    origin: `${world.origin.url}/runpod`,
    allow_query_key: true,
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const JSON_TYPE = { "content-type": "application/json" };
const send = (call: Call & { key?: TestKey; path?: string }): Promise<Answer> =>
  world.gateway.call(call.path ?? "/graphql", {
    method: "POST",
    ...call,
    headers: { ...JSON_TYPE, ...(call.key ?? world.GR).bearer, ...(call.headers as object) },
  });
/** What the origin was sent. */
const forwarded = () => ({
  target: world.origin.only.target,
  type: world.origin.only.header("content-type"),
  encoding: world.origin.only.header("content-encoding"),
  body: world.origin.only.body.toString(),
});

describe("a read key", () => {
  it("queries; what was judged is what is forwarded, rebuilt", async () => {
    const body =
      '{ "id": 7, "variables":{"id":12345678901234567890, "f": 1.0},"query":"query Q{a}" , "operationName":"Q"}';
    expect((await send({ body })).status).toBe(200);
    expect(forwarded()).toEqual({
      target: "/gql",
      type: "application/json",
      encoding: undefined,
      body: '{"query":"query Q{a}","operationName":"Q","variables":{"id":12345678901234567890, "f": 1.0}}',
    });
    expect(world.origin.only.header("content-length")).toBe(String(forwarded().body.length));
    expect(world.origin.only.header("x-postern-access")).toBe("read");
  });

  it("queries by GET; the members are rebuilt, the rest stays", async () => {
    expect((await send({ method: "GET", path: "/graphql?x=%41&query=%7Ba%7D&variables={}" })).status).toBe(
      200,
    );
    expect(forwarded().target).toBe("/gql?x=%41&query=%7Ba%7D&variables=%7B%7D");
  });

  it("has GraphQL members in the URL of a POST taken out", async () => {
    expect(
      (await send({ path: "/graphql?query=mutation{b}&x=1&operationName=B", body: { query: "{a}" } })).status,
    ).toBe(200);
    expect(forwarded()).toMatchObject({ target: "/gql?x=1", body: '{"query":"{a}"}' });
  });

  it("has comments and block strings taken out, which lexers read differently", async () => {
    const query = '#\r"""\nmutation { b } #""" query { a(s: """x "#" y""") }';
    const read = { query: '"mutation { b } #" query{a(s:"x \\"#\\" y")}' };
    expect((await send({ body: { query } })).status).toBe(200);
    expect(JSON.parse(forwarded().body)).toEqual(read);
    world.origin.clear();
    const got = await send({ method: "GET", path: `/graphql?query=${encodeURIComponent(query)}` });
    expect(got.status).toBe(200);
    expect(forwarded().target).toBe(`/gql?query=${encodeURIComponent(read.query)}`);
  });

  it.each([
    ["a mutation", { query: "mutation{b}" }],
    ["an unselected mutation", { query: "query A{a} mutation B{b}", operationName: "A" }],
    ["a mutation in a batch", [{ query: "{a}" }, { query: "mutation{b}" }]],
    ["a mutation behind a comment", { query: "#{a}\nmutation{b}" }],
    ["a mutation behind a comment that a CR ends", { query: "#{a}\rmutation{b}" }],
  ])("is 403 for %s", async (_, body) => {
    expectRefused(await send({ body: JSON.stringify(body) }), 403, "insufficient_scope", world.origin);
  });

  const POLYGLOT = '{"query":"query A{a} #+AFw-n mutation B{b}","operationName":"B"}';
  it.each([
    ["utf-7", 415, POLYGLOT, { "content-type": "application/json; charset=utf-7" }],
    ["the same bytes as UTF-8", 400, POLYGLOT, { "content-type": "application/json; charset=utf-8" }],
    [
      "utf-16",
      415,
      Buffer.from('{"query":"{a}"}', "utf16le"),
      { "content-type": "application/json; charset=utf-16le" },
    ],
    ["gzip", 415, gzipSync('{"query":"{a}"}'), { "content-encoding": "gzip" }],
    ["br", 415, brotliCompressSync('{"query":"{a}"}'), { "content-encoding": "br" }],
    ["gzip twice", 415, gzipSync(gzipSync('{"query":"{a}"}')), { "content-encoding": "gzip, gzip" }],
    ["a form", 415, "query={a}", { "content-type": "application/x-www-form-urlencoded" }],
    ["multipart", 415, "--x", { "content-type": "multipart/form-data; boundary=x" }],
    ["text/plain", 415, '{"query":"{a}"}', { "content-type": "text/plain" }],
    ["application/graphql", 415, "{a}", { "content-type": "application/graphql" }],
    ["bytes that are not UTF-8", 400, Buffer.from('{"query":"{a}\xff"}', "latin1"), {}],
    ["a byte order mark", 400, Buffer.from('\ufeff{"query":"{a}"}'), {}],
    ["duplicate members", 400, '{"query":"{a}","query":"mutation{b}"}', {}],
    ["a prototype", 400, '{"__proto__":{"query":"mutation{b}"}}', {}],
    ["an empty body", 400, "", {}],
    ["SDL", 400, '{"query":"type A{a:Int}"}', {}],
    ["a missing operationName", 400, '{"query":"query A{a} query B{b}"}', {}],
    ["an operationName that is not there", 400, '{"query":"query A{a}","operationName":"B"}', {}],
  ] as const)("is refused %s: %i", async (_, status, body, headers) => {
    const code = status === 415 ? "unsupported_media_type" : "invalid_request";
    expectRefused(await send({ body, headers: { ...headers } }), status, code, world.origin);
  });

  it("is refused a body without a content-type, and one with two", async () => {
    for (const types of [[], ["Content-Type: application/json", "Content-Type: text/plain"]]) {
      const answer = await world.gateway.raw(
        ["POST /graphql HTTP/1.1", `x-api-key: ${world.GR.key}`, ...types, "Content-Length: 15"],
        '{"query":"{a}"}',
      );
      expectRefused(answer, 415, "unsupported_media_type", world.origin);
    }
  });

  it("is refused a GET with a body, and a mutation by GET (405 with Allow: POST)", async () => {
    const body = '{"query":"mutation{b}"}';
    expectRefused(
      await send({ method: "GET", path: "/graphql?query={a}", body }),
      400,
      "invalid_request",
      world.origin,
    );
    for (const key of [world.GR, world.GW]) {
      const answer = await send({ method: "GET", path: "/graphql?query=mutation{b}", key });
      expectRefused(answer, 405, "method_not_allowed", world.origin);
      expect(answer.headers.allow).toContain("POST");
    }
  });

  it("is told to send the document where it sends only its hash, by POST and by GET", async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: "a".repeat(64) } };
    for (const answer of [
      await send({ body: { extensions } }),
      await send({
        method: "GET",
        path: `/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`,
      }),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.json.errors[0]).toEqual({
        message: "PersistedQueryNotSupported",
        extensions: { code: "PERSISTED_QUERY_NOT_SUPPORTED" },
      });
      expect(world.origin.requests).toEqual([]);
      expect(await world.gateway.logOf(answer.headers["x-request-id"]!)).toMatchObject({
        decision: "deny",
        reason: "persisted_query_not_supported",
      });
    }
  });

  it("is refused a body over the limit, announced or not, and the Worker lives", async () => {
    const big = JSON.stringify({ query: `{a(s:"${"x".repeat(2 * 1024 * 1024)}")}` });
    expectRefused(await send({ body: big }), 413, "body_too_large", world.origin);
    const chunked = await send({ body: big, headers: { "transfer-encoding": "chunked" } }).catch(() => null);
    if (chunked !== null) expectRefused(chunked, 413, "body_too_large", world.origin);
    expect((await send({ body: { query: "{a}" } })).status).toBe(200);
  });

  it.each([
    ["5,000 levels", `${"{a".repeat(5000)}${"}".repeat(5000)}`],
    ["nested lists", `{a(b:${"[".repeat(5000)}${"]".repeat(5000)})}`],
    ["300,000 comment lines", `${"#\n".repeat(300_000)}{a}`],
    ["100,000 directives", `{a ${"@d ".repeat(100_000)}}`],
    ["50,000 aliases", `{${Array.from({ length: 50_000 }, (_, i) => `a${i}:a`).join(" ")}}`],
  ])("is refused %s, soon", async (_, query) => {
    const answer = await send({ body: { query } });
    expect([400, 413]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
    expect((await send({ body: { query: "{a}" } })).status).toBe(200);
  });
});

describe("a read_write key", () => {
  it("mutates; the body streams by unread, byte for byte", async () => {
    const body = '{ "query" : "mutation{b}", "more": [1.0] }';
    expect((await send({ body, key: world.GW })).status).toBe(200);
    expect(forwarded()).toMatchObject({ body, type: "application/json" });
    expect(world.origin.only.header("x-postern-access")).toBe("read_write");
  });

  it("sends what a read key may not: files, encodings, persisted queries", async () => {
    for (const [body, headers] of [
      [gzipSync('{"query":"{a}"}'), { "content-encoding": "gzip" }],
      ["--x", { "content-type": "multipart/form-data; boundary=x" }],
      ['{"extensions":{"persistedQuery":{}}}', {}],
    ] as const) {
      world.origin.clear();
      expect((await send({ body, key: world.GW, headers: { ...headers } })).status).toBe(200);
      expect(Buffer.compare(world.origin.only.body, Buffer.from(body))).toBe(0);
    }
  });
});

describe("with the key in the query, as in Runpod's samples", () => {
  it("a read key queries, and a read_write key mutates; the key never goes on", async () => {
    const ask = (key: TestKey, query: string, method: string, tail = "") =>
      world.gateway.call(`/graphql/runpod?api_key=${key.key}${tail}`, {
        method,
        headers: JSON_TYPE,
        body: method === "POST" ? { query } : undefined,
      });
    expect((await ask(world.GR, "{a}", "POST")).status).toBe(200);
    expect(forwarded()).toMatchObject({ target: "/runpod", body: '{"query":"{a}"}' });
    world.origin.clear();
    expect((await ask(world.GR, "", "GET", "&query={a}")).status).toBe(200);
    expect(forwarded().target).toBe("/runpod?query=%7Ba%7D");
    world.origin.clear();
    expect((await ask(world.GW, "mutation{b}", "POST", "&x=1")).status).toBe(200);
    expect(forwarded().target).toBe("/runpod?x=1");
    world.origin.clear();
    expectRefused(await ask(world.GR, "mutation{b}", "POST"), 403, "insufficient_scope", world.origin);
    expectRefused(await ask(world.NONE, "{a}", "POST"), 403, "insufficient_scope", world.origin);
  });
});

describe("a key limited to root fields", () => {
  it("is judged through aliases and fragments", async () => {
    const key = await world.gateway.createKey({
      permissions: { graphql: { queries: "*", mutations: ["podStop"] } },
    });
    expect((await send({ key, body: { query: "mutation{x:podStop{id}}" } })).status).toBe(200);
    world.origin.clear();
    for (const query of [
      "mutation{podStop:podTerminate{id}}",
      "mutation{podStop{id} podTerminate{id}}",
      "mutation{...F} fragment F on Mutation{podTerminate{id}}",
      "mutation{... on Mutation{podTerminate{id}}}",
    ]) {
      expectRefused(await send({ key, body: { query } }), 403, "insufficient_scope", world.origin);
    }
  });
});

describe("without GraphQL access", () => {
  it("nothing is read, and everything is 403", async () => {
    for (const body of ["not json", '{"query":"{a}"}']) {
      expectRefused(await send({ body, key: world.RW }), 403, "insufficient_scope", world.origin);
    }
  });
});
