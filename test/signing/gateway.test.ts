import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDenial } from "../harness/denied.ts";
import { EVERYTHING, startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { ISSUER, privateJwk } from "./keys.ts";

/** A gateway with these settings, and an endpoint that asks for assertions. */
async function start(settings: { vars?: Record<string, string>; keys?: unknown[] }) {
  const [origin, gateway] = await Promise.all([
    Origin.start(),
    startTestGateway({
      vars: { ...settings.vars },
      secrets: settings.keys === undefined ? {} : { SIGNING_KEYS: JSON.stringify({ keys: settings.keys }) },
    }),
  ]);
  await gateway.createAccount("acme");
  for (const id of ["epA", "epB"]) {
    await gateway.createEndpoint({ id, protocol: "http", origin: `${origin.url}/${id}`, assertion: true });
  }
  const ALL = await gateway.createKey({ permissions: EVERYTHING });
  return { origin, gateway, ALL };
}

describe("at an origin", () => {
  let gateway: TestGateway;
  let origin: Origin;
  let ALL: TestKey;
  beforeAll(async () => {
    ({ origin, gateway, ALL } = await start({
      vars: { PUBLIC_URL: ISSUER },
      keys: [await privateJwk("es-2"), await privateJwk("rs-1", "RS256"), await privateJwk("es-1")],
    }));
  });
  afterAll(async () => {
    await gateway?.stop();
    await origin?.stop();
  });
  beforeEach(() => origin.clear());

  const asserted = async (path: string, method = "GET", key = ALL) => {
    origin.clear();
    const headers = { ...key.bearer, "x-postern-assertion": "forged" };
    expect((await gateway.call(path, { method, headers })).status).toBe(200);
    return origin.only.header("x-postern-assertion")!;
  };
  /** All that an origin needs: the URL of the key set, and jose. */
  const verify = (token: string, audience: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${gateway.url}/.well-known/jwks.json`)), {
      issuer: ISSUER,
      audience,
      algorithms: ["ES256"],
      requiredClaims: ["exp", "sub"],
    });

  it("an assertion verifies with nothing but the key set's URL", async () => {
    const token = await asserted("/v2/epA/x", "POST");
    expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", kid: "es-2", typ: "JWT" });
    const { payload } = await verify(token, "epA");
    const { iat = 0, exp = 0 } = payload;
    expect(payload).toEqual({
      iss: ISSUER,
      aud: "epA",
      sub: "acme",
      key_id: ALL.id,
      environment: "production",
      access: "read_write",
      iat,
      exp,
    });
    expect(exp - iat).toBe(60);
  });

  it("one for another endpoint is refused", async () => {
    const token = await asserted("/v2/epA/x");
    await expect(verify(token, "epA")).resolves.toBeDefined();
    await expect(verify(token, "epB")).rejects.toThrow(/aud/);
  });

  it("warm requests carry the very same one: nothing was signed for them", async () => {
    // ES256 draws a random number for each signature, so two signatures are never equal.
    const key = await gateway.createKey({ permissions: EVERYTHING });
    const tokens = new Set<string>();
    for (let i = 0; i < 20; i += 1) tokens.add(await asserted(`/v2/epA/${i}`, "POST", key));
    expect(tokens.size).toBe(1);
  });

  it("a key about to expire is asserted until then, and no longer", async () => {
    const expires_at = Date.now() + 20_000;
    const key = await gateway.createKey({ permissions: EVERYTHING, expires_at });
    const { payload } = await verify(await asserted("/v2/epA/x", "GET", key), "epA");
    expect(payload.exp).toBe(Math.floor(expires_at / 1000));
  });
});

describe("what is published", () => {
  let gateway: TestGateway;
  let secrets: string[];
  beforeAll(async () => {
    const keys = [await privateJwk("es-1"), await privateJwk("rs-1", "RS256")];
    secrets = keys.flatMap(({ d, p, q }) => [d, p, q]).filter((secret) => secret !== undefined);
    gateway = await startTestGateway({
      vars: { PUBLIC_URL: `${ISSUER}/` },
      secrets: { SIGNING_KEYS: JSON.stringify({ keys }) },
    });
  });
  afterAll(() => gateway?.stop());

  it("discovery names the issuer exactly as tokens do, and where its keys are", async () => {
    const answer = await gateway.call("/.well-known/openid-configuration", {
      headers: { host: "evil.test" },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      issuer: `${ISSUER}/`,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256", "RS256"],
    });
  });

  it("the key set holds every key, and nothing private", async () => {
    const answer = await gateway.call("/.well-known/jwks.json");
    expect(answer.json.keys.map(({ kid, alg, use }: Record<string, string>) => [kid, alg, use])).toEqual([
      ["es-1", "ES256", "sig"],
      ["rs-1", "RS256", "sig"],
    ]);
    for (const secret of secrets) expect(answer.text).not.toContain(secret);
  });

  it.each(["openid-configuration", "jwks.json"])(
    "%s: open, cached for minutes, GET and HEAD alone",
    async (name) => {
      const path = `/.well-known/${name}`;
      const answer = await gateway.call(path);
      expect(answer.headers).toMatchObject({
        "content-type": "application/json",
        "cache-control": "public, max-age=300",
        "x-content-type-options": "nosniff",
        "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      const head = await gateway.call(path, { method: "HEAD" });
      expect({ status: head.status, text: head.text }).toEqual({ status: 200, text: "" });
      expect(head.headers["content-type"]).toBe("application/json");
      for (const method of ["POST", "PUT", "DELETE"]) {
        const refused = await gateway.call(path, { method });
        expectDenial(refused, 405, "method_not_allowed");
        expect(refused.headers.allow).toBe("GET, HEAD, OPTIONS");
      }
      expect((await gateway.call(path, { method: "OPTIONS" })).status).toBe(204);
    },
  );

  it.each(["", "/x", "/jwks.json/x", "/constructor"])("/.well-known%s: 404", async (tail) => {
    expectDenial(await gateway.call(`/.well-known${tail}`), 404, "not_found");
  });
});

describe("a gateway that cannot sign", () => {
  it.each<[string, { vars?: Record<string, string>; keys?: unknown[] }, string]>([
    ["no signing keys", { vars: { PUBLIC_URL: ISSUER } }, "SIGNING_KEYS holds no ES256 key"],
    ["no PUBLIC_URL", { keys: [] }, "PUBLIC_URL is not set"],
  ])("%s: 500 and nothing forwarded; the log says why; all else works", async (_, settings, reason) => {
    const keys = settings.keys && [await privateJwk("es-1")];
    const { gateway, origin, ALL } = await start({ ...settings, ...(keys && { keys }) });
    try {
      await gateway.createEndpoint({ id: "plain", protocol: "http", origin: `${origin.url}/plain` });
      expect((await gateway.call("/v2/plain/x", { headers: ALL.bearer })).status).toBe(200);
      origin.clear();
      const answer = await gateway.call("/v2/epA/x", { headers: ALL.bearer });
      expectDenial(answer, 500, "internal_error");
      expect(answer.text).not.toMatch(/SIGNING|PUBLIC/);
      expect(origin.requests).toEqual([]);
      const log = await gateway.logOf(answer.headers["x-request-id"]!);
      expect(log.message).toContain(reason);
      expect((await gateway.call("/.well-known/jwks.json")).status).toBe(200);
      const discovery = await gateway.call("/.well-known/openid-configuration");
      expect(discovery.status).toBe(settings.vars === undefined ? 404 : 200);
    } finally {
      await gateway.stop();
      await origin.stop();
    }
  });

  it("keys that are none: every request 500, the log names the key by its place and shows nothing of it", async () => {
    const { d, ...half } = await privateJwk("es-1");
    const gateway = await startTestGateway({
      vars: { PUBLIC_URL: ISSUER },
      secrets: { SIGNING_KEYS: JSON.stringify({ keys: [{ ...half, d, crv: "P-384" }] }) },
    });
    try {
      const answer = await gateway.call("/healthz");
      expectDenial(answer, 500, "internal_error");
      const log = await gateway.logOf(answer.headers["x-request-id"]!);
      expect(log.message).toBe("Wrong configuration: SIGNING_KEYS: key 1: crv must be P-256 for ES256");
      expect(JSON.stringify(gateway.logs)).not.toContain(d);
    } finally {
      await gateway.stop();
    }
  });
});
