import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyKind } from "../../src/freshness/kinds.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { abandonChange } from "../../src/store/audit.ts";
import { commitChange } from "../../src/store/write.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";

/** LEASE_SECONDS here, in ms. */
const LEASE = 2000;
/** What a request may take from its start to its answer, in ms, on a busy machine. */
const SLACK = 500;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

let root: string;
let gateway: TestGateway;
let origin: Origin;
let key: TestKey;

beforeAll(async () => {
  root = countingRoot();
  [gateway, origin] = await Promise.all([
    startTestGateway({ root, vars: { LEASE_SECONDS: `${LEASE / 1000}` } }),
    Origin.start(),
  ]);
  await gateway.createAccount("acme");
  for (const freshness of ["bounded", "strict"] as const) {
    await gateway.createEndpoint({ id: freshness, freshness, protocol: "http", origin: origin.url });
  }
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.stop();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  key = await gateway.createKey({ permissions: { inference: "read_write" } });
});

const ask = async (endpoint: string, { bearer }: TestKey = key) =>
  (await gateway.call(`/v2/${endpoint}/x`, { headers: bearer })).status;

/** Asks again and again until a request that starts `LEASE + SLACK` after now is answered. */
async function keepAsking(): Promise<{ startedAfter: number; status: number }[]> {
  const began = Date.now();
  const answers: { startedAfter: number; status: number }[] = [];
  while (Date.now() - began < LEASE + SLACK) {
    const startedAfter = Date.now() - began;
    answers.push({ startedAfter, status: await ask("bounded") });
    await sleep(5);
  }
  return answers;
}

describe("a change is in force everywhere a lease later (spec 8)", () => {
  const changes: [string, number, (() => Promise<void>) | undefined, () => Promise<void>][] = [
    ["revoked", 401, undefined, () => gateway.changeKey(key.id, { revoked_at: Date.now() })],
    ["disabled", 401, undefined, () => gateway.changeKey(key.id, { enabled: false })],
    [
      "enabled",
      200,
      () => gateway.changeKey(key.id, { enabled: false }),
      () => gateway.changeKey(key.id, { enabled: true }),
    ],
    [
      "narrowed",
      403,
      undefined,
      () =>
        gateway.changeKey(key.id, {
          permissions: { graphql: "none", inference: "none", kubernetes_exec: "none" },
        }),
    ],
  ];
  it.each(changes)("a key that is %s", async (_, status, before, change) => {
    await before?.();
    for (let n = 0; n < 3; n += 1) await ask("bounded");
    await change();
    const answers = await keepAsking();
    const late = answers.filter((answer) => answer.startedAfter > LEASE && answer.status !== status);
    expect(late).toEqual([]);
    expect(answers.at(-1)?.status).toBe(status);
  });

  it("an account that is suspended, and let in again", async () => {
    expect(await ask("bounded")).toBe(200);
    await gateway.changeAccount("acme", { suspended: true });
    await sleep(LEASE + 1);
    expect(await ask("bounded")).toBe(401);
    await gateway.changeAccount("acme", { suspended: false });
    await sleep(LEASE + 1);
    expect(await ask("bounded")).toBe(200);
  });

  it("although KV still holds what the key was", async () => {
    expect(await ask("bounded")).toBe(200);
    const name = keyKind(4).cacheName(sha256Hex(key.key));
    await expect.poll(() => gateway.kv.get(name)).not.toBeNull();
    const positive = (await gateway.kv.get(name)) as string;
    await gateway.changeKey(key.id, { revoked_at: Date.now() });
    await gateway.kv.put(name, positive);
    await sleep(LEASE + 1);
    for (let n = 0; n < 5; n += 1) {
      expect(await ask("bounded")).toBe(401);
      await gateway.kv.put(name, positive);
    }
  });
});

describe("on a strict endpoint a change is in force at once", () => {
  it("the next request after a revocation is refused", async () => {
    for (let n = 0; n < 5; n += 1) {
      key = await gateway.createKey({ permissions: { inference: "read_write" } });
      for (let asked = 0; asked < 3; asked += 1) expect(await ask("strict")).toBe(200);
      await gateway.changeKey(key.id, { revoked_at: Date.now() });
      expect(await ask("strict")).toBe(401);
    }
  });

  it("and it is let in by the next request after it was enabled, made or given back", async () => {
    key = await gateway.createKey({ permissions: { inference: "read_write" } });
    expect(await ask("strict")).toBe(200);
    for (let n = 0; n < 3; n += 1) {
      await gateway.changeKey(key.id, { enabled: false });
      expect(await ask("strict")).toBe(401);
      await gateway.changeKey(key.id, { enabled: true });
      expect(await ask("strict")).toBe(200);
    }
  });

  it("and so it is after a narrowing", async () => {
    expect(await ask("strict")).toBe(200);
    await gateway.changeKey(key.id, {
      permissions: { graphql: "none", inference: "none", kubernetes_exec: "none" },
    });
    expect(await ask("strict")).toBe(403);
  });
});

it("D1 words a repeated change as the store expects it to", async () => {
  const audit = { id: crypto.randomUUID(), at: 0, account_id: null, actor: "test", address: null };
  const entry = { ...audit, action: "x", subject: "x", before: null, after: null };
  const write = { subjects: [], guard: { sql: "1", values: [] }, statements: [] };
  expect(await commitChange(gateway.db, entry, [write])).toBe("committed");
  expect(await commitChange(gateway.db, entry, [write])).toBe("committed");
  await abandonChange(gateway.db, "given-up", 0);
  expect(await commitChange(gateway.db, { ...entry, id: "given-up" }, [write])).toBe("abandoned");
});

describe("a warm key costs nothing", () => {
  const calls = async () =>
    (await gateway.call("/calls-so-far")).json as { kv: number; d1: number; ledger: number };

  it("no KV, no D1, and of the ledger two calls a second at most for each shard", async () => {
    // Read under a lease from before it was made, a new key is read once more after the next renewal.
    const warm = Date.now();
    while (Date.now() - warm < LEASE) await ask("bounded");
    await sleep(100);
    const before = await calls();
    const began = Date.now();
    let requests = 0;
    while (Date.now() - began < 3 * LEASE) {
      expect(await ask("bounded")).toBe(200);
      requests += 1;
    }
    const after = await calls();
    const seconds = (Date.now() - began) / 1000;
    expect(requests).toBeGreaterThan(100);
    expect([after.kv - before.kv, after.d1 - before.d1]).toEqual([0, 0]);
    // Two shards, the key's and the endpoints'. Uses are handed over once a second, and a lease is renewed at
    // half its length, a second too: mostly one call serves both, but they may also fall side by side.
    expect(after.ledger - before.ledger).toBeLessThanOrEqual(2 * 2 * (seconds + 1));
  });
});

describe("uses are exact", () => {
  it("over evictions of the ledger", { timeout: 60_000 }, async () => {
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => gateway.createKey({ permissions: { inference: "read_write" } })),
    );
    const expected = new Map(keys.map(({ id }) => [id, 0]));
    for (let round = 0; round < 20; round += 1) {
      const askers = keys.flatMap((asked, i) => Array.from({ length: 1 + ((i + round) % 5) }, () => asked));
      const statuses = await Promise.all(askers.map((asked) => ask("bounded", asked)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      for (const { id } of askers) expected.set(id, (expected.get(id) ?? 0) + 1);
      await sleep(150);
      await gateway.call("/evict-ledger");
    }
    const stored = async () => {
      const { results } = await gateway.db
        .prepare("SELECT key_id, sum(count) AS n FROM key_usage WHERE kind = 'read' GROUP BY key_id")
        .all<{ key_id: string; n: number }>();
      const counts = new Map(results.map(({ key_id, n }) => [key_id, n]));
      return keys.map(({ id }) => counts.get(id) ?? 0);
    };
    await expect
      .poll(stored, { timeout: 15_000, interval: 500 })
      .toEqual(keys.map(({ id }) => expected.get(id)));
    await sleep(2500);
    expect(await stored()).toEqual(keys.map(({ id }) => expected.get(id)));
  });
});
