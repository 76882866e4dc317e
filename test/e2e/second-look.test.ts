import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDenial } from "../harness/denied.ts";
import type { TestKey } from "../harness/gateway.ts";
import { startWorld, type World } from "../harness/world.ts";

// What a hostile reader of the first version found; each stays mended.

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.gateway.createEndpoint({
    id: "ruled",
    account_id: "acme",
    protocol: "http",
    origin: `${world.origin.url}/ruled`,
    operations: [
      { method: "GET", path: "/admin/*", access: "write" },
      { method: "GET", path: "/old%20jobs/*", access: "write" },
    ],
    cors: { origins: ["https://app.example"] },
  });
  // Two endpoints over one origin: the inner one is another account's.
  for (const [id, account_id, path, place] of [
    ["outer", "acme", "/outer", "/outer"],
    ["inner", "other", "/outer/inner", "/outer/inner"],
  ] as const) {
    await world.gateway.createEndpoint({
      ...{ id, account_id, path, protocol: "http" },
      origin: `${world.origin.url}${place}`,
    });
  }
  await world.gateway.createEndpoint({
    id: "any",
    account_id: "acme",
    protocol: "serverless",
    path: "/any/*",
    origin: `${world.origin.url}/any`,
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

describe("an inspected body that comes slowly", () => {
  /** Begins a request, whose body is still to be ended. */
  function begin(path: string, { bearer }: TestKey) {
    const body = new PassThrough();
    body.write('{"que');
    const headers = { ...bearer, "content-type": "application/json" };
    return { body, answer: world.gateway.call(path, { method: "POST", headers, body }) };
  }

  it("is judged by what is in force once it is there, not when it began", async () => {
    const { gateway, origin } = world;
    for (const change of [{ revoked_at: Date.now() }, { enabled: false }]) {
      const key = await gateway.createKey({ permissions: { graphql: "read" } });
      const { body, answer } = begin("/graphql", key);
      await gateway.call("/v1/key", { headers: key.bearer });
      await gateway.changeKey(key.id, change);
      // Well past the lease.
      await expect
        .poll(async () => (await gateway.call("/v1/key", { headers: key.bearer })).status, { timeout: 5000 })
        .toBe(401);
      body.end('ry":"{stalled}"}');
      expectDenial(await answer, 401, "invalid_api_key");
      expect(origin.requests).toEqual([]);
    }
  });

  it("goes nowhere if its path has become another endpoint's meanwhile, which does not take it", async () => {
    const { gateway, origin } = world;
    const key = await gateway.createKey({ permissions: { graphql: "read_write", inference: "read_write" } });
    const reader = await gateway.createKey({ permissions: { graphql: "read", inference: "read_write" } });
    const place = { account_id: "acme", origin: `${origin.url}/moved` };
    await gateway.createEndpoint({ ...place, id: "before", protocol: "graphql", path: "/moved/sub" });
    const { body, answer } = begin("/moved/sub", reader);
    await gateway.deleteEndpoint("before");
    await gateway.createEndpoint({ ...place, id: "after", protocol: "http", path: "/moved" });
    const isMoved = async () => (await gateway.call("/moved/other", { headers: key.bearer })).status;
    await expect.poll(isMoved, { timeout: 5000 }).toBe(200);
    origin.clear();
    body.end('ry":"{moved}"}');
    expectDenial(await answer, 404, "not_found");
    expect(origin.requests).toEqual([]);
  });
});

describe("an origin's answer", () => {
  it("gives no orders to caches, proxies or the browser", async () => {
    const orders = {
      "cdn-cache-control": "public, max-age=999",
      "cloudflare-cdn-cache-control": "public, max-age=999",
      "surrogate-control": "max-age=999",
      expires: "Fri, 01 Jan 2100 00:00:00 GMT",
      "x-accel-redirect": "/internal",
      "x-sendfile": "/etc/passwd",
      "speculation-rules": '"/x"',
      "set-login": "logged-in",
      "content-security-policy-report-only": "default-src *; report-uri https://evil.example",
      "secure-session-registration": '(ES256);path="/register"',
      "secure-session-challenge": '"c"',
      "sec-session-registration": '(ES256);path="/register"',
      "sec-session-challenge": '"c"',
      "origin-trial": "token",
      "shared-storage-write": "clear",
      "observe-browsing-topics": "?1",
      "ad-auction-allowed": "?1",
    };
    const kept = { link: '</next>; rel="next"', "content-location": "/web/1" };
    world.origin.on("/web/orders", ({ response }) => {
      response.writeHead(200, { ...orders, ...kept });
      response.end("ok");
    });
    const { headers } = await world.gateway.call("/v2/web/orders", { headers: world.ALL.bearer });
    expect(Object.keys(orders).filter((name) => name in headers)).toEqual([]);
    expect(headers).toMatchObject({ ...kept, "cache-control": "private, no-store" });
  });
});

describe("an endpoint's own rules", () => {
  it.each([
    ...["/admin/x", "/admin;a=b/x", "/admin/", "/%61dmin/x", "/admin%2Fx", "/admin;x%2Fy"],
    ...["/old%20jobs/x", "/%6Fld%20jobs/x", "/old%20job%73/x", "/old%20jobs%2Fx"],
  ])("that call GET %s a write cannot be sidestepped by another spelling", async (path) => {
    const reader = await world.gateway.createKey({ permissions: { inference: "read" } });
    const answer = await world.gateway.call(`/v2/ruled${path}`, { headers: reader.bearer });
    expectDenial(answer, 403, "insufficient_scope");
    expect(world.origin.requests).toEqual([]);
  });
});

describe("an endpoint below another's prefix", () => {
  it.each(["/inner/x", "/%69nner/x", "/inner%2Fx", "/inner;a/x", "/INNER/x", "/inner%2E/x"])(
    "is not reached through it as %s",
    async (tail) => {
      const answer = await world.gateway.call(`/outer${tail}`, { headers: world.ALL.bearer });
      expectDenial(answer, 404, "endpoint_not_found");
      expect(world.origin.requests).toEqual([]);
    },
  );

  it("leaves the rest of the prefix as it was", async () => {
    const answer = await world.gateway.call("/outer/%69nn%20er;a/X", { headers: world.ALL.bearer });
    expect(answer.status).toBe(200);
    expect(world.origin.only.target).toBe("/outer/%69nn%20er;a/X");
  });
});

describe("preflights", () => {
  it("look alike whether or not there is an endpoint, for pages that are not listed", async () => {
    const ask = async (path: string) => {
      const { status, headers } = await world.gateway.call(path, {
        method: "OPTIONS",
        headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
      });
      const { date: _, "x-request-id": __, ...rest } = headers;
      return { status, rest };
    };
    expect(await ask("/v2/ruled/x")).toEqual(await ask("/v2/nowhere/x"));
  });
});

describe("the log", () => {
  it("takes nothing for Cloudflare's ray that is not one", async () => {
    const answer = await world.gateway.call("/v2/web/x", {
      headers: { ...world.ALL.bearer, "cf-ray": world.ALL.key },
    });
    expect(await world.gateway.logOf(answer.headers["x-request-id"] ?? "")).toMatchObject({ ray: null });
  });
});

describe("the key, percent-encoded in another header", () => {
  it("does not reach the origin", async () => {
    const encoded = world.ALL.key.replaceAll("_", "%5F");
    await world.gateway.call("/v2/web/x", {
      headers: { ...world.ALL.bearer, referer: `http://a/?k=${encoded}` },
    });
    expect(world.origin.only.header("referer")).toBeUndefined();
  });
});

describe("under a wildcard", () => {
  it("a client cannot fill the usage table with ids of its own", async () => {
    const key = await world.gateway.createKey({ permissions: { inference: "read" } });
    for (const id of ["a1", "a2", "a3"]) {
      expect((await world.gateway.call(`/any/${id}/health`, { headers: key.bearer })).status).toBe(200);
    }
    const rows = async () =>
      (
        await world.gateway.db
          .prepare("SELECT endpoint_id, kind, count FROM key_usage WHERE key_id = ?")
          .bind(key.id)
          .all()
      ).results;
    await expect.poll(rows, { timeout: 20_000 }).toEqual([{ endpoint_id: "any", kind: "read", count: 3 }]);
  });
});
