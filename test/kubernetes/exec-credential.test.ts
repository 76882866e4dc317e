import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimsFor } from "../../src/kubernetes/exec-credential.ts";
import { expectDenial } from "../harness/denied.ts";
import { EVERYTHING, type NewKey, type TestKey } from "../harness/gateway.ts";
import { privateJwk } from "../signing/keys.ts";
import {
  ALSO_MINE,
  AUDIENCE,
  FOREIGN,
  type KubernetesWorld,
  MINE,
  pathOf,
  startKubernetesWorld,
  UNKNOWN,
} from "./world.ts";

let world: KubernetesWorld;
/** Holds `MINE` alone. */
let HOLDER: TestKey;
/** Holds every namespace. */
let ALL: TestKey;

beforeAll(async () => {
  world = await startKubernetesWorld([await privateJwk("es-1")], { vars: { LEGACY_KEYS: "on" } });
  await world.createNamespace({ id: MINE, account_id: "acme", name: "team-a" });
  await world.createNamespace({ id: ALSO_MINE, account_id: "acme", name: "system:masters" });
  await world.createNamespace({ id: FOREIGN, account_id: "other", name: "theirs" });
  HOLDER = await key({ permissions: { kubernetes_exec: { namespace_ids: [MINE] } } });
  ALL = await key({ name: "system:masters", permissions: EVERYTHING });
});
afterAll(() => world?.stop());

const key = (given: NewKey) => world.gateway.createKey(given);

const mint = (id: string, headers: Record<string, string>, query = "", method = "POST") =>
  world.gateway.call(pathOf(id, "exec-credential") + query, { method, headers });

const verify = (token: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${world.gateway.url}/.well-known/jwks.json`)), {
    issuer: world.publicUrl,
    audience: AUDIENCE,
    algorithms: ["ES256"],
    requiredClaims: ["exp", "nbf", "iat", "jti"],
  });

describe("a key that holds the namespace", () => {
  it.each([
    ["POST", () => ({ "x-api-key": HOLDER.key })],
    ["GET", () => ({ "x-api-key": HOLDER.key })],
    ["POST", () => HOLDER.bearer],
    ["POST", () => ({ authorization: HOLDER.key })],
  ])("gets an ExecCredential (%s)", async (method, headers) => {
    const answer = await mint(MINE, headers(), "", method);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.json).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: expect.any(String), expirationTimestamp: expect.stringMatching(/^[-\d]+T[:\d]+Z$/) },
    });
  });

  it("gets a token of exactly these claims, for ten minutes", async () => {
    const answer = await mint(MINE, HOLDER.bearer);
    const { token, expirationTimestamp } = answer.json.status;
    const { payload, protectedHeader } = await verify(token);
    expect(protectedHeader).toEqual({ alg: "ES256", kid: "es-1", typ: "JWT" });
    const { iat = 0, exp = 0, jti } = payload;
    expect(payload).toEqual({
      iss: world.publicUrl,
      aud: AUDIENCE,
      sub: `postern:key:${HOLDER.id}`,
      groups: [`postern:namespace:${MINE}`, "postern:account:acme"],
      iat,
      nbf: iat,
      exp: iat + 600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(5);
    expect(Date.parse(expirationTimestamp)).toBe(exp * 1000);
    const log = await world.gateway.logOf(answer.headers["x-request-id"]!);
    expect(log).toMatchObject({ key_id: HOLDER.id, account_id: "acme", namespace_id: MINE, token_id: jti });
    expect(JSON.stringify(log)).not.toContain(token);
  });

  it("gets another token each time", async () => {
    const [one, other] = await Promise.all([mint(MINE, HOLDER.bearer), mint(MINE, HOLDER.bearer)]);
    expect(one.json.status.token).not.toBe(other.json.status.token);
  });

  it("may write the id in capitals", async () => {
    const answer = await mint(MINE.toUpperCase(), HOLDER.bearer);
    const { payload } = await verify(answer.json.status.token);
    expect(payload.groups).toContain(`postern:namespace:${MINE}`);
  });

  it.each([
    ["", "v1"],
    ["?apiVersion=", "v1"],
    ["?apiVersion=v1", "v1"],
    ["?apiVersion=v1beta1", "v1beta1"],
    ["?apiVersion=client.authentication.k8s.io/v1", "v1"],
    ["?apiVersion=client.authentication.k8s.io/v1beta1", "v1beta1"],
    ["?apiVersion=client.authentication.k8s.io%2Fv1beta1&x=1", "v1beta1"],
  ])("gets the version that it names: %s", async (query, version) => {
    const answer = await mint(MINE, HOLDER.bearer, query);
    expect(answer.json.apiVersion).toBe(`client.authentication.k8s.io/${version}`);
  });

  it.each([
    "?apiVersion=v1alpha1",
    "?apiVersion=v2",
    "?apiVersion=authentication.k8s.io/v1",
    "?apiVersion=client.authentication.k8s.io/client.authentication.k8s.io/v1",
    "?apiVersion=%ff",
    "?apiVersion=v1&apiVersion=v1beta1",
  ])("is told which versions there are: %s", async (query) => {
    const answer = await mint(MINE, HOLDER.bearer, query);
    expectDenial(answer, 400, "invalid_request");
    expect(answer.json.detail).toMatch(/apiVersion/);
  });
});

describe("no claim can be steered", () => {
  it("by the name of a key or of a namespace", async () => {
    const answer = await mint(ALSO_MINE, ALL.bearer);
    const { payload } = await verify(answer.json.status.token);
    expect(payload).toMatchObject({
      sub: `postern:key:${ALL.id}`,
      groups: [`postern:namespace:${ALSO_MINE}`, "postern:account:acme"],
    });
    expect(JSON.stringify(payload)).not.toContain("system:");
  });

  it("by anything in the request", async () => {
    const answer = await world.gateway.call(
      `${pathOf(MINE, "exec-credential")}?audience=x&sub=system:admin&groups=system:masters`,
      {
        method: "POST",
        headers: { ...HOLDER.bearer, host: "evil.test", "x-forwarded-host": "evil.test" },
        body: { spec: { groups: ["system:masters"] }, aud: "x", exp: 9e9 },
      },
    );
    const { payload } = await verify(answer.json.status.token);
    expect(payload.groups).toEqual([`postern:namespace:${MINE}`, "postern:account:acme"]);
    expect(payload.sub).toBe(`postern:key:${HOLDER.id}`);
  });
});

describe("a token never outlives its key", () => {
  it("however soon it expires", async () => {
    const soon = await key({ permissions: EVERYTHING, expires_at: Date.now() + 90_500 });
    const { status } = (await mint(MINE, soon.bearer)).json;
    const { payload } = await verify(status.token);
    const row = await world.gateway.db
      .prepare("SELECT expires_at FROM keys WHERE id = ?")
      .bind(soon.id)
      .first<number>("expires_at");
    expect(payload.exp! * 1000).toBeLessThanOrEqual(row!);
    expect(payload.exp! * 1000).toBeGreaterThan(row! - 1000);
    expect(Date.parse(status.expirationTimestamp)).toBe(payload.exp! * 1000);
  });

  it.each([
    [null, 600],
    [600_000, 600],
    [599_999, 599],
    [1_000, 1],
    [999, 0],
  ])("with %s ms to live it gets %s s", (left, seconds) => {
    const now = 1_700_000_000_000;
    const claims = claimsFor(
      { id: "k", account_id: "a", expires_at: left === null ? null : now + left },
      { id: MINE, cluster: { server: "", audience: "a" } },
      now,
    );
    expect(claims.exp - claims.iat).toBe(seconds);
  });

  it("in its last second, with nothing left to give, it gets none", async () => {
    const lastSecond = Math.floor(Date.now() / 1000) * 1000 + 2_000;
    const dying = await key({ permissions: EVERYTHING, expires_at: lastSecond + 999 });
    expect((await mint(MINE, dying.bearer)).status).toBe(200);
    await new Promise((done) => setTimeout(done, lastSecond - Date.now() + 10));
    expectDenial(await mint(MINE, dying.bearer), 401, "invalid_api_key");
    // Elsewhere it is good still.
    expect((await world.gateway.call("/v1/key", { headers: dying.bearer })).status).toBe(200);
  });
});

describe("refused", () => {
  it.each<[string, NewKey]>([
    ["an inference-only key (K01)", { permissions: { inference: "read_write" } }],
    ["a read-only key", { permissions: { inference: "read", graphql: "read" } }],
    ["a key that reads GraphQL (K03)", { permissions: { graphql: "read" } }],
    ["a key that does everything else", { permissions: { ...EVERYTHING, kubernetes_exec: "none" } }],
    ["a restricted key without namespaces", { permissions: {} }],
    ["a key of another namespace", { permissions: { kubernetes_exec: { namespace_ids: [ALSO_MINE] } } }],
    ["a key whose list is empty", { permissions: { kubernetes_exec: { namespace_ids: [] } } }],
    ["a test key, whatever it holds", { environment: "test", permissions: EVERYTHING }],
    [
      "a legacy key",
      {
        secret: "rpa_LEGACYLEGACY",
        legacy: true,
        permissions: { graphql: "read_write", inference: "read_write" },
      },
    ],
  ])("%s: 403", async (_, given) => {
    const { bearer } = await key(given);
    for (const method of ["GET", "POST"]) {
      const answer = await mint(MINE, bearer, "", method);
      expectDenial(answer, 403, "insufficient_scope");
      expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_scope"');
      expect(answer.json.detail).toContain(`kubernetes_exec access on namespace ${MINE}`);
      expect(answer.text).not.toContain('token":');
    }
  });

  it("another account's namespace and nobody's are the same 404, whatever the key holds", async () => {
    const named = await key({ permissions: { kubernetes_exec: { namespace_ids: [FOREIGN, UNKNOWN] } } });
    const plain = await key({ permissions: { inference: "read_write" } });
    for (const { bearer } of [ALL, HOLDER, named, plain]) {
      const [foreign, unknown] = await Promise.all([mint(FOREIGN, bearer), mint(UNKNOWN, bearer)]);
      for (const answer of [foreign, unknown]) expectDenial(answer, 404, "not_found");
      const withoutId = ({ text, headers }: typeof foreign) => text.replace(headers["x-request-id"]!, "");
      expect(withoutId(foreign)).toBe(withoutId(unknown));
    }
  });

  it.each([
    `/v1/kubernetes/namespaces/team-a/exec-credential`,
    `/v1/kubernetes/namespaces/%27%20OR%201/exec-credential`,
    `/v1/kubernetes/namespaces/${MINE}/exec-credential/`,
    `/v1/kubernetes/namespaces/${MINE}/exec-credential/x`,
    `/v1/kubernetes/namespaces/${MINE}/__proto__`,
    `/v1/kubernetes/namespaces/${MINE}`,
    `/v1/kubernetes/pods/${MINE}/exec-credential`,
    `/v1/kubernetes`,
  ])("%s: 404 with a key, 401 without", async (path) => {
    expectDenial(await world.gateway.call(path, { headers: ALL.bearer }), 404, "not_found");
    expectDenial(await world.gateway.call(path), 401, "invalid_api_key");
  });

  it("every state that is not active, with the one body of the data plane", async () => {
    const past = Date.now() - 1000;
    const bodies = new Set<string>();
    const keys = [
      await key({ permissions: EVERYTHING, enabled: false }),
      await key({ permissions: EVERYTHING, expires_at: past }),
      await key({ permissions: EVERYTHING, revoked_at: past }),
    ].map(({ key: secret }) => secret);
    for (const presented of [...keys, world.gateway.strayKey(), `${ALL.key.slice(0, -1)}_`, "nobody"]) {
      const answer = await mint(MINE, { "x-api-key": presented });
      expectDenial(answer, 401, "invalid_api_key");
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern", error="invalid_token"');
      bodies.add(answer.text.replace(answer.headers["x-request-id"]!, ""));
    }
    expect([...bodies]).toHaveLength(1);
  });

  it("a key in the query, and two keys", async () => {
    expectDenial(await mint(MINE, {}, `?api_key=${ALL.key}`), 401, "invalid_api_key");
    expectDenial(await mint(MINE, ALL.bearer, `?api_key=${ALL.key}`), 400, "invalid_request");
    expectDenial(await mint(MINE, { ...ALL.bearer, "x-api-key": HOLDER.key }), 400, "invalid_request");
    expectDenial(await mint(MINE, {}), 401, "invalid_api_key");
  });

  it("a suspended account's key, at once", async () => {
    await world.gateway.createAccount("late");
    const id = "6f1c2d3e-0000-4000-8000-0000000000ff";
    await world.createNamespace({ id, account_id: "late", name: "late" });
    const late = await key({ account_id: "late", permissions: EVERYTHING });
    expect((await mint(id, late.bearer)).status).toBe(200);
    await world.gateway.changeAccount("late", { suspended: true });
    expectDenial(await mint(id, late.bearer), 401, "invalid_api_key");
  });

  it.each(["PUT", "PATCH", "DELETE", "HEAD"])("%s: 405 with a key, 401 without", async (method) => {
    const answer = await mint(MINE, ALL.bearer, "", method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe("GET, POST, OPTIONS");
    expect((await mint(MINE, {}, "", method)).status).toBe(401);
  });
});

describe("minting knows of a change as soon as it is made", () => {
  it("of a revocation", async () => {
    for (let i = 0; i < 5; i += 1) {
      const gone = await key({ permissions: EVERYTHING });
      expect((await mint(MINE, gone.bearer)).status).toBe(200);
      await world.gateway.changeKey(gone.id, { revoked_at: Date.now() });
      expectDenial(await mint(MINE, gone.bearer), 401, "invalid_api_key");
    }
  });

  it("of a namespace taken away", async () => {
    const { id, bearer } = await key({ permissions: EVERYTHING });
    expect((await mint(MINE, bearer)).status).toBe(200);
    await world.gateway.changeKey(id, { permissions: { ...EVERYTHING, kubernetes_exec: "none" } });
    expectDenial(await mint(MINE, bearer), 403, "insufficient_scope");
  });
});

it("counts what a key minted and was refused, and when it was used last", async () => {
  const { id, bearer } = await key({ permissions: { kubernetes_exec: { namespace_ids: [MINE] } } });
  for (let i = 0; i < 3; i += 1) await mint(MINE, bearer);
  for (let i = 0; i < 2; i += 1) await mint(ALSO_MINE, bearer);
  await expectCounted(id, "denied:insufficient_scope", 2);
  await expectCounted(id, "write", 3);
  const used = await world.gateway.db
    .prepare("SELECT last_used_at FROM key_last_used WHERE key_id = ?")
    .bind(id)
    .first<number>("last_used_at");
  expect(Math.abs(used! - Date.now())).toBeLessThan(15_000);
});

async function expectCounted(id: string, kind: string, count: number): Promise<void> {
  await expect
    .poll(
      () =>
        world.gateway.db
          .prepare("SELECT sum(count) AS n FROM key_usage WHERE key_id = ? AND kind = ?")
          .bind(id, kind)
          .first("n"),
      { timeout: 15_000, interval: 200 },
    )
    .toBe(count);
}
