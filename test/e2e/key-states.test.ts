import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import type { TestKey } from "../harness/gateway.ts";
import { startWorld, type World } from "../harness/world.ts";

/** LEASE_SECONDS here, in ms: when a change must be in force everywhere. */
const LEASE = 1000;

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { LEASE_SECONDS: "1" } });
  await world.gateway.createEndpoint({
    id: "strict",
    account_id: "acme",
    protocol: "http",
    origin: `${world.origin.url}/strict`,
    freshness: "strict",
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const get = (key: TestKey, path = "/v2/web/x") => world.gateway.call(path, { headers: key.bearer });

/** A key that every cache knows as good. */
async function warmKey(expires_at: number | null = null): Promise<TestKey> {
  const key = await world.gateway.createKey({ permissions: { inference: "read_write" }, expires_at });
  for (const path of ["/v2/web/x", "/v2/web/x", "/v2/strict/x"])
    expect((await get(key, path)).status).toBe(200);
  world.origin.clear();
  return key;
}

async function refused(key: TestKey, reason: string, path?: string): Promise<void> {
  const answer = await get(key, path);
  expectRefused(answer, 401, "invalid_api_key", world.origin);
  expect(await world.gateway.logOf(answer.headers["x-request-id"]!)).toMatchObject({
    reason,
    decision: "deny",
  });
}

describe("a key that worked a moment ago", () => {
  it("and is disabled, is refused within a lease; enabled again, it is let in within one", async () => {
    const key = await warmKey();
    await world.gateway.changeKey(key.id, { enabled: false });
    await wait(LEASE);
    await refused(key, "disabled");
    await world.gateway.changeKey(key.id, { enabled: true });
    await wait(LEASE);
    expect((await get(key)).status).toBe(200);
  });

  it("and is revoked, is refused within a lease", async () => {
    const key = await warmKey();
    await world.gateway.changeKey(key.id, { revoked_at: Date.now() });
    await wait(LEASE);
    await refused(key, "revoked");
  });

  it("and whose account is suspended, is refused within a lease; reinstated, let in within one", async () => {
    await world.gateway.createAccount("tenant");
    const key = await world.gateway.createKey({ account_id: "tenant", permissions: { inference: "read" } });
    await world.gateway.createEndpoint({ id: "free", protocol: "http", origin: `${world.origin.url}/free` });
    expect((await get(key, "/v2/free/x")).status).toBe(200);
    await world.gateway.changeAccount("tenant", { suspended: true });
    await wait(LEASE);
    world.origin.clear();
    await refused(key, "account_suspended", "/v2/free/x");
    await world.gateway.changeAccount("tenant", { suspended: false });
    await wait(LEASE);
    expect((await get(key, "/v2/free/x")).status).toBe(200);
  });

  it("and expires by the clock, is refused from then on although every cache holds its record", async () => {
    const expires = Date.now() + 2500;
    const key = await warmKey(expires);
    await wait(expires - Date.now());
    const answer = await get(key);
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    const line = await world.gateway.logOf(answer.headers["x-request-id"]!);
    expect(line).toMatchObject({ reason: "expired", tier: "memory" });
  });

  it("and loses a grant, is 403 within a lease", async () => {
    const key = await warmKey();
    const permissions = { graphql: "none", inference: "read", kubernetes_exec: "none" } as const;
    await world.gateway.changeKey(key.id, { permissions });
    await wait(LEASE);
    expect((await get(key)).status).toBe(200);
    world.origin.clear();
    const answer = await world.gateway.call("/v2/web/x", { method: "POST", headers: key.bearer });
    expectRefused(answer, 403, "insufficient_scope", world.origin);
  });

  it.each([
    ["disabled", { enabled: false }],
    ["revoked", { revoked_at: 1 }],
    ["expired", { expires_at: 1 }],
  ])("and is %s, is refused at once on a strict endpoint", async (reason, change) => {
    const key = await warmKey();
    await world.gateway.changeKey(key.id, change);
    await refused(key, reason, "/v2/strict/x");
  });
});

describe("a key that is not known yet", () => {
  it("and was asked for before it was made, works within a lease of its making", async () => {
    const secret = world.gateway.strayKey();
    const key = { id: "", key: secret, bearer: { authorization: `Bearer ${secret}` } };
    await refused(key, "unknown");
    await world.gateway.createKey({ secret, permissions: { inference: "read" } });
    await wait(LEASE);
    expect((await get(key)).status).toBe(200);
  });
});

describe("an endpoint", () => {
  it("that moves, is served from its new origin within a lease; deleted, it is 404 within one", async () => {
    const { gateway, origin } = world;
    const key = await warmKey();
    await gateway.createEndpoint({
      id: "moving",
      account_id: "acme",
      protocol: "http",
      origin: `${origin.url}/old`,
    });
    expect((await get(key, "/v2/moving/x")).status).toBe(200);
    expect(origin.only.target).toBe("/old/x");
    await gateway.changeEndpoint("moving", { origin: `${origin.url}/new` });
    await wait(LEASE);
    origin.clear();
    expect((await get(key, "/v2/moving/x")).status).toBe(200);
    expect(origin.only.target).toBe("/new/x");
    await gateway.deleteEndpoint("moving");
    await wait(LEASE);
    origin.clear();
    expectRefused(await get(key, "/v2/moving/x"), 404, "endpoint_not_found", origin);
  });
});

describe("an open exchange", () => {
  it("of a key that is revoked ends within 15 s, begun or not (spec 8)", { timeout: 30_000 }, async () => {
    const { gateway, origin } = world;
    origin.on("/web/stream", ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => response.write("data: tick\n\n"), 200);
      response.on("close", () => clearInterval(timer));
    });
    origin.on("/web/silent", () => {}); // not even a head
    const key = await warmKey();
    const { body, status } = await gateway.open("/v2/web/stream", { headers: key.bearer });
    expect(status).toBe(200);
    const cut = new Promise<string>((done) => {
      body.on("error", () => done("cut"));
      body.on("end", () => done("ended"));
      body.resume();
    });
    const answered = get(key, "/v2/web/silent");
    await vi.waitFor(() => expect(origin.requests).toHaveLength(2));
    await gateway.changeKey(key.id, { revoked_at: Date.now() });
    const since = Date.now();
    await cut;
    // The origin has the request: that it was refused would not be true.
    const answer = await answered;
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({
      detail: "The API key ceased to be valid before the origin answered",
      error: { code: "origin_unreachable" },
    });
    expect(Date.now() - since).toBeLessThan(15_000);
    for (const request of origin.requests) expect(await request.ended).toBe("cut");
  });
});
