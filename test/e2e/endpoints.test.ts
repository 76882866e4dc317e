import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import type { TestKey } from "../harness/gateway.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const get = (path: string, key: TestKey = world.ALL) => world.gateway.call(path, { headers: key.bearer });

describe("who sees an endpoint (spec 2.3)", () => {
  it("an account's own endpoint is 404 to another account's key, the same as one that does not exist", async () => {
    const faces = [];
    for (const path of ["/v2/foreign/x", "/v2/nowhere/x"]) {
      for (const key of [world.ALL, world.NONE]) {
        const answer = await get(path, key);
        expectRefused(answer, 404, "endpoint_not_found", world.origin);
        const { date: _, ...headers } = answer.headers;
        faces.push(JSON.stringify({ headers, text: answer.text }).replaceAll(headers["x-request-id"]!, "ID"));
      }
    }
    expect(new Set(faces).size).toBe(1);
  });

  it("a key without grants is 403 on an endpoint its account sees", async () => {
    expectRefused(await get("/v2/web/x", world.NONE), 403, "insufficient_scope", world.origin);
    expectRefused(await get("/v2/epA/health", world.NONE), 403, "insufficient_scope", world.origin);
    expectRefused(await get("/graphql?query={a}", world.NONE), 403, "insufficient_scope", world.origin);
  });

  it("a shared endpoint is everyone's", async () => {
    await world.gateway.createEndpoint({
      id: "shared",
      protocol: "http",
      origin: `${world.origin.url}/shared`,
    });
    const other = await world.gateway.createKey({ account_id: "other", permissions: { inference: "read" } });
    for (const key of [world.ALL, other]) expect((await get("/v2/shared/x", key)).status).toBe(200);
    expect(world.origin.requests.map((seen) => seen.header("x-postern-account"))).toEqual(["acme", "other"]);
  });

  it("conditional and ranged requests are authorized like any other", async () => {
    for (const extra of [{ "if-none-match": "*" }, { range: "bytes=0-0" }]) {
      const headers = { ...world.ALL.bearer, ...extra };
      const answer = await world.gateway.call("/v2/foreign/x", { headers });
      expectRefused(answer, 404, "endpoint_not_found", world.origin);
    }
  });
});

describe("without a valid key", () => {
  it("every path is 401, known or not", async () => {
    for (const path of ["/v2/epA/health", "/v2/foreign/x", "/v2/nowhere", "/", "/graphql", "/favicon.ico"]) {
      for (const headers of [{}, { "x-api-key": world.gateway.strayKey() }]) {
        const answer = await world.gateway.call(path, { headers });
        expectRefused(answer, 401, "invalid_api_key", world.origin);
      }
    }
  });
});

describe("prefixes", () => {
  it("the longest match wins, of at most three segments", async () => {
    const { gateway, origin } = world;
    const mine = { account_id: "acme", protocol: "http" as const };
    await gateway.createEndpoint({ ...mine, id: "p1", path: "/p", origin: `${origin.url}/p1` });
    await gateway.createEndpoint({ ...mine, id: "p2", path: "/p/q", origin: `${origin.url}/p2` });
    await gateway.createEndpoint({ ...mine, id: "p3", path: "/p/q/r", origin: `${origin.url}/p3` });
    for (const [path, target] of [
      ["/p", "/p1"],
      ["/p/x", "/p1/x"],
      ["/p/q", "/p2"],
      ["/p/q/x", "/p2/x"],
      ["/p/q/r", "/p3"],
      ["/p/q/r/s/t", "/p3/s/t"],
      ["/p/qq/r", "/p1/qq/r"],
    ] as const) {
      origin.clear();
      expect((await get(path)).status).toBe(200);
      expect([path, origin.only.target]).toEqual([path, target]);
    }
    expectRefused(await get("/pp").finally(() => origin.clear()), 404, "endpoint_not_found", origin);
  });
});

describe("environments (spec 2.6)", () => {
  it("test keys go to the endpoint's test_origin, production keys to its origin", async () => {
    await world.gateway.createEndpoint({
      id: "two",
      account_id: "acme",
      protocol: "http",
      origin: `${world.origin.url}/live`,
      test_origin: `${world.origin.url}/test`,
    });
    const test = await world.gateway.createKey({
      environment: "test",
      permissions: { inference: "read_write" },
    });
    expect((await get("/v2/two/x", test)).status).toBe(200);
    expect(world.origin.only.target).toBe("/test/x");
    expect(world.origin.only.header("x-postern-environment")).toBe("test");
    world.origin.clear();
    expect((await get("/v2/two/x")).status).toBe(200);
    expect(world.origin.only.target).toBe("/live/x");
    expect(world.origin.only.header("x-postern-environment")).toBe("production");
  });

  it("a test key is 403 where there is no test environment, whatever it may do", async () => {
    for (const permissions of [{ inference: "read_write", graphql: "read_write" }, {}] as const) {
      const test = await world.gateway.createKey({ environment: "test", permissions });
      const answer = await get("/v2/web/x", test);
      expectRefused(answer, 403, "environment_not_available", world.origin);
      expect(answer.json.detail).toBe("Endpoint web has no test environment");
    }
    const test = await world.gateway.createKey({
      environment: "test",
      permissions: { graphql: "read_write" },
    });
    const answer = await world.gateway.call("/graphql", {
      method: "POST",
      headers: test.bearer,
      body: { query: "{a}" },
    });
    expectRefused(answer, 403, "environment_not_available", world.origin);
  });

  it("a test key that names the environment says nothing about an endpoint it cannot see", async () => {
    const test = await world.gateway.createKey({ environment: "test" });
    expectRefused(await get("/v2/foreign/x", test), 404, "endpoint_not_found", world.origin);
  });
});

describe("an origin is judged again at use (spec 6)", () => {
  it.each([
    ["a private address", "https://10.0.0.1/x"],
    ["a metadata service", "http://169.254.169.254/latest"],
    ["a loopback name not exempt", "http://localhost:1/x"],
    ["plain http", "http://example.com/"],
    ["something else than http", "ftp://example.com/"],
  ])("%s is 502, and nothing is sent", async (_, origin) => {
    const id = `bad-${crypto.randomUUID().slice(0, 8)}`;
    await world.gateway.createEndpoint({
      id,
      account_id: "acme",
      protocol: "http",
      path: `/bad/${id}`,
      origin,
    });
    expectRefused(await get(`/bad/${id}/x`), 502, "origin_unreachable", world.origin);
  });
});

describe("a wildcard endpoint", () => {
  let reader: TestKey;
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    const { gateway, origin } = world;
    await gateway.createEndpoint({
      id: "any",
      account_id: "acme",
      protocol: "serverless",
      path: "/v2/*",
      origin: `${origin.url}/any`,
    });
    await gateway.createEndpoint({
      id: "elsewhere",
      protocol: "http",
      path: "/else",
      origin: `${origin.url}/else`,
    });
    reader = await gateway.createKey({ permissions: { inference: { endpoints: { job1: "read" } } } });
  });
  afterAll(() => world?.stop());
  beforeEach(() => world.origin.clear());

  const get = (path: string, key: TestKey = world.ALL) => world.gateway.call(path, { headers: key.bearer });

  it("serves any id that has no record of its own; the id is part of the upstream path", async () => {
    expect((await get("/v2/job1/status/j")).status).toBe(200);
    expect(world.origin.only.target).toBe("/any/job1/status/j");
  });

  it("is judged by the id in the path", async () => {
    expect((await get("/v2/job1/health", reader)).status).toBe(200);
    world.origin.clear();
    const answer = await get("/v2/job2/health", reader);
    expectRefused(answer, 403, "insufficient_scope", world.origin);
    expect(answer.json.detail).toBe("This API key needs read access on endpoint job2");
  });

  it("never serves an id that has a record: its own path wins", async () => {
    expect((await get("/v2/epA/health")).status).toBe(200);
    expect(world.origin.only.target).toBe("/a/health");
  });

  it("never serves another account's recorded id, nor one recorded at another path: 404", async () => {
    expectRefused(await get("/v2/foreign/health"), 404, "endpoint_not_found", world.origin);
    expectRefused(await get("/v2/elsewhere/health"), 404, "endpoint_not_found", world.origin);
    expectRefused(await get("/v2/any/health"), 404, "endpoint_not_found", world.origin);
  });

  it("needs an id, and one of the form of ids", async () => {
    for (const path of [
      "/v2",
      "/v2/",
      "/v2/-x/health",
      "/v2/_x/health",
      "/v2/a.b/health",
      "/v2/a~b/health",
      "/v2/*",
    ]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(world.origin.requests).toEqual([]);
    }
    expectRefused(await get(`/v2/${"a".repeat(64)}/health`), 404, "endpoint_not_found", world.origin);
    expect((await get(`/v2/${"a".repeat(63)}/health`)).status).toBe(200);
  });

  it("stops serving an id within a lease of its being recorded", async () => {
    expect((await get("/v2/soon/health")).status).toBe(200);
    await world.gateway.createEndpoint({
      id: "soon",
      account_id: "other",
      protocol: "http",
      origin: `${world.origin.url}/soon`,
    });
    await new Promise((done) => setTimeout(done, 1100));
    world.origin.clear();
    expectRefused(await get("/v2/soon/health"), 404, "endpoint_not_found", world.origin);
  });
});
