import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { eventually, postern } from "./postern.ts";

/** "API keys" (Runtype's documentation), sentence by sentence. */
const it = postern({ KEY_PREFIX: "rt" });

const KEYS = "/v1/account/api-keys";
const inFuture = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const status = async (key: string, id = it.endpoints.first) =>
  (await it.use(key, "GET", `/v2/${id}/health`)).status;

describe.concurrent("what API keys are", () => {
  test("Create and manage API keys for accessing Runtype programmatically via the Runtype API.", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    expect(await status(key)).toBe(200);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { name: "Managed" })).status).toBe(200);
    const own = await it.call("GET", "/v1/key", { headers: { authorization: `Bearer ${key}` } });
    expect(own.json).toMatchObject({ environment: "production", permissions: { inference: "read_write" } });
  });

  test("API keys let you call Runtype’s API to trigger Flows, manage resources, and access data programmatically.", async () => {
    const { key } = await it.create({ scopes: { all: true } });
    expect((await it.use(key, "POST", `/v2/${it.endpoints.first}/run`, { input: {} })).status).toBe(200);
    expect(await it.graphql(key, "mutation { podStop(id: 1) { id } }")).toBe(200);
    expect((await it.use(key, "GET", `/v2/${it.endpoints.first}/status/1`)).status).toBe(200);
  });
});

describe.concurrent("creating an API key", () => {
  test("Name: Descriptive identifier (e.g., “CI/CD pipeline”)", async () => {
    expect(await it.create({ name: "CI/CD pipeline", scopes: { all: true } })).toMatchObject({
      name: "CI/CD pipeline",
    });
  });

  test("Environment: Test or Production", async () => {
    for (const environment of ["test", "production"]) {
      expect(await it.create({ environment, scopes: { all: true } })).toMatchObject({ environment });
    }
    expect(await it.create({ scopes: { all: true } })).toMatchObject({ environment: "production" });
    const wrong = await it.owner("POST", KEYS, { name: "n", environment: "staging", scopes: { all: true } });
    expect(wrong.status).toBe(400);
  });

  test("Permissions: Select individual scopes or use a permission template", async () => {
    const { first } = it.endpoints;
    const scopes = [`inference:${first}:read`, "graphql:read"];
    expect(await it.create({ scopes })).toMatchObject({ scopes, template: null });
    expect(await it.create({ template: "read_only" })).toMatchObject({
      template: "read_only",
      permission: "read_only",
    });
    expect((await it.owner("POST", KEYS, { name: "n", scopes, template: "read_only" })).status).toBe(400);
    expect((await it.owner("POST", KEYS, { name: "n" })).status).toBe(400);
  });

  test("Expiration Date: Optional date picker, or leave blank for no expiration", async () => {
    const expires_at = inFuture(3600);
    expect(await it.create({ scopes: { all: true }, expires_at })).toMatchObject({ expires_at });
    expect(await it.create({ scopes: { all: true } })).toMatchObject({ expires_at: null });
    expect(await it.create({ scopes: { all: true }, expires_at: null })).toMatchObject({ expires_at: null });
  });

  test("Copy the key immediately — it will not be shown again", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    for (const path of [`${KEYS}/${id}`, KEYS, "/v1/account/audit-log"]) {
      expect((await it.owner("GET", path)).text).not.toContain(key);
    }
  });
});

describe.concurrent("key permissions", () => {
  test("Permissions are organized into scopes and groups.", async () => {
    const { groups } = (await it.owner("GET", "/v1/account/scopes")).json;
    expect(groups.map(({ group }: { group: string }) => group)).toEqual([
      "inference",
      "graphql",
      "kubernetes_exec",
    ]);
    for (const { scopes } of groups) {
      for (const { scope, description } of scopes) {
        expect(description).not.toBe("");
        expect((await it.owner("POST", KEYS, { name: "n", scopes: [scope] })).status).toBe(201);
      }
    }
  });

  test("You can select a permission template for common configurations or pick individual scopes.", async () => {
    const { data } = (await it.owner("GET", "/v1/account/permission-templates")).json;
    const names = data.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        "full_access",
        "read_only",
        "inference_client",
        "inference_monitor",
        "kubectl",
        "ci_deploy",
      ]),
    );
    for (const { name, scopes } of data) {
      const made = await it.create({ template: name });
      expect(made).toMatchObject({ template: name, scopes });
    }
  });

  test("Use least privilege — only grant the permissions needed.", async () => {
    const { first, second } = it.endpoints;
    const { key } = await it.create({ scopes: [`inference:${first}:read`] });
    expect([await status(key), await status(key, second)]).toEqual([200, 403]);
    expect((await it.use(key, "POST", `/v2/${first}/run`, {})).status).toBe(403);
    expect(await it.graphql(key, "{ a }")).toBe(403);
  });
});

describe.concurrent("using API keys", () => {
  test("Include in the Authorization header:", async () => {
    const { key } = await it.create({ scopes: { all: true } });
    const path = `/v2/${it.endpoints.first}/health`;
    for (const authorization of [`Bearer ${key}`, `bearer ${key}`]) {
      expect((await it.call("GET", path, { headers: { authorization } })).status).toBe(200);
    }
    expect((await it.call("GET", path, { headers: { authorization: `Basic ${key}` } })).status).not.toBe(200);
  });

  test("See the API documentation for endpoint details.", async () => {
    expect((await it.call("GET", "/openapi.json")).json.openapi).toMatch(/^3\.1/);
    expect((await it.call("GET", "/docs")).headers.get("content-type")).toContain("text/html");
    const { data } = (await it.owner("GET", "/v1/account/endpoints?limit=100")).json;
    expect(data.map(({ path }: { path: string }) => path)).toContain(`/v2/${it.endpoints.first}`);
  });
});

describe.concurrent("key prefixes", () => {
  test("rt_live_ — Production keys", async () => {
    const { key } = await it.create({ environment: "production", scopes: { all: true } });
    expect(key).toMatch(new RegExp(`^${it.keyWord ?? "[a-z][a-z0-9]+"}_live_`));
    expect((await it.use(key, "GET", `/v2/${it.endpoints.both}/x`)).status).toBe(200);
  });

  test("rt_test_ — Test mode keys (sandbox environment)", async () => {
    const { both, first } = it.endpoints;
    const { key } = await it.create({ environment: "test", scopes: { all: true } });
    expect(key).toMatch(new RegExp(`^${it.keyWord ?? "[a-z][a-z0-9]+"}_test_`));
    expect((await it.use(key, "GET", `/v2/${both}/from-a-test-key`)).status).toBe(200);
    const seen = it.origin?.requests.map(({ target }) => target);
    if (seen !== undefined) expect(seen).toContain("/sandbox/from-a-test-key");
    const live = await it.use(key, "GET", `/v2/${first}/health`);
    expect([live.status, live.json.error.code]).toEqual([403, "environment_not_available"]);
    const path = `/v1/kubernetes/namespaces/${it.namespaces.first}/exec-credential`;
    expect((await it.use(key, "POST", path)).status).toBe(403);
  });
});

describe.concurrent("rotating keys", () => {
  test("Change compromised keys:", async () => {
    const leaked = await it.create({ scopes: { inference: true } });
    const found = (await it.admin("GET", `/admin/keys?q=${leaked.key}`)).json.data;
    expect(found).toMatchObject([{ id: leaked.id, account_id: it.account }]);
    const fresh = (await it.owner("POST", `${KEYS}/${leaked.id}/rotate`, { overlap_seconds: 0 })).json;
    expect(fresh.rotated_from).toBe(leaked.id);
    await eventually(() => status(leaked.key), 401);
    expect(await status(fresh.key)).toBe(200);
  });

  test("Create a new key with the same permissions", async () => {
    const old = await it.create({
      name: "Deploy",
      scopes: [`inference:${it.endpoints.first}:read`],
      expires_at: inFuture(3600),
    });
    const fresh = (await it.owner("POST", `${KEYS}/${old.id}/rotate`, {})).json;
    for (const member of ["name", "scopes", "permission", "environment", "expires_at"]) {
      expect([member, fresh[member]]).toEqual([member, old[member]]);
    }
    expect(await status(fresh.key)).toBe(200);
    expect(await status(fresh.key, it.endpoints.second)).toBe(403);
  });

  test("Update your applications to use the new key", async () => {
    const old = await it.create({ scopes: { inference: true } });
    const fresh = (await it.owner("POST", `${KEYS}/${old.id}/rotate`, { overlap_seconds: 60 })).json;
    expect([await status(old.key), await status(fresh.key)]).toEqual([200, 200]);
    const { expires_at } = (await it.owner("GET", `${KEYS}/${old.id}`)).json;
    expect(Math.abs(Date.parse(expires_at) - Date.now() - 60_000)).toBeLessThan(30_000);
  });

  test("Revoke the old key", async () => {
    const old = await it.create({ scopes: { inference: true } });
    const fresh = (await it.owner("POST", `${KEYS}/${old.id}/rotate`)).json;
    expect((await it.owner("POST", `${KEYS}/${old.id}/revoke`)).json.status).toBe("revoked");
    await eventually(() => status(old.key), 401);
    expect(await status(fresh.key)).toBe(200);
  });
});

describe.concurrent("revoking keys", () => {
  test("Revoked keys stop working immediately.", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    const credential = `/v1/kubernetes/namespaces/${it.namespaces.first}/exec-credential`;
    // Known to every cache on the way.
    for (let i = 0; i < 5; i += 1) expect(await status(key)).toBe(200);
    expect((await it.use(key, "POST", credential)).status).toBe(200);
    const revoked = await it.owner("POST", `${KEYS}/${id}/revoke`);
    expect(revoked.json.status).toBe("revoked");
    const at = Date.now();
    // What is strict knows at once, all else within LEASE_SECONDS, which is 2.
    expect((await it.use(key, "POST", credential)).status).toBe(401);
    await wait(at + 2000 - Date.now());
    for (let i = 0; i < 5; i += 1) expect(await status(key)).toBe(401);
  });

  test("Never commit API keys to version control or expose them in client-side code.", async () => {
    // No browser page of another site is let read an answer, and a key found in public is reported to the webhook.
    const { key } = await it.create({ scopes: { inference: true } });
    const headers = { "x-api-key": key, origin: "https://evil.test" };
    const answer = await it.call("GET", `/v2/${it.endpoints.first}/health`, { headers });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    const unsigned = await it.call("POST", "/webhooks/secret-scanning", {
      body: [{ token: key, type: "postern" }],
    });
    expect(unsigned.status).toBe(401);
    expect(await status(key)).toBe(200);
  });
});

describe.concurrent("best practices", () => {
  test("Descriptive names: “Production deploy script” not “Key 1”", async () => {
    const { id } = await it.create({ name: "Production deploy script", scopes: { all: true } });
    const { data } = (await it.owner("GET", `${KEYS}?q=DEPLOY%20script`)).json;
    expect(data.map((one: { id: string }) => one.id)).toContain(id);
  });

  test("Separate keys per use: Different keys for CI/CD, scripts, integrations", async () => {
    const made = await Promise.all(
      ["CI/CD", "scripts", "integrations"].map((name) => it.create({ name, scopes: { inference: true } })),
    );
    expect(new Set(made.map(({ key }) => key)).size).toBe(3);
    await it.owner("POST", `${KEYS}/${made[0]!.id}/revoke`);
    await eventually(() => status(made[0]!.key), 401);
    expect(await status(made[1]!.key)).toBe(200);
  });

  test("Rotate regularly: Generate new keys every 90 days", async () => {
    const old = await it.create({ scopes: { inference: true } });
    const fresh = (await it.owner("POST", `${KEYS}/${old.id}/rotate`)).json;
    expect(Date.parse(fresh.created_at)).toBeGreaterThanOrEqual(Date.parse(old.created_at));
    const again = (await it.owner("POST", `${KEYS}/${fresh.id}/rotate`)).json;
    expect(again.rotated_from).toBe(fresh.id);
    expect(await status(again.key)).toBe(200);
  });

  test("Monitor usage: Check which keys are actively used", async () => {
    const used = await it.create({ scopes: { inference: true } });
    const idle = await it.create({ scopes: { inference: true } });
    await status(used.key);
    const shown = async (id: string) => (await it.owner("GET", `${KEYS}/${id}`)).json.last_used_at;
    await eventually(() => shown(used.id), expect.anything());
    expect(await shown(idle.id)).toBeNull();
    const reads = async () => (await it.owner("GET", `${KEYS}/${used.id}/usage`)).json.totals.reads;
    await eventually(reads, 1);
  }, 40_000);

  test("Set expiration: Keys auto-expire for security", async () => {
    const { id, key } = await it.create({ scopes: { inference: true }, expires_at: inFuture(2) });
    expect(await status(key)).toBe(200);
    await eventually(() => status(key), 401);
    expect((await it.owner("GET", `${KEYS}/${id}`)).json.status).toBe("expired");
  });
});
