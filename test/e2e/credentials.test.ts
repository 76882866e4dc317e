import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { LEGACY_KEYS: "on" } });
  await world.gateway.createEndpoint({
    id: "open",
    account_id: "acme",
    protocol: "http",
    origin: `${world.origin.url}/open`,
    allow_query_key: true,
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const health = (headers: string[], path = "/v2/epA/health") => world.gateway.call(path, { headers });

describe("a key is accepted (spec 2.1)", () => {
  it.each([
    ["in x-api-key", (key: string) => ["x-api-key", key]],
    ["as Authorization: Bearer KEY", (key: string) => ["authorization", `Bearer ${key}`]],
    ["with the scheme in lower case", (key: string) => ["authorization", `bearer ${key}`]],
    ["with the scheme in capitals", (key: string) => ["authorization", `BEARER ${key}`]],
    [
      "with two spaces after Bearer, as lax clients send it",
      (key: string) => ["authorization", `Bearer  ${key}`],
    ],
    ["bare in Authorization, as in Runpod's cURL samples", (key: string) => ["authorization", key]],
    [
      "with spaces and tabs around it, which HTTP does not count as value",
      (key: string) => ["x-api-key", `${key} \t`],
    ],
  ])("%s", async (_, headers) => {
    const answer = await health(headers(world.RW.key));
    expect(answer.status).toBe(200);
    expect(world.origin.only.target).toBe("/a/health");
  });

  it("in the query, on an endpoint that opted in, and is taken out before forwarding", async () => {
    const { key } = world.ALL;
    for (const [sent, arrives] of [
      [`?api_key=${key}`, ""],
      [`?a=1&api_key=${key}&b=%20+&&c`, "?a=1&b=%20+&&c"],
      [`?api%5Fkey=${key}&a=1`, "?a=1"],
      [`?api_key=%${key.charCodeAt(0).toString(16)}${key.slice(1)}`, ""],
    ]) {
      world.origin.clear();
      const answer = await world.gateway.call(`/v2/open/x${sent}`);
      expect(answer.status).toBe(200);
      expect(world.origin.only.target).toBe(`/open/x${arrives}`);
    }
  });
});

it("a header without a value presents nothing, so the other one counts", async () => {
  expect((await health(["x-api-key", world.RW.key, "authorization", ""])).status).toBe(200);
});

describe("no credential", () => {
  it("is 401 without error= in the challenge (RFC 6750 section 3)", async () => {
    const answer = await health([]);
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    expect(answer.json.detail).toBe("Missing, invalid, revoked, or expired API key");
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern"');
  });

  it.each([
    ["an empty x-api-key", ["x-api-key", ""]],
    ["an empty Authorization", ["authorization", ""]],
    ["Bearer and nothing", ["authorization", "Bearer"]],
    ["Bearer and a space", ["authorization", "Bearer "]],
  ])("also where there is %s", async (_, headers) => {
    const answer = await health(headers as string[]);
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern"');
  });

  it.each([
    ["a cookie", ["cookie", "api_key=KEY"]],
    ["Proxy-Authorization", ["proxy-authorization", "Bearer KEY"]],
    ["x-goog-api-key", ["x-goog-api-key", "KEY"]],
    ["api-key", ["api-key", "KEY"]],
    ["x_api_key", ["x_api_key", "KEY"]],
  ])("is presented by %s", async (_, headers) => {
    const answer = await health((headers as string[]).map((text) => text.replace("KEY", world.RW.key)));
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern"');
  });

  it("is presented by a form body", async () => {
    const answer = await world.gateway.call("/v2/epA/run", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `access_token=${world.RW.key}&api_key=${world.RW.key}`,
    });
    expectRefused(answer, 401, "invalid_api_key", world.origin);
  });
});

describe("an ambiguous credential is 400, and not even a good one among them is used", () => {
  it.each([
    ["x-api-key twice, the good one first", (key: string) => ["x-api-key", key, "x-api-key", "garbage"]],
    ["x-api-key twice, the good one last", (key: string) => ["x-api-key", "garbage", "x-api-key", key]],
    ["x-api-key twice the same", (key: string) => ["x-api-key", key, "X-API-Key", key]],
    [
      "Authorization twice",
      (key: string) => ["authorization", `Bearer ${key}`, "authorization", `Bearer ${key}`],
    ],
    ["x-api-key and Authorization", (key: string) => ["x-api-key", key, "authorization", `Bearer ${key}`]],
    ["a comma in the value", (key: string) => ["x-api-key", `${key},${key}`]],
    ["a Basic credential", (key: string) => ["authorization", `Basic ${btoa(`${key}:`)}`]],
    ["another scheme", (key: string) => ["authorization", `Token ${key}`]],
    ["a space within", (key: string) => ["x-api-key", `${key} x`]],
  ])("%s", async (_, headers) => {
    expectRefused(await health(headers(world.RW.key)), 400, "invalid_request", world.origin);
  });

  it("a query key beside a header key, on an endpoint that takes query keys and on one that does not", async () => {
    const { key, bearer } = world.ALL;
    for (const path of [
      `/v2/open/x?api_key=${key}`,
      `/v2/epA/health?api_key=${key}`,
      "/v2/open/x?api_key=",
    ]) {
      const answer = await world.gateway.call(path, { headers: bearer });
      expectRefused(answer, 400, "invalid_request", world.origin);
    }
  });

  it("two query keys, however they are spelled", async () => {
    const { key } = world.ALL;
    for (const query of [`api_key=${key}&api_key=${key}`, `api_key=${key}&api%5fkey=x`]) {
      const answer = await world.gateway.call(`/v2/open/x?${query}`);
      expectRefused(answer, 400, "invalid_request", world.origin);
    }
  });

  it.each([
    ["a Latin-1 byte", "k\xe9y"],
    ["UTF-8 beyond ASCII", "k\xc3\xa9y"],
    ["a control character", "k\x01y"],
    ["DEL", "k\x7fy"],
  ])("%s in the value: 400 or 401, here or by the runtime", async (_, value) => {
    const answer = await world.gateway.raw(["GET /v2/epA/health HTTP/1.1", `x-api-key: ${value}`]);
    expect([400, 401]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });

  it.each([
    ["a space before the colon", ["x-api-key : KEY"]],
    ["a folded line", ["x-api-key:", " KEY"]],
    ["a NUL", ["x-api-key: KEY\0"]],
    ["a bare CR", ["x-api-key: KEY\rx: y"]],
  ])("%s is refused, here or by the runtime", async (_, lines) => {
    const sent = lines.map((line) => line.replace("KEY", world.RW.key));
    const answer = await world.gateway.raw(["GET /v2/epA/health HTTP/1.1", ...sent]);
    expect([400, 401]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });
});

describe("a query key where the endpoint does not take one", () => {
  it("is no credential: 401, and never logged", async () => {
    for (const path of [
      "/v2/epA/health",
      "/v2/epA/run",
      "/graphql",
      "/v2/foreign/x",
      "/v2/nowhere",
      "/",
      "/nowhere",
    ]) {
      const answer = await world.gateway.call(`${path}?api_key=${world.ALL.key}`);
      expectRefused(answer, 401, "invalid_api_key", world.origin);
    }
    expect(world.gateway.logs.filter(({ text }) => text.includes(world.ALL.key))).toEqual([]);
  });
});

describe("an unacceptable key", () => {
  it("of more than 512 characters is 401", async () => {
    expectRefused(await health(["x-api-key", "k".repeat(513)]), 401, "invalid_api_key", world.origin);
    expectRefused(await health(["x-api-key", "k".repeat(10_000)]), 401, "invalid_api_key", world.origin);
  });

  it.each(["__proto__", "constructor", "toString", "null", "undefined", "0", "*", "';--", "key:x"])(
    "that reads %s is 401",
    async (key) => {
      expectRefused(await health(["x-api-key", key]), 401, "invalid_api_key", world.origin);
    },
  );

  it("forged, with a wrong tag, is 401 and asks neither KV nor D1 nor the ledger", async () => {
    const { key } = world.RW;
    const forged = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const answer = await health(["x-api-key", forged]);
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    expect(await world.gateway.logOf(answer.headers["x-request-id"]!)).toMatchObject({
      reason: "forged",
      tier: null,
      postern_ms: 0,
    });
  });

  it.each([
    ["with its case changed", (key: string) => key.toUpperCase()],
    ["cut short", (key: string) => key.slice(0, -1)],
    ["with a character more", (key: string) => `${key}0`],
    ["as if of the other environment", (key: string) => key.replace("_live_", "_test_")],
    ["in quotes", (key: string) => `"${key}"`],
    ["percent-encoded", (key: string) => key.replace("_", "%5F")],
  ])("a good one %s is 401", async (_, change) => {
    expectRefused(await health(["x-api-key", change(world.RW.key)]), 401, "invalid_api_key", world.origin);
  });

  it("looks the same whatever is wrong with it: unknown, disabled, expired, revoked, suspended, forged", async () => {
    const { gateway } = world;
    await gateway.createAccount("gone", { suspended: true });
    const permissions = { inference: "read_write" as const };
    const hour = 3_600_000;
    const keys = [
      gateway.strayKey(),
      (await gateway.createKey({ permissions, enabled: false })).key,
      (await gateway.createKey({ permissions, expires_at: Date.now() - hour })).key,
      (await gateway.createKey({ permissions, revoked_at: Date.now() - hour })).key,
      (await gateway.createKey({ permissions, account_id: "gone" })).key,
      `${world.RW.key.slice(0, -6)}000000`,
      "not-one-of-ours",
    ];
    const faces = [];
    for (const key of keys) {
      const answer = await health(["authorization", `Bearer ${key}`]);
      expectRefused(answer, 401, "invalid_api_key", world.origin);
      const requestId = answer.headers["x-request-id"]!;
      const { date: _, ...headers } = answer.headers;
      faces.push(JSON.stringify({ headers, text: answer.text }).replaceAll(requestId, "ID"));
    }
    expect(new Set(faces).size).toBe(1);
    expect(faces[0]).toContain('Bearer realm=\\"postern\\", error=\\"invalid_token\\"');
  });
});

describe("legacy keys", () => {
  it("of any other shape are looked up by their hash, and work", async () => {
    const legacy = await world.gateway.createKey({
      secret: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCD",
      legacy: true,
      permissions: { inference: "read_write", graphql: "read" },
    });
    expect((await health(["authorization", legacy.key])).status).toBe(200);
    expect((await health(["authorization", legacy.key.toLowerCase()])).status).toBe(401);
  });
});

describe("unknown legacy keys (spec 3)", () => {
  it("are limited per client address: 429 with Retry-After, while good keys go on", async () => {
    const limited = await startWorld({ vars: { LEGACY_KEYS: "on", CLIENT_IP_HEADER: "x-address" } });
    const { gateway, origin } = limited;
    const ask = (key: string, address: string) =>
      gateway.call("/v2/epA/health", { headers: { "x-api-key": key, "x-address": address } });
    try {
      let answer = await ask("unknown-0", "203.0.113.1");
      for (let i = 1; i < 150 && answer.status === 401; i += 1)
        answer = await ask(`unknown-${i}`, "203.0.113.1");
      expectRefused(answer, 429, "rate_limited", origin);
      expect(answer.headers["retry-after"]).toBe("60");
      expect((await ask("unknown-x", "203.0.113.2")).status).toBe(401);
      expect((await ask(limited.RO.key, "203.0.113.1")).status).toBe(200);
      expect((await gateway.kv.list()).keys.filter(({ name }) => name.startsWith("key:"))).toHaveLength(1);
    } finally {
      await limited.stop();
    }
  });

  it("are not looked up at all where LEGACY_KEYS is off", async () => {
    const off = await startWorld();
    try {
      const legacy = await off.gateway.createKey({
        secret: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCD",
        legacy: true,
        permissions: { inference: "read_write" },
      });
      const answer = await off.gateway.call("/v2/epA/health", { headers: legacy.bearer });
      expectRefused(answer, 401, "invalid_api_key", off.origin);
      expect(await off.gateway.logOf(answer.headers["x-request-id"]!)).toMatchObject({
        tier: null,
        postern_ms: 0,
      });
    } finally {
      await off.stop();
    }
  });
});

describe("the key in other places", () => {
  it("in the path or query, beside the header, is 400: it would reach the origin", async () => {
    const { key, bearer } = world.ALL;
    for (const path of [`/v2/web/${key}`, `/v2/web/x?token=${key}`, `/v2/web/x;${key}`]) {
      const answer = await world.gateway.raw([
        `GET ${path} HTTP/1.1`,
        `Authorization: ${bearer.authorization}`,
      ]);
      expectRefused(answer, 400, "invalid_request", world.origin);
    }
  });

  it("in the query beside api_key, or encoded, is 400 as well", async () => {
    const { key, bearer } = world.ALL;
    const encoded = `%${key.charCodeAt(0).toString(16)}${key.slice(1)}`;
    for (const [path, headers] of [
      [`/v2/open/x?api_key=${key}&again=${key}`, {}],
      [`/v2/open/${key}?api_key=${key}`, {}],
      [`/v2/web/x?again=${encoded}`, bearer],
      [`/v2/web/${encoded}`, bearer],
    ] as const) {
      const answer = await world.gateway.call(path, { headers });
      expectRefused(answer, 400, "invalid_request", world.origin);
    }
  });

  it("in any other header is not passed on", async () => {
    const { key, bearer } = world.ALL;
    const answer = await world.gateway.call("/v2/web/x", {
      headers: { ...bearer, "x-copy": key, referer: `https://a.test/?k=${key}`, "x-good": "kept" },
    });
    expect(answer.status).toBe(200);
    expect(world.origin.only.all("x-copy")).toEqual([]);
    expect(world.origin.only.all("referer")).toEqual([]);
    expect(world.origin.only.header("x-good")).toBe("kept");
  });
});
