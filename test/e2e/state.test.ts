import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyKind } from "../../src/freshness/kinds.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { expectDenial, expectRefused } from "../harness/denied.ts";
import { startTestGateway } from "../harness/gateway.ts";
import { startWorld, type World } from "../harness/world.ts";

/** LEASE_SECONDS and GRACE_SECONDS here, in ms. */
const LEASE = 1000;

const lease = () => new Promise((done) => setTimeout(done, LEASE + 100));

describe("KV is only a cache (spec 2.2)", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.stop());
  beforeEach(() => world.origin.clear());

  const get = () => world.gateway.call("/v2/web/x", { headers: world.ALL.bearer });
  const names = async () => (await world.gateway.kv.list()).keys.map(({ name }) => name);

  it("what it holds is not believed where it is broken, foreign or another key's", async () => {
    const { gateway } = world;
    expect((await get()).status).toBe(200);
    await expect.poll(names).not.toEqual([]);
    const [keyName] = (await names()).filter((name) => name.startsWith("key:"));
    const good = (await gateway.kv.get(keyName!))!;
    const entry = JSON.parse(good);
    const forged = { ...entry, value: { ...entry.value, hash: "0".repeat(64), account_id: "other" } };
    const fresh = await gateway.createKey({ permissions: { inference: "none" } });
    const without = (permissions: object) =>
      JSON.stringify({
        ...entry,
        value: { ...entry.value, permissions: { ...entry.value.permissions, ...permissions } },
      });
    const broken = [
      { inference: {} },
      { graphql: { queries: "*" } },
      { kubernetes_exec: {} },
      { graphql: null },
    ];
    for (const text of ["", "{", "null", "[]", '{"value":{}}', JSON.stringify(forged), good]) {
      const key = await gateway.createKey({ permissions: { inference: "none" } });
      await gateway.kv.put(keyKind(4).cacheName(sha256Hex(key.key)), text);
      const answer = await gateway.call("/v2/web/x", { headers: key.bearer });
      world.origin.clear();
      expect([text.slice(0, 20), answer.status]).toEqual([text.slice(0, 20), 403]);
    }
    for (const permissions of broken) {
      const kind = keyKind(4);
      expect(kind.recognises(entry.value, entry.value.hash)).toBe(true);
      expect(kind.recognises(JSON.parse(without(permissions)).value, entry.value.hash)).toBe(false);
    }
    expectRefused(
      await gateway.call("/v2/web/x", { headers: fresh.bearer }),
      403,
      "insufficient_scope",
      world.origin,
    );
  });
});

describe("when D1 fails", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    await world.gateway.createEndpoint({
      id: "strict",
      account_id: "acme",
      protocol: "http",
      origin: `${world.origin.url}/strict`,
      freshness: "strict",
    });
    for (const path of ["/v2/web/x", "/v2/strict/x"]) {
      expect((await world.gateway.call(path, { headers: world.ALL.bearer })).status).toBe(200);
    }
    await world.gateway.db.prepare("ALTER TABLE keys RENAME TO keys_gone").run();
  });
  afterAll(() => world?.stop());
  beforeEach(() => world.origin.clear());

  it("a key whose state the ledger vouches for still works, also after its lease and on strict endpoints", async () => {
    for (const path of ["/v2/web/x", "/v2/strict/x"])
      expect((await world.gateway.call(path, { headers: world.ALL.bearer })).status).toBe(200);
    await lease();
    for (const path of ["/v2/web/x", "/v2/strict/x"])
      expect((await world.gateway.call(path, { headers: world.ALL.bearer })).status).toBe(200);
  });

  it("a key that no cache holds is 503 with Retry-After, and nothing is sent", async () => {
    const answer = await world.gateway.call("/v2/web/x", { headers: world.RO.bearer });
    expectRefused(answer, 503, "state_unavailable", world.origin);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  it("an unknown key is 503 as well: that it is unknown cannot be told", async () => {
    const headers = { "x-api-key": world.gateway.strayKey() };
    expectRefused(await world.gateway.call("/v2/web/x", { headers }), 503, "state_unavailable", world.origin);
  });

  it("a forged key is still 401", async () => {
    const headers = { "x-api-key": `${world.ALL.key.slice(0, -6)}000000` };
    expectRefused(await world.gateway.call("/v2/web/x", { headers }), 401, "invalid_api_key", world.origin);
  });
});

describe("with a wrong configuration", () => {
  it("every request is 500 with its id and nothing else, and the log names what is wrong", async () => {
    const gateway = await startTestGateway({ vars: { LEASE_SECONDS: "soon" } });
    try {
      const answer = await gateway.call("/v2/web/x", { headers: { "x-api-key": gateway.strayKey() } });
      expectDenial(answer, 500, "internal_error");
      expect(answer.json.detail).toBe("Internal error");
      const line = await gateway.logOf(answer.headers["x-request-id"]!);
      expect(line.message).toContain("LEASE_SECONDS");
    } finally {
      await gateway.stop();
    }
  });
});
