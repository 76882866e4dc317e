import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.gateway.createEndpoint({
    id: "search",
    account_id: "acme",
    protocol: "http",
    origin: `${world.origin.url}/search`,
    operations: [
      { method: "POST", path: "/query/*", access: "read" },
      { method: "GET", path: "/export/*", access: "write" },
    ],
    cors: { origins: ["https://app.test"] },
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const send = (method: string, path: string, key = world.RW, headers: Record<string, string> = {}) =>
  world.gateway.call(path, { method, headers: { ...key.bearer, ...headers } });

describe("a serverless endpoint (spec 2.4)", () => {
  it.each([
    ["GET", "status/j1"],
    ["POST", "status/j1"],
    ["GET", "status-sync/j1"],
    ["POST", "stream/j1"],
    ["GET", "health"],
    ["GET", "requests"],
    ["GET", "openai/v1/models"],
    ["GET", "batch/b1/requests"],
  ])("lets a read-only key %s %s", async (method, tail) => {
    expect((await send(method, `/v2/epA/${tail}`, world.RO)).status).toBe(200);
    expect(world.origin.only).toMatchObject({ method, target: `/a/${tail}` });
    expect(world.origin.only.header("x-postern-access")).toBe("read");
  });

  it.each([
    ["POST", "run"],
    ["POST", "runsync"],
    ["POST", "cancel/j1"],
    ["POST", "retry/j1"],
    ["POST", "purge-queue"],
    ["POST", "openai/v1/chat/completions"],
    ["POST", "openai/v1/models/x"],
    ["PUT", "batch/b1"],
    ["DELETE", "batch/b1/requests/r1"],
  ])("refuses a read-only key %s %s, and forwards it with a read_write key", async (method, tail) => {
    const refused = await send(method, `/v2/epA/${tail}`, world.RO);
    expectRefused(refused, 403, "insufficient_scope", world.origin);
    expect(refused.json.detail).toBe("This API key needs read_write access on endpoint epA");
    expect(refused.headers["www-authenticate"]).toBe('Bearer error="insufficient_scope"');
    expect((await send(method, `/v2/epA/${tail}`)).status).toBe(200);
    expect(world.origin.only).toMatchObject({ method, target: `/a/${tail}` });
    expect(world.origin.only.header("x-postern-access")).toBe("read_write");
  });

  it.each([
    ["GET", "run", "POST, OPTIONS"],
    ["HEAD", "run", "POST, OPTIONS"],
    ["DELETE", "health", "GET, OPTIONS"],
    ["PATCH", "status/j1", "GET, POST, OPTIONS"],
    ["DELETE", "batch/b1", "GET, PUT, OPTIONS"],
  ])("answers %s %s with 405 and Allow: %s", async (method, tail, allow) => {
    const answer = await send(method, `/v2/epA/${tail}`);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow?.split(", ").sort()).toEqual(allow.split(", ").sort());
    if (method !== "HEAD") expectRefused(answer, 405, "method_not_allowed", world.origin);
    expect(world.origin.requests).toEqual([]);
  });

  it("is one endpoint: a key for epA has nothing on epB", async () => {
    const answer = await send("GET", "/v2/epB/health");
    expectRefused(answer, 403, "insufficient_scope", world.origin);
    expect(answer.json.detail).toBe("This API key needs read access on endpoint epB");
  });
});

describe("http and openai endpoints", () => {
  it("read with GET and HEAD, and write with everything else", async () => {
    const { key } = await world.gateway.createKey({ permissions: { inference: "read" } });
    const reader = { id: "", key, bearer: { authorization: `Bearer ${key}` } };
    for (const endpoint of ["web", "llm"]) {
      for (const method of ["GET", "HEAD"])
        expect((await send(method, `/v2/${endpoint}/x`, reader)).status).toBe(200);
      world.origin.clear();
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        expectRefused(
          await send(method, `/v2/${endpoint}/x`, reader),
          403,
          "insufficient_scope",
          world.origin,
        );
      }
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        expect((await send(method, `/v2/${endpoint}/x`, world.ALL)).status).toBe(200);
      }
      expect(world.origin.requests.map(({ method }) => method)).toEqual(["POST", "PUT", "PATCH", "DELETE"]);
      world.origin.clear();
    }
  });

  it("no header changes a request's method", async () => {
    const { bearer } = await world.gateway.createKey({ permissions: { inference: "read" } });
    for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
      world.origin.clear();
      const answer = await world.gateway.call("/v2/web/x", { headers: { ...bearer, [name]: "DELETE" } });
      expect(answer.status).toBe(200);
      expect(world.origin.only.method).toBe("GET");
      expect(world.origin.only.all(name)).toEqual([]);
    }
  });
});

describe("an endpoint's own operations", () => {
  it("override the table, first match wins", async () => {
    const { bearer } = await world.gateway.createKey({ permissions: { inference: "read" } });
    const reader = { id: "", key: "", bearer };
    expect((await send("POST", "/v2/search/query/a/b", reader)).status).toBe(200);
    world.origin.clear();
    expectRefused(await send("POST", "/v2/search/other", reader), 403, "insufficient_scope", world.origin);
    expectRefused(await send("GET", "/v2/search/export/a", reader), 403, "insufficient_scope", world.origin);
    expect((await send("HEAD", "/v2/search/export/a", reader)).status).toBe(403);
    expectRefused(
      await send("GET", "/v2/search/e%78port/a", reader),
      403,
      "insufficient_scope",
      world.origin,
    );
    expectRefused(
      await send("GET", "/v2/search/export%2Fa", reader),
      403,
      "insufficient_scope",
      world.origin,
    );
    expectRefused(
      await send("POST", "/v2/search/query%2Fa", reader),
      403,
      "insufficient_scope",
      world.origin,
    );
  });
});

describe("methods", () => {
  it.each(["TRACE", "PROPFIND", "PURGE", "REPORT", "SEARCH", "LOCK", "MKCOL", "COPY", "MOVE", "UNSUBSCRIBE"])(
    "%s is 405 with Allow, and never echoed",
    async (method) => {
      for (const path of ["/v2/epA/health", "/v2/web/x", "/graphql"]) {
        const answer = await send(method, path, world.ALL);
        expectRefused(answer, 405, "method_not_allowed", world.origin);
        expect(answer.headers.allow).toContain("OPTIONS");
        expect(answer.text).not.toContain(world.ALL.key);
      }
    },
  );

  it.each(["CONNECT", "QUERY", "get", "Post", "FOO", "G\u00cbT"])(
    "%s is refused, here or by the runtime",
    async (method) => {
      const answer = await world.gateway.raw([`${method} /v2/web/x HTTP/1.1`, `x-api-key: ${world.ALL.key}`]);
      expect(answer.status === 0 || answer.status >= 400).toBe(true);
      expect(world.origin.requests).toEqual([]);
    },
  );

  it("an unknown method without a key is 401, like everything without one", async () => {
    const answer = await world.gateway.call("/v2/web/x", { method: "PROPFIND" });
    expectRefused(answer, 401, "invalid_api_key", world.origin);
  });
});

describe("OPTIONS", () => {
  const preflight = (origin: string, path = "/v2/search/x", headers: Record<string, string> = {}) =>
    world.gateway.call(path, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", ...headers },
    });
  const permissions = (headers: Record<string, string>) =>
    Object.keys(headers).filter((name) => name.startsWith("access-control-"));

  it("is answered locally with 204, with a key and without one, on every endpoint and on none", async () => {
    for (const path of [
      "/v2/epA/run",
      "/v2/web/x",
      "/graphql",
      "/v2/foreign/x",
      "/v2/nowhere",
      "/",
      "/v1/account/x",
    ]) {
      for (const headers of [{}, world.ALL.bearer, { authorization: "nonsense" }] as Record<
        string,
        string
      >[]) {
        const answer = await world.gateway.call(path, { method: "OPTIONS", headers });
        expect([path, answer.status, answer.text]).toEqual([path, 204, ""]);
        expect(permissions(answer.headers)).toEqual([]);
        expect(answer.headers["x-request-id"]).toMatch(/./);
      }
    }
    expect(world.origin.requests).toEqual([]);
  });

  it("permits the origins that the endpoint lists, by name", async () => {
    const answer = await preflight("https://app.test", "/v2/search/x", {
      "access-control-request-headers": "authorization, content-type",
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://app.test",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type",
      vary: "origin",
    });
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    expect(world.origin.requests).toEqual([]);
  });

  it.each([
    "null",
    "https://evil.test",
    "http://app.test",
    "https://app.test:8443",
    "https://app.test.evil.test",
    "https://APP.test",
    "*",
  ])("permits %s nothing", async (origin) => {
    expect(permissions((await preflight(origin)).headers)).toEqual([]);
  });

  it("permits nothing on endpoints that list no origin, and never echoes what no header name is", async () => {
    expect(permissions((await preflight("https://app.test", "/v2/web/x")).headers)).toEqual([]);
    const answer = await preflight("https://app.test", "/v2/search/x", {
      "access-control-request-headers": "a(b)",
    });
    expect(answer.headers["access-control-allow-headers"]).toBeUndefined();
  });

  it("and then the answers themselves are readable for listed origins alone, also denials", async () => {
    const get = (origin: string, headers: Record<string, string>) =>
      world.gateway.call("/v2/search/x", { headers: { origin, ...headers } });
    world.origin.on("/search/x", ({ response }) => {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-credentials", "true");
      response.end("ok");
    });
    const allowed = await get("https://app.test", world.ALL.bearer);
    expect(allowed.headers["access-control-allow-origin"]).toBe("https://app.test");
    expect(allowed.headers["access-control-allow-credentials"]).toBeUndefined();
    expect(allowed.headers.vary).toContain("origin");
    const denied = await get("https://app.test", world.NONE.bearer);
    expect(denied.status).toBe(403);
    expect(denied.headers["access-control-allow-origin"]).toBe("https://app.test");
    expect(permissions((await get("https://evil.test", world.ALL.bearer)).headers)).toEqual([]);
    expect(permissions((await get("null", world.ALL.bearer)).headers)).toEqual([]);
  });
});
