import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestKey } from "../harness/gateway.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { FLUSH_SECONDS: "1" } });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const lastUsed = (key: TestKey) =>
  world.gateway.db
    .prepare("SELECT last_used_at FROM key_last_used WHERE key_id = ?")
    .bind(key.id)
    .first<number>("last_used_at");

async function usage(key: TestKey): Promise<Record<string, number>> {
  const { results } = await world.gateway.db
    .prepare("SELECT endpoint_id, kind, count FROM key_usage WHERE key_id = ?")
    .bind(key.id)
    .all<{ endpoint_id: string; kind: string; count: number }>();
  return Object.fromEntries(results.map((row) => [`${row.endpoint_id} ${row.kind}`, row.count]));
}

describe("uses (spec 9)", () => {
  it("are counted by endpoint, kind and reason, and are in D1 within 15 s", { timeout: 30_000 }, async () => {
    const { gateway } = world;
    const key = await gateway.createKey({ permissions: { inference: { endpoints: { epA: "read" } } } });
    const disabled = await gateway.createKey({ enabled: false });
    const before = Date.now();
    const call = (path: string, method = "GET", from = key) =>
      gateway.call(path, { method, headers: from.bearer });
    for (let i = 0; i < 20; i += 1) expect((await call("/v2/epA/health")).status).toBe(200);
    await call("/v2/epA/run", "POST");
    await call("/v2/epB/health");
    await call("/v2/nowhere/x");
    await call("/v2/epA/health", "GET", disabled);
    const after = Date.now();

    await expect
      .poll(() => usage(key), { timeout: 15_000, interval: 200 })
      .toEqual({
        "epA read": 20,
        "epA denied:insufficient_scope": 1,
        "epB denied:insufficient_scope": 1,
        " denied:endpoint_not_found": 1,
      });
    expect(await usage(disabled)).toEqual({ " denied:disabled": 1 });
    const at = await lastUsed(key);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
    expect(await lastUsed(disabled)).toBeNull();
  });
});

describe("the log (spec 13)", () => {
  it("has one line a request, with what was decided and why", async () => {
    const { gateway, RO } = world;
    const answer = await gateway.call("/v2/epA/run?secret=1", {
      method: "POST",
      headers: RO.bearer,
      body: "body",
    });
    const requestId = answer.headers["x-request-id"]!;
    const line = await gateway.logOf(requestId);
    expect(line).toMatchObject({
      request_id: requestId,
      method: "POST",
      account_id: "acme",
      key_id: RO.id,
      endpoint_id: "epA",
      decision: "deny",
      reason: "insufficient_scope",
      status: 403,
    });
    expect(gateway.logs.filter(({ text }) => text.includes(requestId))).toHaveLength(1);
    expect(JSON.stringify(line)).not.toMatch(/secret=1|body/);
    const allowed = await gateway.call("/v2/epA/health", { headers: RO.bearer });
    expect(await gateway.logOf(allowed.headers["x-request-id"]!)).toMatchObject({
      operation: "read",
      decision: "allow",
      reason: null,
      status: 200,
      origin_ms: expect.any(Number),
    });
  });
});

describe("no key is kept anywhere", () => {
  it("not in D1, nor in KV, nor in the logs", async () => {
    const { gateway, ALL, GR } = world;
    for (const key of [ALL, GR]) {
      await gateway.call("/v2/web/x", { headers: key.bearer });
      await gateway.call(`/v2/web/x?api_key=${key.key}`);
      await gateway.call(`/v2/web/x?k=${key.key}`, { headers: key.bearer });
      await gateway.call("/v2/web/x", { headers: { authorization: `Token ${key.key}` } });
    }
    const stored: string[] = [];
    const { results: tables } = await gateway.db
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .all<{ name: string }>();
    for (const { name } of tables) {
      stored.push(JSON.stringify((await gateway.db.prepare(`SELECT * FROM "${name}"`).all()).results));
    }
    const { keys: names } = await gateway.kv.list();
    for (const { name } of names) stored.push(name, (await gateway.kv.get(name)) ?? "");
    expect(names.length).toBeGreaterThan(0);
    const everything = [...stored, ...gateway.logs.map(({ text }) => text)].join("\n");
    for (const secret of gateway.secrets) expect(everything.includes(secret)).toBe(false);
  });
});
