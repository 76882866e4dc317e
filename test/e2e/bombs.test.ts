import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../harness/http.ts";
import { createSessions } from "../harness/sessions.ts";
import { startWorld, type World } from "../harness/world.ts";

// Requests made to be dear: answered 4xx, soon, and the Worker is as quick afterwards as it was before.

let world: World;
let session: Record<string, string>;
let before: { cpu: number; memory: number };

beforeAll(async () => {
  const sessions = await createSessions();
  world = await startWorld({ vars: sessions.vars });
  session = { ...(await sessions.of("acme", ["owner", "admin"])), "x-postern-account-id": "acme" };
  await usual(); // warm
  before = { cpu: await usual(), memory: world.gateway.memory() };
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** CPU seconds that some usual traffic takes. */
async function usual(): Promise<number> {
  const { gateway, GR, RW } = world;
  const began = gateway.cpuSeconds();
  for (let i = 0; i < 150; i += 1) {
    const answers = await Promise.all([
      gateway.call("/v2/epA/health", { headers: RW.bearer }),
      gateway.call("/graphql", { method: "POST", headers: GR.bearer, body: { query: "{a}" } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  }
  return gateway.cpuSeconds() - began;
}

/** The most CPU time that one bomb may take, in seconds; far above what any does, so that busy machines pass. */
const MOST_CPU = 1.5;

async function expectDefused(send: () => Promise<Answer>): Promise<void> {
  const began = world.gateway.cpuSeconds();
  const { status } = await send();
  // The runtime answers some itself, or hangs up on them (0).
  expect(status === 0 || (status >= 400 && status < 500)).toBe(true);
  expect(world.gateway.cpuSeconds() - began).toBeLessThan(MOST_CPU);
  expect(world.origin.requests).toEqual([]);
}

const KIB = 1024;
const many = (count: number, one: (i: number) => string) => Array.from({ length: count }, (_, i) => one(i));

describe("headers and URLs", () => {
  it.each<[string, () => string[]]>([
    ["a header of 40 KiB", () => [`x-big: ${"x".repeat(40 * KIB)}`]],
    ["a header name of 40 KiB", () => [`${"x".repeat(40 * KIB)}: 1`]],
    ["a thousand headers", () => many(1000, (i) => `x-${i}: 1`)],
    ["the same header 20,000 times", () => many(20_000, () => "x-same: 1")],
    ["130 kB of headers", () => many(10, (i) => `x-${i}: ${"y".repeat(13_000)}`)],
    ["a key of 30 KiB", () => [`x-api-key: ${"k".repeat(30 * KIB)}`]],
    ["30 KiB of commas in Authorization", () => [`authorization: ${", ".repeat(15 * KIB)}`]],
    ["a Connection header that names 10,000 others", () => [`connection: ${"a,".repeat(20_000)}`]],
    ["a Content-Type of 40 KiB", () => [`content-type: application/json${";a=b".repeat(10 * KIB)}`]],
  ])("%s", async (_, headers) => {
    const { gateway, RW } = world;
    await expectDefused(() =>
      gateway.raw(["POST /v2/epA/run HTTP/1.1", `x-api-key: ${RW.key}`, "Content-Length: 0", ...headers()]),
    );
  });

  it.each<[string, () => string]>([
    ["a path of 20 kB", () => `/v2/web/${"a".repeat(20_000)}`],
    ["ten thousand segments", () => `/v2/web${"/a".repeat(10_000)}`],
    ["8 KiB of encoded slashes", () => `/v2/epA/${"%2f".repeat(2700)}`],
    ["8 KiB of dots", () => `/v2/epA${"/..".repeat(2700)}`],
    ["8 KiB of half escapes", () => `/v2/web/${"%".repeat(8100)}`],
    ["a query of 100 kB", () => `/v2/web/x?${"a=b&".repeat(25_000)}`],
    ["4,000 parameters, each half a GraphQL member", () => `/graphql?${"query;".repeat(1300)}`],
    ["8 KiB of nested variables", () => `/graphql?query={a}&variables=${"[".repeat(8000)}`],
  ])("%s", async (_, target) => {
    const { gateway, GR } = world;
    await expectDefused(() => gateway.raw([`GET ${target()} HTTP/1.1`, `x-api-key: ${GR.key}`]));
  });
});

describe("GraphQL bodies", () => {
  const query = (text: string) => JSON.stringify({ query: text });
  const FRAGMENTS = many(
    300,
    (i) => `fragment F${i} on Query{...F${(i + 1) % 300} ...F${(i + 7) % 300}}`,
  ).join(" ");

  it.each<[string, () => string | Buffer]>([
    ["100,000 open brackets", () => "[".repeat(100_000)],
    ["a million open braces of JSON", () => '{"a":'.repeat(200_000)],
    ["100,000 members", () => `{${many(60_000, (i) => `"m${i}":0`).join(",")}}`],
    ["the same member 100,000 times", () => `{${many(80_000, () => '"query":""').join(",")}}`],
    ["a number of a million digits", () => `{"variables":${"9".repeat(1_000_000)}}`],
    ["a megabyte of escapes", () => `{"query":"${"\\u0023".repeat(170_000)}"}`],
    ["a megabyte of half escapes", () => `{"query":"${"\\".repeat(1_000_001)}"}`],
    ["a megabyte of spaces", () => " ".repeat(1_000_000)],
    ["two megabytes", () => query(`{a(s:"${"x".repeat(2_000_000)}")}`)],
    ["a gzip bomb", () => gzipSync(" ".repeat(20_000_000))],
    ["5,000 levels of selections", () => query("{a".repeat(5000))],
    ["5,000 levels of lists", () => query(`{a(b:${"[".repeat(5000)}`)],
    ["300,000 comments", () => query(`${"#\n".repeat(300_000)}{a}`)],
    ["100,000 directives", () => query(`{a ${"@d ".repeat(80_000)}}`)],
    ["50,000 aliases", () => query(`{${many(50_000, (i) => `a${i}:a`).join(" ")}}`)],
    ["300,000 quotes", () => query(`{a(s:${'"'.repeat(100_001)})}`)],
    ["a string that never ends", () => query(`{a(s:"${"x".repeat(250_000)}`)],
    ["a block string that never ends", () => query(`{a(s:"""${'\\"""'.repeat(50_000)}`)],
    ["1,000 operations", () => query(many(1000, (i) => `query Q${i}{a}`).join(" "))],
    ["fragments that spread each other without end, and no field", () => query(`{...F0} ${FRAGMENTS}`)],
    [
      "50 mutations over 300 such fragments",
      () =>
        JSON.stringify({
          query: `${many(50, (i) => `mutation M${i}{b ...F0}`).join(" ")} ${FRAGMENTS}`,
          operationName: "M0",
        }),
    ],
    ["a batch of 100,000", () => `[${'{"query":"{a}"},'.repeat(60_000)}{}]`],
    [
      "ten documents of 9,000 tokens, the last a mutation",
      () =>
        JSON.stringify(
          many(10, (i) => `${i === 9 ? "mutation" : "query"}{${"a ".repeat(8900)}}`).map((text) => ({
            query: text,
          })),
        ),
    ],
  ])("%s", async (_, body) => {
    const { gateway, GR } = world;
    const bytes = body();
    await expectDefused(() =>
      gateway.call("/graphql", {
        method: "POST",
        headers: { ...GR.bearer, "content-type": "application/json" },
        body: bytes,
      }),
    );
  });
});

describe("management bodies", () => {
  it.each<[string, string, () => string]>([
    ["100,000 open brackets", "/v1/account/api-keys", () => "[".repeat(100_000)],
    ["200 kB of nesting", "/v1/account/api-keys", () => '{"scopes":'.repeat(20_000)],
    [
      "50,000 scopes",
      "/v1/account/api-keys",
      () => JSON.stringify({ name: "n", scopes: many(15_000, (i) => `a:${i}`) }),
    ],
    ["a megabyte", "/v1/account/api-keys", () => JSON.stringify({ name: "x".repeat(1_000_000) })],
    ["30,000 members", "/v1/account/api-keys", () => `{${many(18_000, (i) => `"m${i}":0`).join(",")}}`],
    [
      "a template of 50,000 scopes",
      "/v1/account/permission-templates",
      () => JSON.stringify({ name: "n", scopes: many(15_000, (i) => `a:${i}`) }),
    ],
  ])("%s to %s", async (_, path, body) => {
    const text = body();
    await expectDefused(() =>
      world.gateway.call(path, {
        method: "POST",
        headers: { ...session, "content-type": "application/json" },
        body: text,
      }),
    );
  });
});

it("after all of them, usual traffic costs what it did, and memory is not kept", async () => {
  await usual();
  const cost = Math.min(await usual(), await usual());
  expect(cost).toBeLessThan(before.cpu * 2 + 0.2);
  expect(world.gateway.memory() - before.memory).toBeLessThan(200 * KIB * KIB);
});
