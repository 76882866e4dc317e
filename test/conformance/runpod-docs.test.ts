import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { eventually, postern } from "./postern.ts";

/** "API keys" (Runpod's documentation), sentence by sentence. */
const it = postern();

const KEYS = "/v1/account/api-keys";
const QUERY = "query { pods { id } }";
const MUTATION = "mutation { podStop(id: 1) { id } }";

const legacySecret = () => `LEGACY${randomBytes(17).toString("hex").toUpperCase()}`;
const read = async (key: string, id = it.endpoints.first) =>
  (await it.use(key, "GET", `/v2/${id}/status/job-1`)).status;
const write = async (key: string, id = it.endpoints.first) =>
  (await it.use(key, "POST", `/v2/${id}/runsync`, { input: {} })).status;
/** Statuses of a read and a write on an endpoint, a query and a mutation. */
const outcome = async (key: string) => [
  await read(key),
  await write(key),
  await it.graphql(key, QUERY),
  await it.graphql(key, MUTATION),
];

describe.concurrent("authentication", () => {
  test("API keys authenticate requests to RunPod.", async () => {
    const { key } = await it.create({ scopes: { all: true } });
    const path = `/v2/${it.endpoints.first}/health`;
    const headers: Record<string, string>[] = [
      { authorization: `Bearer ${key}` },
      { authorization: key },
      { "x-api-key": key },
    ];
    for (const one of headers) {
      expect((await it.call("GET", path, { headers: one })).status).toBe(200);
    }
    expect((await it.call("GET", path)).status).toBe(401);
    expect((await it.use(`${key}x`, "GET", path)).status).toBe(401);
  });

  test("You can generate an API key with **Read/Write** permission, **Restricted** permission, or **Read Only** permission.", async () => {
    for (const [scopes, permission, expected] of [
      [{ all: true }, "read_write", [200, 200, 200, 200]],
      [{ restricted: { inference: "read" } }, "restricted", [200, 403, 403, 403]],
      [{ read_only: true }, "read_only", [200, 403, 200, 403]],
    ] as const) {
      const made = await it.create({ scopes });
      expect(made.permission).toBe(permission);
      expect([permission, await outcome(made.key)]).toEqual([permission, expected]);
    }
  });
});

describe.concurrent("legacy keys", () => {
  test("Legacy API keys generated before November 11, 2024 have either Read/Write or Read Only access to GraphQL based on what was set for that key.", async () => {
    const created_at = "2024-11-10T00:00:00Z";
    for (const [level, expected] of [
      ["read", [200, 403]],
      ["read_write", [200, 200]],
    ] as const) {
      const secret = legacySecret();
      const id = await it.importLegacy(secret, level, { created_at });
      expect((await it.shown(id)).created_at).toBe("2024-11-10T00:00:00.000Z");
      expect([await it.graphql(secret, QUERY), await it.graphql(secret, MUTATION)]).toEqual(expected);
    }
  });

  test("All legacy keys have full access to AI API.", async () => {
    for (const level of ["read", "read_write"] as const) {
      const secret = legacySecret();
      await it.importLegacy(secret, level);
      for (const id of [it.endpoints.first, it.endpoints.second]) {
        expect([await read(secret, id), await write(secret, id)]).toEqual([200, 200]);
      }
    }
  });

  test("To improve security, generate a new key with Restricted permission and select the minimum permission needed for your use case.", async () => {
    const secret = legacySecret();
    const old = await it.importLegacy(secret, "read_write");
    const fresh = await it.create({
      scopes: { restricted: { inference: { endpoints: { [it.endpoints.first]: "read" } } } },
    });
    expect(await outcome(fresh.key)).toEqual([200, 403, 403, 403]);
    await it.owner("POST", `${KEYS}/${old}/revoke`);
    await eventually(() => read(secret), 401);
    expect(await read(fresh.key)).toBe(200);
  }, 30_000);
});

describe.concurrent("generate", () => {
  test("If you choose **Restricted** permission, you can customize access for each API:", async () => {
    const made = await it.create({ scopes: { restricted: { graphql: "read", inference: "read_write" } } });
    expect(await outcome(made.key)).toEqual([200, 200, 200, 403]);
    const turned = await it.create({ scopes: { restricted: { graphql: "read_write", inference: "read" } } });
    expect(await outcome(turned.key)).toEqual([200, 403, 200, 200]);
  });

  test("**None**: No access", async () => {
    const { key } = await it.create({ scopes: { restricted: { graphql: "none", inference: "none" } } });
    expect(await outcome(key)).toEqual([403, 403, 403, 403]);
  });

  test("(AI API only) **Restricted**: Custom access to specific endpoints. No access is default.", async () => {
    const { first, second } = it.endpoints;
    const { key } = await it.create({
      scopes: { restricted: { inference: { endpoints: { [first]: "read_write" } } } },
    });
    expect([await read(key, first), await write(key, first)]).toEqual([200, 200]);
    expect([await read(key, second), await write(key, second)]).toEqual([403, 403]);
    const nothing = await it.create({ scopes: { restricted: {} } });
    expect(await outcome(nothing.key)).toEqual([403, 403, 403, 403]);
  });

  test("**Read/Write**: Full access", async () => {
    const { key } = await it.create({
      scopes: { restricted: { graphql: "read_write", inference: "read_write" } },
    });
    expect(await outcome(key)).toEqual([200, 200, 200, 200]);
    for (const [method, path] of [
      ["POST", "run"],
      ["POST", "cancel/job-1"],
      ["POST", "purge-queue"],
      ["GET", "health"],
    ] as const) {
      expect((await it.use(key, method, `/v2/${it.endpoints.first}/${path}`)).status).toBe(200);
    }
  });

  test("**Read Only**: Read access without write access", async () => {
    const { key } = await it.create({ scopes: { restricted: { graphql: "read", inference: "read" } } });
    expect(await outcome(key)).toEqual([200, 403, 200, 403]);
    for (const path of ["run", "cancel/job-1", "retry/job-1", "purge-queue"]) {
      expect((await it.use(key, "POST", `/v2/${it.endpoints.first}/${path}`)).status).toBe(403);
    }
    for (const path of ["health", "requests", "stream/job-1", "openai/v1/models"]) {
      expect((await it.use(key, "GET", `/v2/${it.endpoints.first}/${path}`)).status).toBe(200);
    }
  });

  test("Only allow full access to GraphQL when absolutely necessary for automations like creating or managing RunPod resources outside of Serverless endpoints.", async () => {
    const serverless = await it.create({ template: "inference_client" });
    expect(await outcome(serverless.key)).toEqual([200, 200, 403, 403]);
    const automation = await it.create({ template: "ci_deploy" });
    expect(await outcome(automation.key)).toEqual([403, 403, 200, 200]);
  });

  test("Choose **Create**.", async () => {
    const answer = await it.owner("POST", KEYS, { name: "Created", scopes: { read_only: true } });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(`${KEYS}/${answer.json.id}`);
    expect(await it.shown(answer.json.id)).toMatchObject({ name: "Created", permission: "read_only" });
    expect(await outcome(answer.json.key)).toEqual([200, 403, 200, 403]);
  });

  test("Once your API key is generated, keep it secure.", async () => {
    const made = await it.owner("POST", KEYS, { name: "Secret", scopes: { read_only: true } });
    const { id, key } = made.json;
    expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
    for (const path of [`${KEYS}?limit=100`, `${KEYS}/${id}`, "/v1/account/audit-log?limit=100"]) {
      const answer = await it.owner("GET", path);
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(id)]);
      expect(answer.text).not.toContain(key);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe.concurrent("edit permission", () => {
  test("Under **API Keys**, select the pencil icon and select the permission.", async () => {
    const { id, key } = await it.create({ scopes: { read_only: true } });
    expect(await outcome(key)).toEqual([200, 403, 200, 403]);
    const edited = await it.owner("PATCH", `${KEYS}/${id}`, { scopes: { all: true } });
    expect(edited.json).toMatchObject({ permission: "read_write", scopes: { all: true } });
    await eventually(() => outcome(key), [200, 200, 200, 200]);
  }, 30_000);
});

describe.concurrent("toggle", () => {
  test("To disable an API key:", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    expect(await read(key)).toBe(200);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { enabled: false })).json.status).toBe("disabled");
    await eventually(() => outcome(key), [401, 401, 401, 401]);
  }, 30_000);

  test("To enable an API key:", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    await it.owner("PATCH", `${KEYS}/${id}`, { enabled: false });
    await eventually(() => outcome(key), [401, 401, 401, 401]);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { enabled: true })).json.status).toBe("active");
    await eventually(() => outcome(key), [200, 200, 200, 200]);
  }, 30_000);
});

describe.concurrent("revoke", () => {
  test("To delete an API key:", async () => {
    const { id, key } = await it.create({ scopes: { all: true } });
    expect(await read(key)).toBe(200);
    expect((await it.owner("POST", `${KEYS}/${id}/revoke`)).json.status).toBe("revoked");
    await eventually(() => outcome(key), [401, 401, 401, 401]);
    expect((await it.owner("PATCH", `${KEYS}/${id}`, { enabled: true })).status).toBe(409);
  }, 30_000);
});
