import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import type { Seen } from "../harness/origin.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const signing = { ...(await exportJWK(privateKey)), kid: "k1", alg: "ES256", use: "sig" };
  world = await startWorld({
    vars: { PUBLIC_URL: "https://gw.test" },
    secrets: {
      SIGNING_KEYS: JSON.stringify({ keys: [signing] }),
      ORIGIN_WEB: "s3cret",
      ORIGIN_EMPTY: "",
      ORIGIN_BROKEN: "a\nb",
    },
  });
  const { gateway, origin } = world;
  const more = { account_id: "acme", protocol: "http" as const };
  await gateway.createEndpoint({
    ...more,
    id: "signed",
    origin: `${origin.url}/signed`,
    assertion: true,
    credential: { header: "authorization", secret: "ORIGIN_WEB", scheme: "Bearer" },
  });
  await gateway.createEndpoint({
    ...more,
    id: "keyed",
    origin: `${origin.url}/keyed`,
    credential: { header: "x-api-key", secret: "ORIGIN_WEB" },
  });
  await gateway.createEndpoint({
    ...more,
    id: "unset",
    origin: `${origin.url}/unset`,
    credential: { header: "x-api-key", secret: "ORIGIN_MISSING" },
  });
  await gateway.createEndpoint({
    ...more,
    id: "empty",
    origin: `${origin.url}/empty`,
    credential: { header: "x-api-key", secret: "ORIGIN_EMPTY" },
  });
  await gateway.createEndpoint({
    ...more,
    id: "broken",
    origin: `${origin.url}/broken`,
    credential: { header: "x-api-key", secret: "ORIGIN_BROKEN" },
  });
  await gateway.createEndpoint({
    ...more,
    id: "grasping",
    origin: `${origin.url}/grasping`,
    credential: { header: "x-api-key", secret: "KEY_TAG_SECRETS" },
  });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** Sends raw header lines to `web`, and gives what the origin saw. */
async function forwarded(lines: string[], request = "GET /v2/web/x", body = ""): Promise<Seen> {
  const answer = await world.gateway.raw(
    [`${request} HTTP/1.1`, `x-api-key: ${world.ALL.key}`, ...lines],
    body,
  );
  expect(answer.status).toBe(200);
  return world.origin.only;
}

describe("the request to the origin (spec 2.7)", () => {
  it("never holds the key, in whichever form it was presented", async () => {
    const { key } = world.ALL;
    for (const line of [`x-api-key: ${key}`, `Authorization: Bearer ${key}`, `authorization: ${key}`]) {
      world.origin.clear();
      const answer = await world.gateway.raw(
        [
          "POST /v2/web/x?a=1 HTTP/1.1",
          line,
          `X-Copy: ${key}`,
          `Cookie: k=${key}`,
          `Proxy-Authorization: Bearer ${key}`,
          `Referer: https://a.test/?api_key=${key}`,
          "Content-Length: 2",
        ],
        "{}",
      );
      expect(answer.status).toBe(200);
      const { headers, target, body } = world.origin.only;
      expect(JSON.stringify({ headers, target, body: body.toString() })).not.toContain(key);
      expect(world.origin.only.all("authorization")).toEqual([]);
      expect(world.origin.only.all("x-api-key")).toEqual([]);
    }
  });

  it.each([
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "Proxy-Anything",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-User",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "X-Original-URL",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X-Envoy-Original-Path",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Middleware-Subrequest",
    "X-Middleware-Anything",
    "Impersonate-User",
    "Impersonate-Group",
    "Impersonate-Extra-Scopes",
    "CF-Connecting-IP",
    "CF-Ray",
    "CF-Access-Jwt-Assertion",
    "Cf-Anything",
    "X-Postern-Anything",
    "X-Postern-Assertion",
    "TE",
    "Trailer",
    "Keep-Alive",
    "Proxy-Connection",
  ])("has no %s of the client's", async (name) => {
    const lines = name === "Authorization" ? ["X-Dummy: 1"] : [`${name}: forged-value`];
    const seen = await forwarded(lines);
    expect(seen.headers.filter(([, value]) => value.includes("forged-value"))).toEqual([]);
    expect(seen.all(name.toLowerCase())).toEqual([]);
  });

  it.each(["x_postern_key_id", "X_Forwarded_For", "content_type", "x_anything", "_x", "a_"])(
    "has no header whose name holds an underscore: %s",
    async (name) => {
      const seen = await forwarded([`${name}: forged-value`]);
      expect(seen.headers.filter(([n, value]) => n.includes("_") || value.includes("forged-value"))).toEqual(
        [],
      );
    },
  );

  it.each(["X.Postern.Account", "x~postern~key~id", "X+Forwarded*For", "Remote.User", "x'real'ip"])(
    "has no header whose name some server folds into another: %s",
    async (name) => {
      const seen = await forwarded([`${name}: forged-value`]);
      expect(seen.headers.filter(([, value]) => value.includes("forged-value"))).toEqual([]);
    },
  );

  it("says who calls, once, whatever the client said", async () => {
    const seen = await forwarded([
      "X-Postern-Account: evil",
      "X-Postern-Key-Id: admin",
      "x-postern-key-id: admin2",
      "X-POSTERN-ENVIRONMENT: test",
      "x-postern-access: read_write",
      "x_postern_key_id: admin3",
      "X-Request-Id: forged",
    ]);
    expect(seen.header("x-postern-account")).toBe("acme");
    expect(seen.header("x-postern-key-id")).toBe(world.ALL.id);
    expect(seen.header("x-postern-environment")).toBe("production");
    expect(seen.header("x-postern-access")).toBe("read");
    expect(seen.header("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(seen.headers)).not.toMatch(/admin|evil|forged/);
  });

  it("carries the request id that the client is given", async () => {
    const answer = await world.gateway.call("/v2/web/x", { headers: world.ALL.bearer });
    expect(world.origin.only.header("x-request-id")).toBe(answer.headers["x-request-id"]);
  });

  it("has x-forwarded-proto and -host from the connection, and no address where none is trusted", async () => {
    const seen = await forwarded([
      "X-Forwarded-Host: evil.test",
      "X-Forwarded-Proto: https",
      "CF-Connecting-IP: 1.2.3.4",
    ]);
    expect(seen.header("x-forwarded-host")).toBe(`127.0.0.1:${world.gateway.port}`);
    expect(seen.header("x-forwarded-proto")).toBe("http");
    expect(seen.all("x-forwarded-for")).toEqual([]);
    expect(seen.header("host")).toBe(new URL(world.origin.url).host);
  });

  it("has no header that Connection names, nor Connection's own", async () => {
    const seen = await forwarded([
      "Connection: close, X-Private, x-other",
      "X-Private: 1",
      "x-other: 2",
      "x-kept: 3",
    ]);
    expect([seen.all("x-private"), seen.all("x-other"), seen.header("x-kept")]).toEqual([[], [], "3"]);
    expect(seen.all("connection").join()).not.toContain("private");
  });

  it("but Connection cannot take away what the gateway says", async () => {
    const seen = await forwarded([
      "Connection: close, X-Postern-Account, X-Postern-Key-Id, X-Forwarded-Host, Host",
    ]);
    expect(seen.header("x-postern-account")).toBe("acme");
    expect(seen.header("x-postern-key-id")).toBe(world.ALL.id);
    expect(seen.header("x-forwarded-host")).toBe(`127.0.0.1:${world.gateway.port}`);
  });

  it.each([
    ["Expect: 100-continue", "expect"],
    ["Upgrade: h2c", "upgrade"],
    ["Upgrade: foo/1", "upgrade"],
    ["HTTP2-Settings: AAMAAABkAAQAAP__", "http2-settings"],
  ])("has no %s", async (line, name) => {
    const seen = await forwarded([line, "Content-Length: 2"], "POST /v2/web/x", "{}");
    expect(seen.all(name)).toEqual([]);
    expect(seen.body.toString()).toBe("{}");
  });

  it("has everything else as it was sent, repeated headers joined", async () => {
    const seen = await forwarded([
      "Accept: application/json;q=0.9, */*",
      "Accept-Language: da",
      "User-Agent: curl/8",
      'If-None-Match: "abc", W/"d"',
      "If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT",
      'If-Range: "abc"',
      "Range: bytes=0-9",
      "Idempotency-Key: 123",
      "Anthropic-Version: 2023-06-01",
      "OpenAI-Organization: org",
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "X-Custom: a",
      "x-custom: b",
      "X-Empty:",
    ]);
    expect(Object.fromEntries(seen.headers.map(([n, v]) => [n.toLowerCase(), v]))).toMatchObject({
      accept: "application/json;q=0.9, */*",
      "accept-language": "da",
      "user-agent": "curl/8",
      "if-none-match": '"abc", W/"d"',
      "if-modified-since": "Sat, 21 Nov 2026 00:00:00 GMT",
      "if-range": '"abc"',
      range: "bytes=0-9",
      "idempotency-key": "123",
      "anthropic-version": "2023-06-01",
      "openai-organization": "org",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "x-custom": "a, b",
    });
  });

  it.each([
    ["gzip", "Accept-Encoding: gzip"],
    ["br and zstd", "Accept-Encoding: br, zstd"],
    ["identity", "Accept-Encoding: identity"],
  ])("has the client's own Accept-Encoding: %s", async (_, line) => {
    expect(`Accept-Encoding: ${(await forwarded([line])).header("accept-encoding")}`).toBe(line);
  });

  it("asks for no encoding where the client does not", async () => {
    expect((await forwarded([])).all("accept-encoding")).toEqual([]);
  });

  it("keeps out of every cache on its way where there is one: GET and HEAD", async () => {
    for (const [method, expected] of [
      ["GET", "no-cache"],
      ["HEAD", "no-cache"],
      ["POST", undefined],
    ] as const) {
      world.origin.clear();
      await world.gateway.call("/v2/web/x", { method, headers: world.ALL.bearer });
      expect(world.origin.only.header("cache-control"), method).toBe(expected);
    }
  });

  it("has a content-length where the client sent one, and chunks where it did not", async () => {
    const known = await forwarded(["Content-Length: 5"], "POST /v2/web/x", "hello");
    expect([known.header("content-length"), known.body.toString()]).toEqual(["5", "hello"]);
    world.origin.clear();
    const unknown = await forwarded(
      ["Transfer-Encoding: chunked"],
      "POST /v2/web/x",
      "5\r\nhello\r\n0\r\n\r\n",
    );
    expect([unknown.all("content-length"), unknown.body.toString()]).toEqual([[], "hello"]);
  });

  it.each(["POST", "PUT", "PATCH", "DELETE"])("of a %s without a body has none", async (method) => {
    const answer = await world.gateway.call("/v2/web/x", { method, headers: world.ALL.bearer });
    expect(answer.status).toBe(200);
    expect(world.origin.only).toMatchObject({ method, bytes: 0 });
  });

  it("keeps content-type and content-encoding of a body, and its bytes", async () => {
    const body = new Uint8Array(256).map((_, i) => i);
    const headers = {
      ...world.ALL.bearer,
      "content-type": "application/x-thing; a=b",
      "content-encoding": "gzip",
    };
    await world.gateway.call("/v2/web/x", { method: "PUT", headers, body });
    expect(world.origin.only.header("content-type")).toBe("application/x-thing; a=b");
    expect(world.origin.only.header("content-encoding")).toBe("gzip");
    expect(new Uint8Array(world.origin.only.body)).toEqual(body);
  });
});

describe("the client's address", () => {
  it("is what CLIENT_IP_HEADER reports, and nothing else", async () => {
    const trusting = await startWorld({ vars: { CLIENT_IP_HEADER: "cf-connecting-ip" } });
    try {
      const headers = {
        ...trusting.ALL.bearer,
        "cf-connecting-ip": "203.0.113.7",
        "x-forwarded-for": "10.0.0.1",
        "x-real-ip": "10.0.0.2",
      };
      await trusting.gateway.call("/v2/web/x", { headers });
      const seen = trusting.origin.only;
      expect(seen.header("x-forwarded-for")).toBe("203.0.113.7");
      expect([seen.all("cf-connecting-ip"), seen.all("x-real-ip")]).toEqual([[], []]);
    } finally {
      await trusting.stop();
    }
  });
});

describe("the origin's own credential", () => {
  it("is the named secret's value, with its scheme", async () => {
    await world.gateway.call("/v2/signed/x", { headers: world.ALL.bearer });
    expect(world.origin.only.header("authorization")).toBe("Bearer s3cret");
  });

  it("takes the place of the client's key where both use one header", async () => {
    await world.gateway.call("/v2/keyed/x", { headers: { "x-api-key": world.ALL.key } });
    expect(world.origin.only.header("x-api-key")).toBe("s3cret");
  });

  it("is never one of Postern's own secrets, whatever a record says", async () => {
    const answer = await world.gateway.call("/v2/grasping/x", { headers: world.ALL.bearer });
    expectRefused(answer, 502, "origin_unreachable", world.origin);
  });

  it("is not left out where the secret is not set or empty: 502, and nothing is sent", async () => {
    for (const id of ["unset", "empty"]) {
      const answer = await world.gateway.call(`/v2/${id}/x`, { headers: world.ALL.bearer });
      expectRefused(answer, 502, "origin_unreachable", world.origin);
      expect(answer.text).not.toContain("ORIGIN_");
      expect(answer.json.detail).toContain("must set the secret that the endpoint names");
      const logged = world.gateway.logs.map(({ text }) => text).filter((text) => text.includes("credential"));
      expect(JSON.parse(logged.at(-1)!)).toEqual({
        message: "origin credential is not configured",
        request_id: answer.headers["x-request-id"],
        endpoint_id: id,
        secret: id === "unset" ? "ORIGIN_MISSING" : "ORIGIN_EMPTY",
      });
    }
  });
});

it("an origin credential that is no header value is 502, and nothing is sent", async () => {
  const answer = await world.gateway.call("/v2/broken/x", { headers: world.ALL.bearer });
  expectRefused(answer, 502, "origin_unreachable", world.origin);
  expect(answer.text).not.toContain("a\\nb");
});

it("whoever asks at the same time, each request arrives with its own headers alone", async () => {
  const { gateway, origin, ALL } = world;
  const reader = () => gateway.createKey({ account_id: "acme", permissions: { inference: "read" } });
  const keys = [ALL, await reader(), await reader()];
  const ask = async (n: number) => {
    const key = keys[n % 3]!;
    // Some of them again and again, some only once.
    const own: Record<string, string> =
      n % 4 === 0 ? { "x-own": `only ${n}` } : { "x-own": `shared ${n % 2}` };
    if (n % 5 === 0) own["x-more"] = "1";
    const answer = await gateway.call(`/v2/web/${n}`, { headers: { ...key.bearer, ...own } });
    expect(answer.status).toBe(200);
    return { n, id: answer.headers["x-request-id"], key: key.id, own };
  };
  const asked = [];
  for (let round = 0; round < 20; round += 1) {
    asked.push(...(await Promise.all(Array.from({ length: 15 }, (_, i) => ask(15 * round + i)))));
  }
  expect(origin.requests).toHaveLength(300);
  for (const { n, id, key, own } of asked) {
    const seen = origin.requests.find(({ target }) => target === `/web/${n}`)!;
    expect(seen.header("x-request-id")).toBe(id);
    expect(seen.header("x-postern-key-id")).toBe(key);
    expect({ "x-own": seen.header("x-own"), "x-more": seen.header("x-more") }).toEqual({
      "x-own": own["x-own"],
      "x-more": own["x-more"],
    });
  }
});

describe("x-postern-assertion", () => {
  it("is a JWT that the origin verifies against the gateway's own key set", async () => {
    const jwks = (await world.gateway.call("/.well-known/jwks.json")).json;
    expect(jwks.keys[0].d).toBeUndefined();
    await world.gateway.call("/v2/signed/x", { method: "POST", headers: world.ALL.bearer, body: {} });
    const token = world.origin.only.header("x-postern-assertion")!;
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
      issuer: "https://gw.test",
      audience: "signed",
      algorithms: ["ES256"],
      requiredClaims: ["exp", "iat"],
    });
    expect(payload).toMatchObject({
      sub: "acme",
      key_id: world.ALL.id,
      environment: "production",
      access: "read_write",
    });
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(60);
    expect(protectedHeader.kid).toBe("k1");
  });

  it("is the same while it is valid, and another one for another access", async () => {
    for (const method of ["GET", "GET", "POST"])
      await world.gateway.call("/v2/signed/x", { method, headers: world.ALL.bearer });
    const [first, second, third] = world.origin.requests.map((seen) => seen.header("x-postern-assertion"));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("is sent only to endpoints that ask for it", async () => {
    expect((await forwarded([])).all("x-postern-assertion")).toEqual([]);
  });
});
