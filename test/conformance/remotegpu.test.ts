import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { type Answer, AUDIENCE, eventually, postern, revokeAll } from "./postern.ts";

/** "API keys" (RemoteGPU's documentation), sentence by sentence. */
const it = postern();

const KEYS = "/v1/account/api-keys";
const PAGE = "/console/settings/api-keys";
const UNAUTHORIZED = "Missing, invalid, revoked, or expired API key";

const models = (key: string) => it.use(key, "GET", `${it.inference}/runtime/models`);
const image = (key: string) =>
  it.use(key, "POST", `${it.inference}/image`, {
    model: "black-forest-labs/FLUX.1-dev",
    prompt: "a cinematic portrait of an astronaut cat",
  });
const credential = (key: string, id = it.namespaces.first) =>
  it.use(key, "POST", `/v1/kubernetes/namespaces/${id}/exec-credential`);
/** Statuses of an inference read and write, and of a credential for each namespace of the account. */
const outcome = async (key: string) => [
  (await models(key)).status,
  (await image(key)).status,
  (await credential(key)).status,
  (await credential(key, it.namespaces.second)).status,
];
const refused = async (scopes: object, expected: string) => {
  const { id } = await it.create({ scopes: { all: true } });
  for (const answer of [
    await it.owner("POST", KEYS, { name: "n", scopes }),
    await it.owner("PATCH", `${KEYS}/${id}`, { scopes }),
  ]) {
    expect([answer.status, answer.json.detail]).toEqual([400, expected]);
  }
};
const run = promisify(execFile);
const detail = ({ status, json }: Answer) => [status, json.detail];
const inFuture = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

const EDITS = [{ name: "x" }, { scopes: { all: true } }, { template: "read_only" }, { expires_at: null }];

/** A key that was revoked, and one that has expired. */
async function dead() {
  const revoked = await it.create({ scopes: { all: true } });
  await it.owner("POST", `${KEYS}/${revoked.id}/revoke`);
  const expired = await it.create({ scopes: { all: true }, expires_at: inFuture(1) });
  const status = async () => (await it.owner("GET", `${KEYS}/${expired.id}`)).json.status;
  await eventually(status, "expired");
  return { revoked, expired };
}

describe.concurrent("two main purposes", () => {
  test("calling inference APIs with x-api-key", async () => {
    const { key } = await it.create({ scopes: { inference: true } });
    expect((await models(key)).status).toBe(200);
    expect((await image(key)).status).toBe(200);
  });

  test("refreshing Kubernetes exec credentials for kubectl", async () => {
    const { id, key } = await it.create({ scopes: { kubernetes_exec: { all_namespaces: true } } });
    const { issuer } = (await it.call("GET", "/.well-known/openid-configuration")).json;
    const keys = createLocalJWKSet((await it.call("GET", "/.well-known/jwks.json")).json);
    /** Takes a credential as a cluster does. */
    const verified = async () => {
      const { json } = await credential(key);
      expect(json).toMatchObject({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" });
      const { token, expirationTimestamp } = json.status;
      const { payload } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE, clockTolerance: 60 });
      expect(payload.sub).toContain(id);
      expect(payload.groups).toContain(`postern:namespace:${it.namespaces.first}`);
      expect(payload.exp! - payload.iat!).toBe(600);
      expect(Date.parse(expirationTimestamp)).toBe(payload.exp! * 1000);
      return payload;
    };
    const first = await verified();
    // Times are in seconds.
    await wait(1100);
    const next = await verified();
    expect(next.exp).toBeGreaterThan(first.exp!);
    expect(next.jti).not.toBe(first.jti);
  });

  test("Console account management APIs do not use API keys.", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    const { paths } = (await it.call("GET", "/openapi.json")).json;
    const routes = Object.entries<object>(paths).flatMap(([path, methods]) =>
      /^\/(?:v1\/account|admin)\//.test(path)
        ? Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, id)] as const)
        : [],
    );
    expect(routes.length).toBeGreaterThan(30);
    const forms: Record<string, string>[] = [{ "x-api-key": key }, { authorization: `Bearer ${key}` }];
    for (const headers of forms) {
      for (const [method, path] of routes) {
        const answer = await it.call(method, path, { headers });
        expect([method, path, ...detail(answer)]).toEqual([method, path, 401, "Missing access token"]);
      }
    }
    expect((await it.shown(id)).status).toBe("active");
  });

  test("They use your signed-in browser session.", async () => {
    const { id, key, name } = await it.create({ name: "To be revoked", scopes: { inference: true } });
    expect((await it.owner("GET", `${KEYS}/${id}`)).status).toBe(200);
    for (const headers of [{}, { "x-api-key": key }, { cookie: `postern_session=${key}` }]) {
      const { status, headers: answered } = await it.call("GET", PAGE, { headers });
      expect([status, answered.get("location")]).toEqual([303, expect.stringContaining("/console/sign-in")]);
    }
    if (it.signIn === null) return;
    const cookie = await it.signIn();
    const path = `${PAGE}/${id}/revoke`;
    const { status, text } = await it.call("GET", path, { headers: { cookie } });
    expect([status, text]).toEqual([200, expect.stringContaining(name)]);
    const form = new URLSearchParams({ name });
    for (const [, field, value] of text.matchAll(/name="(form_\w+)" value="([^"]*)"/g)) {
      form.set(field!, value!);
    }
    const type = "application/x-www-form-urlencoded";
    const headers = { cookie, "content-type": type, origin: it.url, "sec-fetch-site": "same-origin" };
    expect((await it.call("POST", path, { headers, body: form.toString() })).status).toBe(303);
    expect((await it.shown(id)).status).toBe("revoked");
  });
});

describe.concurrent("where to manage keys", () => {
  test("create keys", async () => {
    const made = await it.create({ name: "Image client", scopes: { inference: true } });
    expect(made).toMatchObject({ name: "Image client", status: "active" });
    expect((await models(made.key)).status).toBe(200);
  });

  test("rename keys", async () => {
    const { id } = await it.create({ scopes: { inference: true } });
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { name: "Renamed" })).json.name).toBe("Renamed");
    expect((await it.shown(id)).name).toBe("Renamed");
  });

  test("change expiry", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    const later = inFuture(3600);
    for (const expires_at of [later, inFuture(7200), null]) {
      expect((await it.owner("PATCH", `${KEYS}/${id}`, { expires_at })).json.expires_at).toBe(expires_at);
      expect((await it.shown(id)).expires_at).toBe(expires_at);
    }
    await it.owner("PATCH", `${KEYS}/${id}`, { expires_at: inFuture(1) });
    await eventually(async () => (await models(key)).status, 401);
  });

  test("change scopes", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    expect(await outcome(key)).toEqual([200, 200, 403, 403]);
    const scopes = { kubernetes_exec: { namespace_ids: [it.namespaces.first] } };
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { scopes })).json.scopes).toEqual(scopes);
    await eventually(() => outcome(key), [403, 403, 200, 403]);
  });

  test("revoke keys", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    expect((await models(key)).status).toBe(200);
    expect((await it.owner("POST", `${KEYS}/${id}/revoke`)).json.status).toBe("revoked");
    await eventually(async () => (await models(key)).status, 401);
  });

  test("The raw key value is returned only when the key is created.", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    for (const answer of [
      await it.owner("GET", `${KEYS}?limit=100`),
      await it.owner("GET", `${KEYS}/${id}`),
      await it.owner("PATCH", `${KEYS}/${id}`, { name: "Again" }),
      await it.owner("GET", "/v1/account/audit-log?limit=100"),
      await it.admin("GET", `/admin/keys?q=${id}`),
      await it.owner("POST", `${KEYS}/${id}/revoke`),
    ]) {
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(id)]);
      expect(answer.text).not.toContain(key);
    }
  });

  test("After that, the API and console only expose its prefix.", async () => {
    const { id, key, prefix } = await it.create({ scopes: { inference: true } });
    // To the 4th random character, after the letter of the tag secret.
    expect([prefix, key]).toEqual([
      expect.stringMatching(/^[a-z0-9]+_live_\w{5}$/),
      expect.stringMatching(`^${prefix}`),
    ]);
    const hash = createHash("sha256").update(key).digest("hex");
    for (const path of [`${KEYS}/${id}`, `${KEYS}?limit=100`, `${PAGE}/${id}`, `${PAGE}?q=${prefix}`]) {
      const { text } = await it.owner("GET", path);
      expect([path, text]).toEqual([path, expect.stringContaining(prefix)]);
      expect(text).not.toContain(key.slice(0, prefix.length + 1));
      expect(text).not.toContain(hash);
    }
  });
});

describe.concurrent("scope shapes", () => {
  test("Use this when one key should work for both inference and Kubernetes flows.", async () => {
    const made = await it.create({ scopes: { all: true } });
    expect(made.scopes).toEqual({ all: true });
    expect(await outcome(made.key)).toEqual([200, 200, 200, 200]);
  });

  test("Use this for image generation clients that should not be able to refresh Kubernetes credentials.", async () => {
    const made = await it.create({ scopes: { inference: true } });
    expect(made.scopes).toEqual({ inference: true });
    expect(await outcome(made.key)).toEqual([200, 200, 403, 403]);
  });

  test("Namespace-scoped:", async () => {
    const scopes = { kubernetes_exec: { namespace_ids: [it.namespaces.first] } };
    const made = await it.create({ scopes });
    expect(made.scopes).toEqual(scopes);
    expect(await outcome(made.key)).toEqual([403, 403, 200, 403]);
  });

  test("All namespaces owned by the current account:", async () => {
    const scopes = { kubernetes_exec: { all_namespaces: true } };
    const made = await it.create({ scopes });
    expect(made.scopes).toEqual(scopes);
    expect(await outcome(made.key)).toEqual([403, 403, 200, 200]);
    expect((await credential(made.key, it.namespaces.foreign)).status).toBe(404);
  });

  test("Use this for kubectl access without granting inference APIs.", async () => {
    const { key } = await it.create({ scopes: { kubernetes_exec: { all_namespaces: true } } });
    expect((await models(key)).status).toBe(403);
    expect((await image(key)).status).toBe(403);
    expect((await credential(key)).status).toBe(200);
  });
});

describe.concurrent("invalid scope combinations", () => {
  test("Mixed explicit inference plus namespace-scoped Kubernetes access is not a valid payload.", async () => {
    const { first } = it.namespaces;
    await refused(
      { inference: true, kubernetes_exec: { namespace_ids: [first] } },
      "Explicit mixed scopes are not supported",
    );
  });

  test('Use {"all": true} when you want both.', async () => {
    const { key } = await it.create({ scopes: { all: true } });
    expect(await outcome(key)).toEqual([200, 200, 200, 200]);
  });

  test("At least one explicit scope is required", () =>
    refused({}, "At least one explicit scope is required"));

  test("Explicit mixed scopes are not supported", () =>
    refused(
      { inference: true, kubernetes_exec: { all_namespaces: true } },
      "Explicit mixed scopes are not supported",
    ));

  test("all cannot be combined with other scope fields", () =>
    refused({ all: true, inference: true }, "all cannot be combined with other scope fields"));

  test("At least one namespace ID is required unless all_namespaces is true", async () => {
    await refused(
      { kubernetes_exec: { namespace_ids: [] } },
      "At least one namespace ID is required unless all_namespaces is true",
    );
    const scopes = { kubernetes_exec: { namespace_ids: [], all_namespaces: true } };
    expect(await outcome((await it.create({ scopes })).key)).toEqual([403, 403, 200, 200]);
  });
});

describe.concurrent("namespace ownership rules", () => {
  test("kubernetes_exec.namespace_ids must reference namespaces owned by the current account.", async () => {
    const { first, second } = it.namespaces;
    await it.create({ scopes: { kubernetes_exec: { namespace_ids: [first, second] } } });
    const nobodys = "00000000-0000-4000-8000-000000000000";
    await refused({ kubernetes_exec: { namespace_ids: [first, nobodys] } }, `Unknown namespace: ${nobodys}`);
  });

  test("If you include someone else's namespace, creation or update is rejected with 400.", async () => {
    const { first, foreign } = it.namespaces;
    await refused({ kubernetes_exec: { namespace_ids: [foreign] } }, `Unknown namespace: ${foreign}`);
    await refused({ kubernetes_exec: { namespace_ids: [first, foreign] } }, `Unknown namespace: ${foreign}`);
  });
});

describe.concurrent("header format", () => {
  test("APIs expect the key in the x-api-key header:", async () => {
    const { key } = await it.create({ scopes: { inference: true } });
    const path = `${it.inference}/runtime/models`;
    expect((await it.call("GET", path, { headers: { "x-api-key": key } })).status).toBe(200);
    expect((await it.call("GET", path, { headers: { "X-API-Key": key } })).status).toBe(200);
    expect((await it.call("GET", path)).status).toBe(401);
  });

  test("Example inference request:", async () => {
    const { key } = await it.create({ scopes: { inference: true } });
    expect((await image(key)).status).toBe(200);
    const seen = it.origin?.requests.find(
      ({ target, body }) => target.endsWith("/image") && body.includes("astronaut"),
    );
    if (it.origin === null) return;
    expect(JSON.parse(seen!.body.toString())).toEqual({
      model: "black-forest-labs/FLUX.1-dev",
      prompt: "a cinematic portrait of an astronaut cat",
    });
    expect([seen!.method, seen!.header("content-type")]).toEqual(["POST", "application/json"]);
    expect(seen!.header("x-api-key")).toBeUndefined();
  });

  test("Kubernetes kubeconfig refresh also uses x-api-key, but it is normally handled for you by the generated kubeconfig exec plugin.", async () => {
    const { key } = await it.create({ scopes: { kubernetes_exec: { all_namespaces: true } } });
    const path = `/v1/kubernetes/namespaces/${it.namespaces.first}`;
    expect((await it.call("POST", `${path}/exec-credential`, { headers: { "x-api-key": key } })).status).toBe(
      200,
    );
    const { text } = await it.use(key, "GET", `${path}/kubeconfig`);
    expect(text).not.toContain(key);
    const config = new KubeConfig();
    config.loadFromString(text);
    const { command, args } = config.users[0]!.exec;
    const url = args.find((one: string) => one.endsWith(`${path}/exec-credential`));
    expect(url).toBeDefined();
    // PUBLIC_URL is how clients reach the gateway, which may not be how this suite does.
    const reached = args.map((one: string) => (one === url ? it.url + new URL(url).pathname : one));
    const home = await mkdtemp(join(tmpdir(), "postern-conformance-"));
    try {
      const file = join(home, "key");
      await writeFile(file, key);
      for (const env of [{ POSTERN_API_KEY: key }, { POSTERN_API_KEY_FILE: file }]) {
        const { stdout } = await run(command, reached, {
          env: { PATH: process.env.PATH, HOME: home, ...env },
        });
        expect(JSON.parse(stdout)).toMatchObject({
          kind: "ExecCredential",
          status: { token: expect.stringContaining(".") },
        });
      }
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe.concurrent("common use cases", () => {
  test("Inference-only client integration", async () => {
    const { key } = await it.create({ template: "inference_client" });
    expect(await outcome(key)).toEqual([200, 200, 403, 403]);
  });

  test("Namespace-scoped kubectl access", async () => {
    const { key } = await it.create({ scopes: [`kubernetes_exec:${it.namespaces.second}`] });
    expect(await outcome(key)).toEqual([403, 403, 403, 200]);
  });

  test("Broad admin automation with all scopes", async () => {
    const { key } = await it.create({ template: "full_access" });
    expect(await outcome(key)).toEqual([200, 200, 200, 200]);
    expect(await it.graphql(key, "mutation { podStop(id: 1) { id } }")).toBe(200);
  });
});

describe.concurrent("lifecycle rules", () => {
  test("Key names are limited to 64 characters", async () => {
    const scopes = { inference: true };
    const { id } = await it.create({ name: "x".repeat(64), scopes });
    const text = "name must be 1 to 64 characters";
    for (const name of ["x".repeat(65), "", " "]) {
      expect(detail(await it.owner("POST", KEYS, { name, scopes }))).toEqual([400, text]);
      expect(detail(await it.owner("PATCH", `${KEYS}/${id}`, { name }))).toEqual([400, text]);
    }
    await it.create({ name: "𝒳".repeat(64), scopes });
  });

  test("Expiration must be in the future", async () => {
    const scopes = { inference: true };
    const { id, created_at } = await it.create({ scopes });
    // By the gateway's clock, a moment ago.
    for (const expires_at of ["2020-01-01T00:00:00Z", created_at]) {
      const text = "expires_at must be in the future";
      expect(detail(await it.owner("POST", KEYS, { name: "n", scopes, expires_at }))).toEqual([400, text]);
      expect(detail(await it.owner("PATCH", `${KEYS}/${id}`, { expires_at }))).toEqual([400, text]);
    }
  });

  test("Revoked keys cannot be modified", async () => {
    const { revoked } = await dead();
    for (const body of [...EDITS, { enabled: true }]) {
      const answer = await it.owner("PATCH", `${KEYS}/${revoked.id}`, body);
      expect([answer.status, answer.json.error.code]).toEqual([409, "key_revoked"]);
    }
    expect((await it.owner("POST", `${KEYS}/${revoked.id}/rotate`)).status).toBe(409);
  });

  test("Expired keys cannot be modified", async () => {
    const { expired } = await dead();
    for (const body of [...EDITS, { enabled: false }]) {
      const answer = await it.owner("PATCH", `${KEYS}/${expired.id}`, body);
      expect([answer.status, answer.json.error.code]).toEqual([409, "key_expired"]);
    }
    expect((await it.owner("POST", `${KEYS}/${expired.id}/rotate`)).status).toBe(409);
    expect((await it.owner("POST", `${KEYS}/${expired.id}/revoke`)).json.status).toBe("revoked");
  });
});

describe.concurrent("common responses", () => {
  test("401 Missing access token when managing keys from account APIs", async () => {
    for (const [method, path] of [
      ["GET", KEYS],
      ["POST", KEYS],
      ["PATCH", `${KEYS}/key_0000000000000000000000`],
      ["POST", `${KEYS}/key_0000000000000000000000/revoke`],
    ] as const) {
      const answer = await it.call(method, path);
      expect(detail(answer)).toEqual([401, "Missing access token"]);
      expect(answer.json.error.code).toBe("missing_access_token");
    }
  });

  test("401 Missing, invalid, revoked, or expired API key when calling key-protected APIs", async () => {
    const { revoked, expired } = await dead();
    const good = await it.create({ scopes: { all: true } });
    for (const [method, path] of [
      ["GET", `${it.inference}/runtime/models`],
      ["POST", `/graphql/${it.endpoints.graphql}`],
      ["POST", `/v1/kubernetes/namespaces/${it.namespaces.first}/exec-credential`],
      ["GET", `/v1/kubernetes/namespaces/${it.namespaces.first}/kubeconfig`],
      ["GET", "/v1/key"],
    ] as const) {
      expect(detail(await it.call(method, path))).toEqual([401, UNAUTHORIZED]);
      for (const key of ["nonsense", `${good.key.slice(0, -1)}_`, revoked.key, expired.key]) {
        await eventually(async () => detail(await it.use(key, method, path)), [401, UNAUTHORIZED]);
        expect((await it.use(key, method, path)).json.error.code).toBe("invalid_api_key");
      }
    }
  });

  test("400 Invalid scope payload, invalid namespace ownership, or past expiration", async () => {
    const { id } = await it.create({ scopes: { all: true } });
    for (const body of [
      { scopes: {} },
      { scopes: "all" },
      { scopes: { kubernetes_exec: { namespace_ids: [it.namespaces.foreign] } } },
      { scopes: { all: true }, expires_at: "2020-01-01T00:00:00Z" },
    ]) {
      for (const answer of [
        await it.owner("POST", KEYS, { name: "n", ...body }),
        await it.owner("PATCH", `${KEYS}/${id}`, body),
      ]) {
        expect([answer.status, answer.json.error.code]).toEqual([400, "invalid_request"]);
      }
    }
  });

  test("404 API key not found", async () => {
    const theirs = await it.create({ scopes: { all: true } }, it.other);
    for (const id of [theirs.id, "key_0000000000000000000000", "nonsense"]) {
      for (const [method, tail, body] of [
        ["GET", "", undefined],
        ["PATCH", "", { name: "x" }],
        ["POST", "/revoke", undefined],
        ["POST", "/rotate", undefined],
        ["GET", "/usage", undefined],
      ] as const) {
        expect(detail(await it.owner(method, `${KEYS}/${id}${tail}`, body))).toEqual([
          404,
          "API key not found",
        ]);
      }
    }
  });

  test("409 Revoked or expired keys cannot be modified", async () => {
    const { revoked, expired } = await dead();
    for (const { id } of [revoked, expired]) {
      expect(detail(await it.owner("PATCH", `${KEYS}/${id}`, { name: "x" }))).toEqual([
        409,
        "Revoked or expired keys cannot be modified",
      ]);
    }
  });

  test("GET /v1/account/api-keys", async () => {
    const older = await it.create({ scopes: { all: true } });
    const theirs = await it.create({ scopes: { all: true } }, it.other);
    const newer = await it.create({ scopes: { all: true } });
    const wanted = new Set([older.id, newer.id]);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null && wanted.size > 0; ) {
      const { json } = await it.owner("GET", `${KEYS}?limit=1${cursor && `&cursor=${cursor}`}`);
      const ids: string[] = json.data.map(({ id }: { id: string }) => id);
      expect(ids.length).toBeLessThanOrEqual(1);
      // Keys that other tests make meanwhile are newer: they do not move what comes after.
      expect(ids.filter((id) => seen.includes(id))).toEqual([]);
      for (const id of ids) wanted.delete(id);
      seen.push(...ids);
      cursor = json.next_cursor;
    }
    expect([...wanted]).toEqual([]);
    expect(seen).not.toContain(theirs.id);
  });

  test("POST /v1/account/api-keys", async () => {
    const answer = await it.owner("POST", KEYS, { name: "n", scopes: { inference: true } });
    expect(answer.status).toBe(201);
    expect(answer.json.key.startsWith(answer.json.prefix)).toBe(true);
    expect((await models(answer.json.key)).status).toBe(200);
  });

  test("PATCH /v1/account/api-keys/{key_id}", async () => {
    const { id } = await it.create({ scopes: { inference: true }, expires_at: inFuture(3600) });
    const before = await it.shown(id);
    const answer = await it.owner("PATCH", `${KEYS}/${id}`, { name: "Patched" });
    expect([answer.status, answer.json]).toEqual([200, { ...before, name: "Patched" }]);
    expect(await it.shown(id)).toEqual(answer.json);
  });

  test("POST /v1/account/api-keys/{key_id}/revoke", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    for (let twice = 0; twice < 2; twice += 1) {
      const answer = await it.owner("POST", `${KEYS}/${id}/revoke`);
      expect([answer.status, answer.json.status]).toEqual([200, "revoked"]);
    }
    expect((await it.shown(id)).status).toBe("revoked");
    expect((await models(key)).status).toBe(401);
  });
});

// Last, and by itself: it fills the other account.
test("Creating a key can fail with 409 if your account has reached its active key limit", async () => {
  const { account_id } = (await it.admin("GET", `/admin/endpoints/${it.endpoints.foreign}`)).json;
  const path = `/admin/accounts/${account_id}`;
  const { name, active_key_limit } = (await it.admin("GET", path)).json;
  const scopes = { inference: true };
  const make = () => it.create({ scopes }, it.other);
  const edit = (id: string, body: object) => it.other("PATCH", `${KEYS}/${id}`, body);
  const full = async (answer: Promise<Answer>) => {
    const { status, json } = await answer;
    expect([status, json.error.code]).toEqual([409, "active_key_limit_reached"]);
  };
  await revokeAll(it.other);
  expect((await it.admin("PUT", path, { name, active_key_limit: 2 })).status).toBe(200);
  try {
    const expired = await it.create({ scopes, expires_at: inFuture(1) }, it.other);
    const status = async () => (await it.other("GET", `${KEYS}/${expired.id}`)).json.status;
    await eventually(status, "expired");
    // The expired, the disabled and the revoked are not active, nor are another account's keys this one's.
    const first = await make();
    await make();
    await full(it.other("POST", KEYS, { name: "n", scopes }));
    await edit(first.id, { enabled: false });
    const third = await make();
    await full(edit(first.id, { enabled: true }));
    await it.other("POST", `${KEYS}/${third.id}/revoke`);
    expect((await edit(first.id, { enabled: true })).status).toBe(200);
    await full(it.other("POST", KEYS, { name: "n", scopes }));
  } finally {
    await it.admin("PUT", path, { name, active_key_limit });
  }
});
