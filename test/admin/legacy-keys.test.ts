import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/keys/hash.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

/** A change is in force a lease later at the latest: one second in tests. */
const IN_FORCE = { timeout: 5000 };
const KEYS = "/v1/account/api-keys";
const NDJSON = { "content-type": "application/x-ndjson" };
/** What wrangler.toml allows an address in a minute. */
const LIMIT = 100;
/** Lines of the large import: 100,000 take half a minute on a busy machine, and run by night. */
const LINES = Number(process.env.POSTERN_IMPORT_LINES || 20_000);

let sessions: Sessions;
let gateway: TestGateway;
let origin: Origin;
let admin: ReturnType<typeof as>;
let owner: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  [gateway, origin] = await Promise.all([
    startTestGateway({ vars: { ...sessions.vars, LEGACY_KEYS: "on", CLIENT_IP_HEADER: "x-address" } }),
    Origin.start(),
  ]);
  await gateway.createAccount("acme");
  await gateway.createEndpoint({ id: "epA", account_id: "acme", protocol: "serverless", origin: origin.url });
  await gateway.createEndpoint({ id: "web", account_id: "acme", protocol: "http", origin: origin.url });
  await gateway.createEndpoint({
    id: "graphql",
    account_id: "acme",
    protocol: "graphql",
    origin: origin.url,
  });
  admin = as(gateway, await sessions.admin());
  owner = as(gateway, await sessions.of("acme"));
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

/** A secret of an older system's shape. */
function secretOf(shape: "bare" | "rpa"): string {
  const random = randomBytes(20).toString("hex").toUpperCase();
  const secret = shape === "bare" ? random : `rpa_${random}`;
  gateway.secrets.push(secret);
  return secret;
}

async function importKey(record: object): Promise<string> {
  const line = JSON.stringify({ account_id: "acme", name: "old", ...record });
  const { text } = await admin("POST", "/admin/keys/import", undefined, { body: line, headers: NDJSON });
  const result = JSON.parse(text.split("\n")[0]!);
  expect(result).toMatchObject({ status: "created" });
  return result.id;
}

const call = async (key: string, method: string, path: string, body?: object) =>
  (await gateway.call(path, { method, headers: { authorization: key }, ...(body && { body }) })).status;
/** Statuses of a query, a mutation, a read and a write on each endpoint. */
const outcome = async (key: string) => [
  await call(key, "POST", "/graphql", { query: "{ pods { id } }" }),
  await call(key, "POST", "/graphql", { query: "mutation { podStop(id: 1) { id } }" }),
  await call(key, "GET", "/v2/epA/status/1"),
  await call(key, "POST", "/v2/epA/run", { input: {} }),
  await call(key, "DELETE", "/v2/web/x"),
];

describe.each([
  ["by its hash", "read", (secret: string) => ({ sha256: sha256Hex(secret) })],
  ["by its hash", "read_write", (secret: string) => ({ sha256: sha256Hex(secret).toUpperCase() })],
  ["by its secret", "read", (secret: string) => ({ key: secret })],
  ["by its secret", "read_write", (secret: string) => ({ key: secret })],
] as const)("a legacy key that was imported %s with GraphQL %s", (_, graphql, by) => {
  let secret: string;
  let id: string;
  const allowed = [200, graphql === "read" ? 403 : 200, 200, 200, 200];
  const edit = (body: object) => owner("PATCH", `${KEYS}/${id}`, body);
  const read = () => call(secret, "GET", "/v2/epA/health");
  beforeAll(async () => {
    secret = secretOf(graphql === "read" ? "bare" : "rpa");
    id = await importKey({ ...by(secret), graphql });
  });

  test("works as it did: full inference, and no more GraphQL than it had", async () => {
    expect(await outcome(secret)).toEqual(allowed);
    const own = await gateway.call("/v1/key", { headers: { "x-api-key": secret } });
    expect(own.json).toMatchObject({
      permissions: { graphql, inference: "read_write", kubernetes_exec: "none" },
    });
  });

  test("can be renamed; its scopes cannot be edited", async () => {
    expect((await edit({ name: "renamed" })).json).toMatchObject({ name: "renamed", permission: "legacy" });
    for (const body of [
      { scopes: { all: true } },
      { template: "read_only" },
      { name: "x", scopes: ["inference:read"] },
    ]) {
      expectDenial(await edit(body), 409, "legacy_key");
    }
    expectDenial(await edit({ name: secret }), 400, "invalid_request");
    expect((await owner("GET", `${KEYS}/${id}`)).json.name).toBe("renamed");
    expect(await outcome(secret)).toEqual(allowed);
  });

  test("can be disabled and enabled", async () => {
    expect((await edit({ enabled: false })).json).toMatchObject({ status: "disabled" });
    await expect.poll(read, IN_FORCE).toBe(401);
    expect((await edit({ enabled: true })).json).toMatchObject({ status: "active" });
    await expect.poll(read, IN_FORCE).toBe(200);
  });

  test("can be given an expiry, and revoked", async () => {
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    expect((await edit({ expires_at })).json).toMatchObject({ expires_at, status: "active" });
    expect((await owner("POST", `${KEYS}/${id}/revoke`)).json).toMatchObject({ status: "revoked" });
    await expect.poll(() => outcome(secret), IN_FORCE).toEqual([401, 401, 401, 401, 401]);
    expectDenial(await edit({ name: "x" }), 409, "key_revoked");
  });
});

test("a legacy key expires by the clock", async () => {
  const secret = secretOf("bare");
  await importKey({ key: secret, graphql: "read", expires_at: new Date(Date.now() + 1500).toISOString() });
  expect(await call(secret, "GET", "/v2/epA/health")).toBe(200);
  await expect.poll(() => call(secret, "GET", "/v2/epA/health"), IN_FORCE).toBe(401);
});

test("unknown keys of that shape are limited by address, and never written to KV", async () => {
  const good = secretOf("bare");
  await importKey({ key: good, graphql: "read" });
  const stored = async () => (await gateway.kv.list()).keys.map(({ name }) => name).sort();
  const from = (address: string, key: string) =>
    gateway.call("/v2/epA/health", { headers: { "x-api-key": key, "x-address": address } });
  expect((await from("203.0.113.9", good)).status).toBe(200);
  const before = await stored();

  const answers = [];
  for (let i = 0; i < LIMIT + 20; i += 1)
    answers.push(await from("203.0.113.7", `UNKNOWN${i}UNKNOWNUNKNOWN`));
  const limited = answers.filter(({ status }) => status === 429);
  expect(answers.length - limited.length).toBeLessThanOrEqual(LIMIT + 1);
  expect(limited.length).toBeGreaterThan(0);
  for (const answer of answers) {
    if (answer.status === 401) expectDenial(answer, 401, "invalid_api_key");
    else {
      expectDenial(answer, 429, "rate_limited");
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    }
  }
  // An address of its own has a limit of its own; a header that nobody vouches for is no address.
  expect((await from("203.0.113.8", "UNKNOWNxUNKNOWNUNKNOWN")).status).toBe(401);
  const forwarded = {
    "x-api-key": "UNKNOWNyUNKNOWN",
    "x-address": "203.0.113.7",
    "x-forwarded-for": "198.51.100.1",
  };
  expect((await gateway.call("/v2/epA/health", { headers: forwarded })).status).toBe(429);
  // Native keys are told by their tag, and cost nothing.
  expect((await from("203.0.113.7", `pst_live_${"a".repeat(47)}`)).status).toBe(401);
  expect((await from("203.0.113.9", good)).status).toBe(200);
  expect(await stored()).toEqual(before);
});

test(`${LINES} are imported in one call, in bounded memory`, { timeout: 120_000 }, async () => {
  const headers = { ...NDJSON, ...(await sessions.admin()) };
  const line = (i: number) =>
    `{"account_id":"acme","name":"Old key ${i}","sha256":"${sha256Hex(`BULK${i}`)}","graphql":"read"}\n`;
  async function* body() {
    for (let i = 0; i < LINES; i += 500)
      yield Buffer.from(Array.from({ length: 500 }, (_, k) => line(i + k)).join(""));
  }
  const idle = gateway.memory();
  let most = idle;
  const watch = setInterval(() => {
    most = Math.max(most, gateway.memory());
  }, 100);
  const began = Date.now();
  const answer = await gateway.open("/admin/keys/import", {
    method: "POST",
    body: Readable.from(body()),
    headers,
  });
  expect(answer.status).toBe(200);
  let results = 0;
  let last = "";
  for await (const chunk of answer.body) {
    const text = last + chunk;
    const parts = text.split("\n");
    last = parts.pop()!;
    results += parts.length;
    if (parts.length > 0) most = Math.max(most, gateway.memory());
    if (parts.at(-1)?.includes("summary")) last = parts.at(-1)!;
  }
  clearInterval(watch);
  const seconds = (Date.now() - began) / 1000;
  const grown = Math.round((most - idle) / 1024 / 1024);
  console.log(`imported ${LINES} keys in ${seconds.toFixed(1)} s; workerd grew by ${grown} MB`);
  expect(results).toBe(LINES + 1);
  expect(JSON.parse(last)).toEqual({ summary: { created: LINES, unchanged: 0, failed: 0 } });
  // With D1 and the Durable Objects in the same process.
  expect(grown).toBeLessThan(400);
  for (const i of [0, LINES / 2, LINES - 1]) {
    gateway.secrets.push(`BULK${i}`);
    expect(await call(`BULK${i}`, "GET", "/v2/epA/health")).toBe(200);
  }
});
