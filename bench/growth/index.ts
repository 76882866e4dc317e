/**
 * `node bench/growth/index.ts`: what a request costs as keys and endpoints become many, what a cold look-up
 * reads, what a start costs, and how much is bundled. Writes bench/results/growth.json.
 */

import { rmSync } from "node:fs";
import { type Gateway, startGateway } from "../../scripts/gateway.ts";
import { createKeyFormat, displayPrefix, parseTagSecrets } from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { readNode } from "../../src/store/endpoints.ts";
import { readKeyRecord } from "../../src/store/keys.ts";
import { writeUses } from "../../src/store/usage.ts";
import type { Calls } from "../../test/harness/counting.ts";
import { countingRoot } from "../../test/harness/counting-root.ts";
import { createManyKeys } from "../../test/harness/many-keys.ts";
import { prepare } from "../direct.ts";
import { median, setUp } from "../hot-path.ts";
import { startOrigin } from "../origin.ts";
import { writeResults } from "../results.ts";
import { coldStart } from "./cold-start.ts";
import { heapAfter } from "./heap.ts";
import { loadMany, memoryOf } from "./load-many.ts";

const MOST_KEYS = Number(process.env.BENCH_MOST_KEYS ?? 1_000_000);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 10_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

const origin = await startOrigin();
const tagSecrets = JSON.stringify({ a: crypto.randomUUID() + crypto.randomUUID() });
const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
const settings = {
  vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", REQUEST_LOG: "off" },
  secrets: { KEY_TAG_SECRETS: tagSecrets },
};
const start = () => startGateway({ port: 0, persist: null, ...settings });

const PERMISSIONS = JSON.stringify({ graphql: "none", inference: "read_write", kubernetes_exec: "none" });
const SOME = 500;
const PIECE = 50_000;

async function account(db: D1Database, id: string): Promise<void> {
  await db
    .prepare(
      "INSERT INTO accounts (id, name, active_key_limit, created_at, updated_at) VALUES (?, ?, 2000000, 0, 0)",
    )
    .bind(id, id)
    .run();
}

/** Keys that can be presented. */
async function addKeys(db: D1Database, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, () => format.generate("production"));
  for (let from = 0; from < count; from += SOME) {
    const rows = keys.slice(from, from + SOME).map((key, i) => ({
      id: `real_${sha256Hex(key).slice(0, 16)}`,
      hash: sha256Hex(key),
      prefix: displayPrefix(key),
      name: `${from + i}`,
    }));
    await db
      .prepare(
        `INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, created_at, created_by)
         SELECT value ->> 'id', 'real', value ->> 'hash', value ->> 'prefix', value ->> 'name', 'production', ?1, 0, 'bench'
         FROM json_each(?2)`,
      )
      .bind(PERMISSIONS, JSON.stringify(rows))
      .run();
  }
  return keys;
}

async function addEndpoints(db: D1Database, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, i) => `e${from + i}`);
  for (let at = 0; at < rows.length; at += 1000) {
    await db
      .prepare(
        `INSERT INTO endpoints (id, name, api, protocol, path, origin, created_at, updated_at)
         SELECT value, value, 'inference', 'http', '/v2/' || value, ?1, 0, 0 FROM json_each(?2)`,
      )
      .bind(`http://127.0.0.1:${origin.port}`, JSON.stringify(rows.slice(at, at + 1000)))
      .run();
  }
}

const requestOf = (key: string, endpoint = "e0") =>
  [
    `GET /v2/${endpoint}/models HTTP/1.1`,
    "Host: 127.0.0.1",
    "User-Agent: bench/1.0",
    "Accept-Encoding: identity",
    `Authorization: Bearer ${key}`,
    "",
    "",
  ].join("\r\n");

/** A database that adds up what its queries read and write, by D1's own account of it. */
function metered(db: D1Database): { db: D1Database; read: number; written: number } {
  const meter = { db: {} as D1Database, read: 0, written: 0 };
  const note = (result: D1Result) => {
    meter.read += result.meta.rows_read;
    meter.written += result.meta.rows_written;
    return result;
  };
  const inner = new WeakMap<object, D1PreparedStatement>();
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async () => note(await statement.all());
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all,
      first: async () => (await all()).results[0] ?? null,
    } as unknown as D1PreparedStatement;
    inner.set(wrapped, statement);
    return wrapped;
  };
  meter.db = {
    prepare: (sql: string) => wrap(db.prepare(sql)),
    batch: async (statements: D1PreparedStatement[]) =>
      (await db.batch(statements.map((each) => inner.get(each) as D1PreparedStatement))).map(note),
  } as unknown as D1Database;
  return meter;
}

const target = (gateway: Gateway) => ({
  port: Number(new URL(gateway.url).port),
  pid: gateway.workerdPid(),
});

/** Median CPU time of warm requests, in µs. */
async function warm(gateway: Gateway, requests: string[]): Promise<number> {
  await loadMany(target(gateway), requests, Math.max(requests.length, 2000));
  const runs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    runs.push(await loadMany(target(gateway), requests, REQUESTS));
  }
  return median(runs);
}

async function readPerKey(db: D1Database, key: string): Promise<number> {
  const meter = metered(db);
  await readKeyRecord(meter.db, sha256Hex(key));
  return meter.read;
}

// ---- keys in D1: few and many, side by side ----
const sizes = [1000, 100_000, 1_000_000].filter((size) => size <= MOST_KEYS);
const sides = [];
for (const size of sizes) {
  const gateway = await start();
  const db = (await gateway.miniflare.getD1Database("DB")) as unknown as D1Database;
  await account(db, "real");
  // In pieces: one statement may not take longer than 30 s.
  for (let piece = 0; piece * PIECE < size; piece += 1) {
    await account(db, `many${piece}`);
    await createManyKeys(db, `many${piece}`, Math.min(PIECE, size));
  }
  await addEndpoints(db, 0, 1);
  const keys = await addKeys(db, 4 * SOME);
  sides.push({ size, gateway, db, keys, cold: [] as number[] });
}
// Each cold run takes keys that no one has presented yet; in turn, so that the machine's drift is shared.
for (let n = 0; n < 4; n += 1) {
  for (const side of sides) {
    const requests = side.keys.slice(n * SOME, (n + 1) * SOME).map((key) => requestOf(key));
    side.cold.push(await loadMany(target(side.gateway), requests, SOME));
  }
}
const warmRuns: number[][] = sides.map(() => []);
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [side, { gateway, keys }] of sides.entries()) {
    const cpu = await loadMany(target(gateway), [requestOf(keys[0] as string)], REQUESTS);
    if (round >= 0) warmRuns[side]?.push(cpu); // the first warms up
  }
}
const inD1 = [];
for (const [side, { size, gateway, db, keys, cold }] of sides.entries()) {
  inD1.push({
    keys: size,
    rowsReadPerColdLookUp: await readPerKey(db, keys[0] as string),
    coldCpu: median(cold.slice(1)), // the first also warms workerd up
    warmCpu: median(warmRuns[side] as number[]),
    workerdMiB: memoryOf(gateway.workerdPid()),
  });
}
for (const { gateway } of sides) await gateway.stop();
console.table(inD1);

// ---- distinct warm keys in one isolate's memory; endpoints; what a flush writes ----
const WARM = [1, 100, 10_000];
const ENDPOINTS = [10, 1000, 10_000];
let presented: string[] = [];
const many = await prepare(settings, async (miniflare) => {
  const filled = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  await account(filled, "real");
  await addEndpoints(filled, 0, 10_000);
  presented = await addKeys(filled, 10_000);
});
const ofKeys = presented.map((key) => requestOf(key));
const ofEndpoints = Array.from({ length: 10_000 }, (_, i) => requestOf(presented[0] as string, `e${i}`));
const heap = {
  keys: await heapAfter(many, ofKeys, WARM),
  endpoints: await heapAfter(many, ofEndpoints, ENDPOINTS),
};
await many.remove();
console.log("heap of the isolate, KiB:", heap);

const gateway = await start();
const db = (await gateway.miniflare.getD1Database("DB")) as unknown as D1Database;
await account(db, "real");
await addEndpoints(db, 0, 10);
const keys = await addKeys(db, 10_000);
const inMemory = [];
for (const [i, count] of WARM.entries()) {
  const cpu = await warm(
    gateway,
    keys.slice(0, count).map((key) => requestOf(key)),
  );
  inMemory.push({ keys: count, warmCpu: cpu, heapKiB: heap.keys[i] as number });
}
console.table(inMemory);

const endpoints = [];
let have = 10;
for (const [i, count] of ENDPOINTS.entries()) {
  await addEndpoints(db, have, count);
  have = Math.max(have, count);
  const meter = metered(db);
  await readNode(meter.db, "/v2");
  const top = meter.read;
  await readNode(meter.db, `/v2/e${count - 1}`);
  const requests = Array.from({ length: Math.min(count, 1000) }, (_, n) =>
    requestOf(keys[0] as string, `e${Math.floor((n * count) / Math.min(count, 1000))}`),
  );
  endpoints.push({
    endpoints: count,
    rowsReadAbove: top,
    rowsReadOwn: meter.read - top,
    warmCpu: await warm(gateway, requests),
    heapKiB: heap.endpoints[i] as number,
  });
}
console.table(endpoints);

const meter = metered(db);
const row = (count: number) => ({ key_id: "k", hour: 0, endpoint_id: "e", kind: "read", count });
await writeUses(meter.db, [row(1)], [{ key_id: "k", last_used_at: 1 }]);
const first = meter.written;
await writeUses(meter.db, [row(2)], [{ key_id: "k", last_used_at: 2 }]);
const flush = { rowsForNew: first, rowsForKnown: meter.written - first };
console.log("rows written for one key's uses, new and known:", flush);
await gateway.stop();

// ---- start ----
const bench = await setUp(origin.port);
const cold = await coldStart(bench, 9);
await bench.prepared.remove();
// The first request of all, by a Worker that counts what it asks for.
const root = countingRoot();
const counted = await startGateway({ port: 0, persist: null, root, ...settings });
const countedDb = (await counted.miniflare.getD1Database("DB")) as unknown as D1Database;
await account(countedDb, "real");
await addEndpoints(countedDb, 0, 1);
const [firstKey] = await addKeys(countedDb, 1);
await loadMany(target(counted), [requestOf(firstKey as string)], 1, 1);
const { kv, d1, ledger } = (await (await fetch(`${counted.url}/calls-so-far`)).json()) as Calls;
await counted.stop();
rmSync(root, { recursive: true, force: true });
const results = { ...cold, firstRequestCalls: { kv, d1, ledger } };
console.log(results);
origin.stop();
writeResults("growth", "npm run bench:growth", {
  rounds: ROUNDS,
  requests: REQUESTS,
  inD1,
  inMemory,
  endpoints,
  flush,
  coldStart: results,
});
