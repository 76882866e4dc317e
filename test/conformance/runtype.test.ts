import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { eventually, postern } from "./postern.ts";

/** "API keys" (Runtype's documentation), sentence by sentence. */
const it = postern({ KEY_PREFIX: "rt" });

const KEYS = "/v1/account/api-keys";
const inFuture = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const status = async (key: string, id = it.endpoints.first) =>
  (await it.use(key, "GET", `/v2/${id}/health`)).status;
/** What a key may do, as the gateway tells the key itself. */
const permissions = async (key: string) => (await it.use(key, "GET", "/v1/key")).json.permissions;

describe.concurrent("what API keys are", () => {
  test("Create and manage API keys for accessing Runtype programmatically via the Runtype API.", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    expect(await status(key)).toBe(200);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { name: "Managed" })).status).toBe(200);
    expect((await it.shown(id)).name).toBe("Managed");
    const own = async () =>
      (await it.call("GET", "/v1/key", { headers: { authorization: `Bearer ${key}` } })).json;
    expect(await own()).toMatchObject({
      environment: "production",
      permissions: { inference: "read_write" },
    });
    await eventually(async () => (await own()).name, "Managed");
  });

  test("API keys let you call Runtype’s API to trigger Flows, manage resources, and access data programmatically.", async () => {
    const { key } = await it.create({ scopes: { all: true } });
    const { both } = it.endpoints;
    const run = randomBytes(4).toString("hex");
    for (const [method, path] of [
      ["POST", `flows/${run}/run`],
      ["DELETE", `flows/${run}`],
      ["GET", `records/${run}`],
    ] as const) {
      const { status } = await it.use(key, method, `/v2/${both}/${path}`);
      expect([method, path, status]).toEqual([method, path, 200]);
      const seen = it.origin?.requests.map(({ method: sent, target }) => `${sent} ${target}`);
      if (seen !== undefined) expect(seen).toContain(`${method} /${path}`);
    }
    expect(await it.graphql(key, "mutation { podStop(id: 1) { id } }")).toBe(200);
  });
});

describe.concurrent("creating an API key", () => {
  test("Name: Descriptive identifier (e.g., “CI/CD pipeline”)", async () => {
    const { id, name } = await it.create({ name: "CI/CD pipeline", scopes: { all: true } });
    expect([name, (await it.shown(id)).name]).toEqual(["CI/CD pipeline", "CI/CD pipeline"]);
  });

  test("Environment: Test or Production", async () => {
    for (const [environment, word] of [
      ["test", "test"],
      ["production", "live"],
    ]) {
      const made = await it.create({ environment, scopes: { all: true } });
      expect(made.key.split("_")[1]).toBe(word);
      expect([made.environment, (await it.shown(made.id)).environment]).toEqual([environment, environment]);
      expect((await it.use(made.key, "GET", "/v1/key")).json).toMatchObject({ environment });
    }
    expect(await it.create({ scopes: { all: true } })).toMatchObject({ environment: "production" });
    const wrong = await it.owner("POST", KEYS, { name: "n", environment: "staging", scopes: { all: true } });
    expect(wrong.status).toBe(400);
  });

  test("Permissions: Select individual scopes or use a permission template", async () => {
    const { first } = it.endpoints;
    const scopes = [`inference:${first}:read`, "graphql:read"];
    const picked = await it.create({ scopes });
    expect(picked).toMatchObject({ scopes, template: null });
    expect(await permissions(picked.key)).toEqual({
      graphql: "read",
      inference: { endpoints: { [first]: "read" } },
      kubernetes_exec: "none",
    });
    const { key, ...made } = await it.create({ template: "read_only" });
    expect(made).toMatchObject({ template: "read_only", permission: "read_only" });
    expect(await permissions(key)).toEqual({ graphql: "read", inference: "read", kubernetes_exec: "none" });
    expect((await it.owner("POST", KEYS, { name: "n", scopes, template: "read_only" })).status).toBe(400);
    expect((await it.owner("POST", KEYS, { name: "n" })).status).toBe(400);
  });

  test("Expiration Date: Optional date picker, or leave blank for no expiration", async () => {
    const expires_at = inFuture(3600);
    for (const [given, expected] of [
      [{ expires_at }, expires_at],
      [{}, null],
      [{ expires_at: null }, null],
    ] as const) {
      const made = await it.create({ scopes: { all: true }, ...given });
      expect([made.expires_at, (await it.shown(made.id)).expires_at]).toEqual([expected, expected]);
    }
  });

  test("Copy the key immediately — it will not be shown again", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    for (const path of [
      `${KEYS}/${id}`,
      `${KEYS}?limit=100`,
      "/v1/account/audit-log?limit=100",
      `/console/settings/api-keys/${id}`,
    ]) {
      const { text } = await it.owner("GET", path);
      expect([path, text]).toEqual([path, expect.stringContaining(id)]);
      expect(text).not.toContain(key);
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
    const { first } = it.endpoints;
    const all = ["inference:read", "inference:write", `inference:${first}:read`, `inference:${first}:write`];
    all.push("graphql:read", "graphql:write", "graphql:queries:*", "graphql:mutations:*");
    all.push("kubernetes_exec:*", `kubernetes_exec:${it.namespaces.first}`);
    const listed: string[] = [];
    for (const { group, scopes } of groups) {
      for (const { scope, description } of scopes) {
        expect([scope, description]).toEqual([
          expect.stringMatching(`^${group}:`),
          expect.stringMatching(/\w/),
        ]);
        expect((await it.owner("POST", KEYS, { name: "n", scopes: [scope] })).status).toBe(201);
        listed.push(scope);
      }
    }
    expect(listed).toEqual(expect.arrayContaining(all));
  });

  test("You can select a permission template for common configurations or pick individual scopes.", async () => {
    const { data } = (await it.owner("GET", "/v1/account/permission-templates")).json;
    const nothing = { graphql: "none", inference: "none", kubernetes_exec: "none" };
    const everything = {
      graphql: "read_write",
      inference: "read_write",
      kubernetes_exec: "all_namespaces",
    };
    for (const [name, expected] of Object.entries({
      full_access: everything,
      read_only: { ...nothing, graphql: "read", inference: "read" },
      inference_client: { ...nothing, inference: "read_write" },
      inference_monitor: { ...nothing, inference: "read" },
      kubectl: { ...nothing, kubernetes_exec: "all_namespaces" },
      ci_deploy: { ...nothing, graphql: "read_write" },
    })) {
      const { scopes } = data.find((one: { name: string }) => one.name === name);
      const made = await it.create({ template: name });
      expect(made).toMatchObject({ template: name, scopes });
      expect([name, await permissions(made.key)]).toEqual([name, expected]);
    }
    const { key } = await it.create({ scopes: ["inference:write", "graphql:read", "kubernetes_exec:*"] });
    expect(await permissions(key)).toEqual({ ...everything, graphql: "read" });
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
    const { openapi, paths } = (await it.call("GET", "/openapi.json")).json;
    expect(openapi).toMatch(/^3\.1/);
    const docs = await it.call("GET", "/docs");
    expect(docs.headers.get("content-type")).toContain("text/html");
    for (const path of [KEYS, `${KEYS}/{id}`, `${KEYS}/{id}/rotate`, "/v1/key"]) {
      expect(paths).toHaveProperty([path]);
      expect(docs.text).toContain(path);
    }
    const { data } = (await it.owner("GET", "/v1/account/endpoints?limit=100")).json;
    expect(data.map(({ path }: { path: string }) => path)).toContain(`/v2/${it.endpoints.first}`);
  });
});

describe.concurrent("key prefixes", () => {
  test("rt_live_ — Production keys", async () => {
    const { key } = await it.create({ environment: "production", scopes: { all: true } });
    expect(key).toMatch(new RegExp(`^${it.keyWord ?? "[a-z][a-z0-9]+"}_live_`));
    expect((await it.use(key, "GET", `/v2/${it.endpoints.both}/from-a-live-key`)).status).toBe(200);
    const seen = it.origin?.requests.map(({ target }) => target);
    if (seen !== undefined) expect(seen).toContain("/from-a-live-key");
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
    for (const grant of [
      { scopes: [`inference:${it.endpoints.first}:read`], expires_at: inFuture(3600) },
      { template: "ci_deploy", environment: "test" },
    ]) {
      const old = await it.create({ name: "Deploy", ...grant });
      const fresh = (await it.owner("POST", `${KEYS}/${old.id}/rotate`, {})).json;
      for (const member of ["name", "scopes", "template", "permission", "environment", "expires_at"]) {
        expect([member, fresh[member]]).toEqual([member, old[member]]);
      }
      expect(await permissions(fresh.key)).toEqual(await permissions(old.key));
    }
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
    const { id, key } = await it.create({ scopes: { inference: true } });
    const path = `/v2/${it.endpoints.first}/health`;
    // No page of another site is let read an answer.
    const headers = { origin: "https://evil.test", "access-control-request-method": "GET" };
    for (const answer of [
      await it.call("GET", path, { headers: { ...headers, "x-api-key": key } }),
      await it.call("OPTIONS", path, { headers }),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
    // What is found in public is revoked, if the one that says so is who scans for it.
    const body = [{ token: key, type: "postern_api_key" }];
    expect((await it.call("POST", "/webhooks/secret-scanning", { body })).status).toBe(401);
    expect([(await it.shown(id)).status, await status(key)]).toEqual(["active", 200]);
    if (it.report === null) return;
    const bystander = await it.create({ scopes: { inference: true } });
    const reported = await it.report([key, "ghp_not_ours"]);
    expect([reported.status, reported.json.map(({ label }: { label: string }) => label)]).toEqual([
      200,
      ["true_positive", "false_positive"],
    ]);
    expect((await it.shown(id)).status).toBe("revoked");
    await eventually(() => status(key), 401);
    expect(await status(bystander.key)).toBe(200);
  });
});

describe.concurrent("best practices", () => {
  test("Descriptive names: “Production deploy script” not “Key 1”", async () => {
    const { id } = await it.create({ name: "Production deploy script", scopes: { all: true } });
    const other = await it.create({ name: "Key 1", scopes: { all: true } });
    const { data } = (await it.owner("GET", `${KEYS}?q=DEPLOY%20script`)).json;
    const found = data.map((one: { id: string }) => one.id);
    expect(found).toContain(id);
    expect(found).not.toContain(other.id);
  });

  test("Separate keys per use: Different keys for CI/CD, scripts, integrations", async () => {
    const made = await Promise.all(
      ["CI/CD", "scripts", "integrations"].map((name) => it.create({ name, scopes: { inference: true } })),
    );
    expect(new Set(made.map(({ key }) => key)).size).toBe(3);
    await it.owner("POST", `${KEYS}/${made[0]!.id}/revoke`);
    await eventually(() => status(made[0]!.key), 401);
    for (const { key } of made.slice(1)) expect(await status(key)).toBe(200);
  });

  test("Rotate regularly: Generate new keys every 90 days", async () => {
    const day = 24 * 3_600_000;
    const name = `Aged ${randomBytes(4).toString("hex")}`;
    const aged = (days: number) =>
      it.importLegacy(randomBytes(20).toString("hex"), "read", {
        name: `${name}, ${days} days`,
        created_at: new Date(Date.now() - days * day).toISOString(),
      });
    const old = await aged(90.1);
    await aged(89.9);
    /** Which keys the console says are due. */
    const due = async () => {
      const { text } = await it.owner("GET", `/console/settings/api-keys?q=${encodeURIComponent(name)}`);
      const rows = text.split("<tr").filter((row) => row.includes(`>${name}`));
      return rows.map((row) => [row.includes("90.1 days<"), row.includes("Older than 90 days")]);
    };
    expect(await due()).toEqual([
      [false, false],
      [true, true],
    ]);
    const fresh = (await it.owner("POST", `${KEYS}/${old}/rotate`)).json;
    expect(Math.abs(Date.parse(fresh.created_at) - Date.now())).toBeLessThan(60_000);
    expect(await status(fresh.key)).toBe(200);
    // Newest first: the new key is not due again for 90 days.
    expect((await due())[0]).toEqual([true, false]);
    const again = (await it.owner("POST", `${KEYS}/${fresh.id}/rotate`)).json;
    expect(again.rotated_from).toBe(fresh.id);
    expect(await status(again.key)).toBe(200);
  });

  test("Monitor usage: Check which keys are actively used", async () => {
    const used = await it.create({ scopes: { inference: true } });
    const idle = await it.create({ scopes: { inference: true } });
    await status(used.key);
    await eventually(async () => (await it.shown(used.id)).last_used_at, expect.anything());
    expect((await it.shown(idle.id)).last_used_at).toBeNull();
    const reads = async () => (await it.owner("GET", `${KEYS}/${used.id}/usage`)).json.totals.reads;
    await eventually(reads, 1);
  }, 40_000);

  test("Set expiration: Keys auto-expire for security", async () => {
    const { id, key } = await it.create({ scopes: { inference: true }, expires_at: inFuture(2) });
    expect(await status(key)).toBe(200);
    await eventually(() => status(key), 401);
    expect((await it.shown(id)).status).toBe("expired");
  });
});
