import { describe, expect, test } from "vitest";
import { type Answer, eventually, postern } from "./postern.ts";

/** "API keys" (RemoteGPU's documentation), sentence by sentence. */
const it = postern();

const KEYS = "/v1/account/api-keys";
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
const detail = ({ status, json }: Answer) => [status, json.detail];
const inFuture = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

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
    const { key } = await it.create({ scopes: { kubernetes_exec: { all_namespaces: true } } });
    const answer = await credential(key);
    expect(answer.json).toMatchObject({
      kind: "ExecCredential",
      status: { token: expect.stringContaining(".") },
    });
    const again = await credential(key);
    expect(again.json.status.token).not.toBe(answer.json.status.token);
  });

  test("Console account management APIs do not use API keys.", async () => {
    const { key } = await it.create({ scopes: { all: true } });
    for (const headers of [{ "x-api-key": key }, { authorization: `Bearer ${key}` }] as Record<
      string,
      string
    >[]) {
      for (const [method, path] of [
        ["GET", KEYS],
        ["POST", KEYS],
        ["GET", "/admin/accounts"],
      ] as const) {
        expect(detail(await it.call(method, path, { headers }))).toEqual([401, "Missing access token"]);
      }
    }
  });

  test("They use your signed-in browser session.", async () => {
    expect((await it.owner("GET", KEYS)).status).toBe(200);
  });
});

describe.concurrent("where to manage keys", () => {
  test("create keys", async () => {
    expect(await it.create({ name: "Image client", scopes: { inference: true } })).toMatchObject({
      name: "Image client",
      status: "active",
    });
  });

  test("rename keys", async () => {
    const { id } = await it.create({ scopes: { inference: true } });
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { name: "Renamed" })).json.name).toBe("Renamed");
    expect((await it.owner("GET", `${KEYS}/${id}`)).json.name).toBe("Renamed");
  });

  test("change expiry", async () => {
    const { id, key } = await it.create({ scopes: { inference: true } });
    const later = inFuture(3600);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { expires_at: later })).json.expires_at).toBe(later);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { expires_at: null })).json.expires_at).toBeNull();
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
      await it.owner("GET", KEYS),
      await it.owner("GET", `${KEYS}/${id}`),
      await it.owner("PATCH", `${KEYS}/${id}`, { name: "Again" }),
      await it.owner("GET", "/v1/account/audit-log"),
      await it.admin("GET", `/admin/keys?q=${id}`),
      await it.owner("POST", `${KEYS}/${id}/revoke`),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain(key);
    }
  });

  test("After that, the API and console only expose its prefix.", async () => {
    const { id, key, prefix } = await it.create({ scopes: { inference: true } });
    const { json } = await it.owner("GET", `${KEYS}/${id}`);
    expect(json.prefix).toBe(prefix);
    expect(key.startsWith(prefix)).toBe(true);
    expect(prefix.length).toBeLessThan(key.length / 2);
    expect(json).not.toHaveProperty("key");
    expect(json).not.toHaveProperty("hash");
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

  test("At least one namespace ID is required unless all_namespaces is true", () =>
    refused(
      { kubernetes_exec: { namespace_ids: [] } },
      "At least one namespace ID is required unless all_namespaces is true",
    ));
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
    expect(seen!.header("x-api-key")).toBeUndefined();
  });

  test("Kubernetes kubeconfig refresh also uses x-api-key, but it is normally handled for you by the generated kubeconfig exec plugin.", async () => {
    const { key } = await it.create({ scopes: { kubernetes_exec: { all_namespaces: true } } });
    const path = `/v1/kubernetes/namespaces/${it.namespaces.first}`;
    expect((await it.call("POST", `${path}/exec-credential`, { headers: { "x-api-key": key } })).status).toBe(
      200,
    );
    const { text } = await it.use(key, "GET", `${path}/kubeconfig`);
    expect(text).toContain("exec:");
    expect(text).toContain("x-api-key");
    expect(text).toContain(`${path}/exec-credential`);
    expect(text).not.toContain(key);
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
    const { id } = await it.create({ scopes });
    for (const expires_at of ["2020-01-01T00:00:00Z", new Date(Date.now() - 60_000).toISOString()]) {
      const text = "expires_at must be in the future";
      expect(detail(await it.owner("POST", KEYS, { name: "n", scopes, expires_at }))).toEqual([400, text]);
      expect(detail(await it.owner("PATCH", `${KEYS}/${id}`, { expires_at }))).toEqual([400, text]);
    }
  });

  test("Revoked keys cannot be modified", async () => {
    const { revoked } = await dead();
    for (const body of [{ name: "x" }, { enabled: true }, { scopes: { all: true } }, { expires_at: null }]) {
      const answer = await it.owner("PATCH", `${KEYS}/${revoked.id}`, body);
      expect([answer.status, answer.json.error.code]).toEqual([409, "key_revoked"]);
    }
    expect((await it.owner("POST", `${KEYS}/${revoked.id}/rotate`)).status).toBe(409);
  });

  test("Expired keys cannot be modified", async () => {
    const { expired } = await dead();
    for (const body of [{ name: "x" }, { enabled: false }, { scopes: { all: true } }, { expires_at: null }]) {
      const answer = await it.owner("PATCH", `${KEYS}/${expired.id}`, body);
      expect([answer.status, answer.json.error.code]).toEqual([409, "key_expired"]);
    }
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
    const path = `${it.inference}/runtime/models`;
    expect(detail(await it.call("GET", path))).toEqual([401, UNAUTHORIZED]);
    const { revoked, expired } = await dead();
    const good = await it.create({ scopes: { all: true } });
    for (const key of ["nonsense", `${good.key.slice(0, -1)}_`, revoked.key, expired.key]) {
      await eventually(async () => detail(await models(key)), [401, UNAUTHORIZED]);
      expect((await models(key)).json.error.code).toBe("invalid_api_key");
    }
  });

  test("400 Invalid scope payload, invalid namespace ownership, or past expiration", async () => {
    for (const body of [
      { scopes: {} },
      { scopes: "all" },
      { scopes: { kubernetes_exec: { namespace_ids: [it.namespaces.foreign] } } },
      { scopes: { all: true }, expires_at: "2020-01-01T00:00:00Z" },
    ]) {
      const answer = await it.owner("POST", KEYS, { name: "n", ...body });
      expect([answer.status, answer.json.error.code]).toEqual([400, "invalid_request"]);
    }
  });

  test("404 API key not found", async () => {
    const theirs = await it.create({ scopes: { all: true } }, it.other);
    for (const id of [theirs.id, "key_0000000000000000000000", "nonsense"]) {
      for (const [method, tail, body] of [
        ["GET", "", undefined],
        ["PATCH", "", { name: "x" }],
        ["POST", "/revoke", undefined],
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
    const { id } = await it.create({ scopes: { all: true } });
    const { json } = await it.owner("GET", `${KEYS}?limit=100`);
    expect(json.data.map((one: { id: string }) => one.id)).toContain(id);
    expect(json).toHaveProperty("next_cursor");
  });

  test("POST /v1/account/api-keys", async () => {
    const answer = await it.owner("POST", KEYS, { name: "n", scopes: { inference: true } });
    expect(answer.status).toBe(201);
    expect(answer.json.key.startsWith(answer.json.prefix)).toBe(true);
  });

  test("PATCH /v1/account/api-keys/{key_id}", async () => {
    const { id } = await it.create({ scopes: { inference: true } });
    const answer = await it.owner("PATCH", `${KEYS}/${id}`, { name: "Patched" });
    expect([answer.status, answer.json.name]).toEqual([200, "Patched"]);
  });

  test("POST /v1/account/api-keys/{key_id}/revoke", async () => {
    const { id } = await it.create({ scopes: { inference: true } });
    for (let twice = 0; twice < 2; twice += 1) {
      const answer = await it.owner("POST", `${KEYS}/${id}/revoke`);
      expect([answer.status, answer.json.status]).toEqual([200, "revoked"]);
    }
  });
});

// Last, and by itself: it fills the account.
test("Creating a key can fail with 409 if your account has reached its active key limit", async () => {
  const path = `/admin/accounts/${it.account}`;
  const { name, active_key_limit } = (await it.admin("GET", path)).json;
  await it.admin("PUT", path, { name, active_key_limit: 0 });
  try {
    const answer = await it.owner("POST", KEYS, { name: "n", scopes: { inference: true } });
    expect([answer.status, answer.json.error.code]).toEqual([409, "active_key_limit_reached"]);
    const room = { name, active_key_limit: 1000 };
    expect((await it.admin("PUT", path, room)).status).toBe(200);
    await it.create({ scopes: { inference: true } });
  } finally {
    await it.admin("PUT", path, { name, active_key_limit });
  }
});
