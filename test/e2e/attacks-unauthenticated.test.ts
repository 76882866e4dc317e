import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Calls } from "../harness/counting.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";

// What somebody without a good key can make the gateway do: every call to KV, D1 and the ledger is counted.

let root: string;
let gateway: TestGateway;
let origin: Origin;
let good: TestKey;
let legacy: TestKey;

beforeAll(async () => {
  root = countingRoot();
  origin = await Origin.start();
  origin.on("/keys", ({ response }) => response.end('{"public_keys":[]}'));
  gateway = await startTestGateway({
    root,
    vars: {
      LEGACY_KEYS: "on",
      CLIENT_IP_HEADER: "x-address",
      SECRET_SCANNING_KEYS_URL: `${origin.url}/keys`,
    },
  });
  await gateway.createAccount("acme");
  await gateway.createEndpoint({ id: "web", protocol: "http", origin: origin.url });
  good = await gateway.createKey({ permissions: { inference: "read_write" } });
  legacy = await gateway.createKey({
    secret: "OLDKEYOLDKEYOLDKEYOLDKEYOLDKEY01",
    legacy: true,
    permissions: { inference: "read_write" },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.stop();
  rmSync(root, { recursive: true, force: true });
});

const calls = async () => (await gateway.call("/calls-so-far")).json as Calls;
const ask = (key: string, address: string, path = "/v2/web/x") =>
  gateway.call(path, { headers: { "x-api-key": key, "x-address": address } });

/** Sends so many requests, some at a time, and gives how often each status came. */
async function flood(count: number, send: (i: number) => Promise<{ status: number }>) {
  const statuses: Record<number, number> = {};
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, (_, n) => send(i + n));
    for (const { status } of await Promise.all(some)) statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

/** Everything that is stored where it lasts. */
async function stored(): Promise<string> {
  const { results } = await gateway.db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
    .all<{ name: string }>();
  const rows = await Promise.all(
    results.map(async ({ name }) => (await gateway.db.prepare(`SELECT * FROM "${name}"`).all()).results),
  );
  return JSON.stringify([rows, (await gateway.kv.list()).keys.map(({ name }) => name).sort()]);
}

it("forged native keys, whatever is wrong with them, cost no I/O at all", async () => {
  const { key } = good;
  const tail = (i: number) => i.toString(36).padStart(6, "0");
  const forge = [
    (i: number) => key.slice(0, -6) + tail(i),
    (i: number) => `pst_live_a${tail(i).repeat(8).slice(0, 46)}`,
    (i: number) => `pst_live_b${key.slice(10, -6)}${tail(i)}`,
    (i: number) => `pst_test_${key.slice(9, -6)}${tail(i)}`,
    (i: number) => `pst_live_${"x".repeat(i % 400)}`,
    (i: number) => `${key}${tail(i)}`,
  ];
  const before = await calls();
  const statuses = await flood(600, (i) => ask(forge[i % forge.length]!(i), `203.0.113.${i % 250}`));
  expect(statuses).toEqual({ 401: 600 });
  const { kv, d1, ledger } = await calls();
  expect({ kv, d1, ledger }).toEqual({ kv: before.kv, d1: before.d1, ledger: before.ledger });
});

it("unknown legacy keys from ever new addresses cost a bounded number of look-ups in all", async () => {
  expect((await ask(legacy.key, "198.51.100.1")).status).toBe(200);
  const before = await calls();
  const began = performance.now();
  const statuses = await flood(1000, (i) => ask(`unknown-legacy-key-${i}`, `address-${i}`));
  const seconds = (performance.now() - began) / 1000;
  const { d1, kv } = await calls();
  const most = 600 + 10 * Math.ceil(seconds);
  expect((statuses[401] ?? 0) + (statuses[429] ?? 0)).toBe(1000);
  expect(statuses[401]).toBeLessThanOrEqual(most);
  // A look-up is one question to KV and one to D1.
  expect(d1 - before.d1).toBeLessThanOrEqual(most);
  expect(kv - before.kv).toBeLessThanOrEqual(most);

  // Who has a good key does not notice: known ones, and native ones that this isolate has never seen.
  expect((await ask(legacy.key, "198.51.100.1")).status).toBe(200);
  const fresh = await gateway.createKey({ permissions: { inference: "read" } });
  expect((await ask(fresh.key, "198.51.100.2")).status).toBe(200);
  const refused = await ask("unknown-legacy-key-x", "198.51.100.3");
  if (refused.status === 429) expect(refused.headers["retry-after"]).toBe("5");
});

it("the same unknown key again and again is remembered, and costs nothing more", async () => {
  await ask("the-same-unknown-key", "192.0.2.1");
  const before = await calls();
  await flood(40, (i) => ask("the-same-unknown-key", `192.0.2.${i}`));
  expect((await calls()).d1 - before.d1).toBeLessThanOrEqual(3); // once a lease
});

describe("nothing that anybody sends without a good key writes to KV, D1 or a ledger", () => {
  it("while a good key's first use does, so that there is something to tell", async () => {
    await ask(good.key, "198.51.100.9");
    expect((await calls()).writes.kv).toBeGreaterThan(0);
    // Of every key used here, until the ledger has written the last of them to D1.
    const used = () => gateway.db.prepare("SELECT sum(count) AS n FROM key_usage").first<number>("n");
    await expect.poll(used, { timeout: 15_000 }).toBe(4);
    expect((await calls()).writes.ledger).toBeGreaterThan(0);
  });

  const paths = (i: number) =>
    [`/v2/nowhere-${i}/x`, `/made/up/${i}`, `/graphql/no-${i}`, "/v2/web/x"][i % 4]!;

  it.each<[string, (i: number) => Promise<{ status: number }>]>([
    ["requests without a key", (i) => gateway.call(paths(i))],
    ["forged keys", (i) => ask(`${good.key.slice(0, -6)}${String(i).padStart(6, "0")}`, `b-${i}`, paths(i))],
    ["unknown native keys", (i) => ask(gateway.strayKey(), `c-${i}`, paths(i))],
    ["unknown legacy keys", (i) => ask(`nobody-knows-me-${i}`, `d-${i}`, paths(i))],
    [
      "preflights",
      (i) =>
        gateway.call(paths(i), {
          method: "OPTIONS",
          headers: {
            origin: `https://page-${i}.example`,
            "access-control-request-method": "POST",
            "x-address": `e-${i}`,
          },
        }),
    ],
    [
      "management calls without a session, or with a made-up one",
      (i) =>
        gateway.call(["/v1/account/api-keys", "/admin/keys", "/v1/account/endpoints"][i % 3]!, {
          method: i % 2 === 0 ? "GET" : "POST",
          headers: i % 4 < 2 ? {} : { authorization: `Bearer eyJhbGciOiJub25lIn0.e30.${i}` },
          ...(i % 2 === 1 && { body: { name: "n", scopes: { all: true } } }),
        }),
    ],
    [
      "reports that nobody signed",
      (i) =>
        gateway.call("/webhooks/secret-scanning", {
          method: "POST",
          headers: { "github-public-key-identifier": "nobody", "github-public-key-signature": `c2ln${i}` },
          body: [{ token: good.key, type: "t" }],
        }),
    ],
  ])("%s", async (_, send) => {
    origin.clear();
    await gateway.call("/new-isolate"); // one that has looked nothing up yet
    const [before, rows] = [await calls(), await stored()];
    const statuses = await flood(120, send);
    expect(Object.keys(statuses).filter((status) => !/^(204|401|404|405|429|503)$/.test(status))).toEqual([]);
    expect((await calls()).writes).toEqual(before.writes);
    expect(await stored()).toBe(rows);
    // The partner's keys are fetched by those that come first, at once, and not for every forgery.
    expect(origin.requests.length).toBeLessThanOrEqual(20);
  });
});
