import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { eventually, postern } from "./postern.ts";

/** "Scoped API Keys Now Live" (Runpod's blog), sentence by sentence. */
const it = postern({ KEY_PREFIX: "rpa,pst" });

const KEYS = "/v1/account/api-keys";
const QUERY = "{ myself { id } }";
const MUTATION = "mutation { podStop(id: 1) { id } }";

const legacySecret = () => `LEGACY${randomBytes(17).toString("hex").toUpperCase()}`;
/** Status of a read and of a write on an endpoint. */
const levels = async (key: string, id: string) => [
  (await it.use(key, "GET", `/v2/${id}/health`)).status,
  (await it.use(key, "POST", `/v2/${id}/run`, { input: {} })).status,
];
const edit = (id: string, body: object) => it.owner("PATCH", `${KEYS}/${id}`, body);

test.concurrent("Runpod now supports scoped API keys with per-endpoint access, usage tracking, and on/off toggles.", async () => {
  const { first, second } = it.endpoints;
  const { id, key } = await it.create({ scopes: [`inference:${first}:write`] });
  expect(await levels(key, first)).toEqual([200, 200]);
  expect(await levels(key, second)).toEqual([403, 403]);
  const totals = async () => (await it.owner("GET", `${KEYS}/${id}/usage`)).json.totals;
  await eventually(totals, { reads: 1, writes: 1, denials: { insufficient_scope: 2 } });
  await edit(id, { enabled: false });
  await eventually(() => levels(key, first), [401, 401]);
  await edit(id, { enabled: true });
  await eventually(() => levels(key, first), [200, 200]);
}, 40_000);

test.concurrent("Previously, you were able to create API keys with read or read and write permissions, but now you can scope keys by endpoint and have more fine-grained control over what your keys allow access to.", async () => {
  const { first, second } = it.endpoints;
  const read = await it.create({ scopes: { read_only: true } });
  expect(await levels(read.key, first)).toEqual([200, 403]);
  const write = await it.create({ scopes: { all: true } });
  expect(await levels(write.key, first)).toEqual([200, 200]);
  const scoped = await it.create({
    scopes: { restricted: { inference: { endpoints: { [first]: "read", [second]: "read_write" } } } },
  });
  expect(await levels(scoped.key, first)).toEqual([200, 403]);
  expect(await levels(scoped.key, second)).toEqual([200, 200]);
});

test.concurrent("View created and last used dates for API keys", async () => {
  const before = Date.now();
  const { id, key } = await it.create({ scopes: { inference: true } });
  const { created_at, last_used_at } = await it.shown(id);
  expect(Math.abs(Date.parse(created_at) - before)).toBeLessThan(60_000);
  expect(last_used_at).toBeNull();
  await levels(key, it.endpoints.first);
  await eventually(async () => (await it.shown(id)).last_used_at, expect.anything());
  const first = Date.parse((await it.shown(id)).last_used_at);
  expect(Math.abs(first - before)).toBeLessThan(60_000);
  // The last use, not the first, nor when the key was made.
  await levels(key, it.endpoints.first);
  const moved = async () => Date.parse((await it.shown(id)).last_used_at) > first;
  await eventually(moved, true);
  const listed = async () =>
    (await it.owner("GET", `${KEYS}?limit=100`)).json.data.find((one: { id: string }) => one.id === id);
  await eventually(async () => Date.parse((await listed()).last_used_at) > first, true);
  expect((await listed()).created_at).toBe(created_at);
}, 40_000);

test.concurrent("Disable and re-enable keys as needed", async () => {
  const { id, key } = await it.create({ scopes: { inference: true } });
  const status = async () => (await it.use(key, "GET", `/v2/${it.endpoints.first}/health`)).status;
  expect(await status()).toBe(200);
  for (const [enabled, expected] of [
    [false, 401],
    [true, 200],
    [false, 401],
  ] as const) {
    expect((await edit(id, { enabled })).json).toMatchObject({
      enabled,
      status: enabled ? "active" : "disabled",
    });
    await eventually(status, expected);
  }
}, 40_000);

test.concurrent("Differentiate access levels for endpoint and GraphQL access", async () => {
  const endpointsOnly = await it.create({
    scopes: { restricted: { inference: "read_write", graphql: "none" } },
  });
  expect(await levels(endpointsOnly.key, it.endpoints.first)).toEqual([200, 200]);
  expect(await it.graphql(endpointsOnly.key, QUERY)).toBe(403);
  const graphqlOnly = await it.create({ scopes: { restricted: { graphql: "read" } } });
  expect(await levels(graphqlOnly.key, it.endpoints.first)).toEqual([403, 403]);
  expect(await it.graphql(graphqlOnly.key, QUERY)).toBe(200);
  expect(await it.graphql(graphqlOnly.key, MUTATION)).toBe(403);
});

test.concurrent("Allow read/write, read only, or no access to any or all endpoints on a per-endpoint basis", async () => {
  const { first, second } = it.endpoints;
  const outcome = { none: [403, 403], read: [200, 403], read_write: [200, 200] };
  for (const one of ["none", "read", "read_write"] as const) {
    for (const other of ["none", "read", "read_write"] as const) {
      const endpoints = { [first]: one, [second]: other };
      const { key } = await it.create({ scopes: { restricted: { inference: { endpoints } } } });
      expect([one, other, await levels(key, first), await levels(key, second)]).toEqual([
        one,
        other,
        outcome[one],
        outcome[other],
      ]);
    }
    const { key } = await it.create({ scopes: { restricted: { inference: one } } });
    expect(await levels(key, first)).toEqual(outcome[one]);
    expect(await levels(key, second)).toEqual(outcome[one]);
  }
}, 40_000);

describe.concurrent("legacy keys", () => {
  test("All of your existing keys will continue to function as they have been, so if you don't have a need for the new features, you can keep using your existing keys without issue.", async () => {
    const secret = legacySecret();
    await it.importLegacy(secret, "read_write", { created_at: "2023-05-01T00:00:00Z" });
    expect(await levels(secret, it.endpoints.first)).toEqual([200, 200]);
    expect(await it.graphql(secret, MUTATION)).toBe(200);
    const headers = { authorization: `Bearer ${secret}` };
    expect((await it.call("GET", `/v2/${it.endpoints.first}/health`, { headers })).status).toBe(200);
    expect(
      (await it.call("GET", `/v2/${it.endpoints.first}/health`, { headers: { authorization: secret } }))
        .status,
    ).toBe(200);
  });

  test("All existing keys have already been migrated and will remain in their legacy format without any additional features, so to begin using the new features you'll need to create some new keys.", async () => {
    const id = await it.importLegacy(legacySecret(), "read");
    expect(await it.shown(id)).toMatchObject({ legacy: true, permission: "legacy" });
    for (const body of [{ scopes: { all: true } }, { template: "read_only" }]) {
      const refused = await edit(id, body);
      expect([refused.status, refused.json.error.code]).toEqual([409, "legacy_key"]);
    }
    expect(await it.create({ scopes: { inference: true } })).toMatchObject({ legacy: false });
  });

  test("You can also enable or disable any key (legacy or not) with the slider.", async () => {
    const secret = legacySecret();
    const legacy = { key: secret, id: await it.importLegacy(secret, "read") };
    const native = await it.create({ scopes: { inference: true } });
    const slide = async ({ id, key }: { id: string; key: string }) => {
      const { first } = it.endpoints;
      expect(await levels(key, first)).toEqual([200, 200]);
      expect((await edit(id, { enabled: false })).status).toBe(200);
      await eventually(() => levels(key, first), [401, 401]);
      expect((await edit(id, { enabled: true })).status).toBe(200);
      await eventually(() => levels(key, first), [200, 200]);
    };
    await Promise.all([slide(legacy), slide(native)]);
  }, 30_000);
});

test.concurrent("Any new keys will be created with an rpa_ prefix.", async () => {
  const word = it.keyWord ?? "[a-z][a-z0-9]+";
  const { key, prefix } = await it.create({ scopes: { inference: true } });
  expect(key).toMatch(new RegExp(`^${word}_live_`));
  expect(prefix).toMatch(new RegExp(`^${word}_live_`));
});

test.concurrent("Runpod console API Keys page listing keys with read and write permissions and enable toggles", async () => {
  const listed = [
    ["read_write", { all: true }],
    ["read_only", { read_only: true }],
    ["restricted", { restricted: { graphql: "read" } }],
  ] as const;
  const name = `Listed ${randomBytes(4).toString("hex")}`;
  for (const [permission, scopes] of listed) await it.create({ name: `${name} ${permission}`, scopes });
  const off = await it.create({ name: `${name} off`, scopes: { all: true } });
  await edit(off.id, { enabled: false });
  const { data } = (await it.owner("GET", `${KEYS}?q=${encodeURIComponent(name)}`)).json;
  const rows = data.map((one: Record<string, unknown>) => [one.name, one.permission, one.enabled]);
  expect(rows.sort()).toEqual([
    [`${name} off`, "read_write", false],
    [`${name} read_only`, "read_only", true],
    [`${name} read_write`, "read_write", true],
    [`${name} restricted`, "restricted", true],
  ]);
  const { text } = await it.owner("GET", `/console/settings/api-keys?q=${encodeURIComponent(name)}`);
  for (const [one] of rows) expect(text).toContain(`aria-label="API key ${one}"`);
});

test.concurrent("GraphQL access - This allows you to create, edit, and delete numerous items associated with your account, including endpoints and pods as described in our GraphQL documentation.", async () => {
  const { key } = await it.create({ scopes: { restricted: { graphql: "read_write" } } });
  const reader = await it.create({ scopes: { restricted: { graphql: "read" } } });
  for (const mutation of [
    "mutation { saveEndpoint(input: {}) { id } }",
    "mutation { podFindAndDeployOnDemand(input: {}) { id } }",
    "mutation { podTerminate(input: {}) }",
  ]) {
    expect(await it.graphql(key, mutation)).toBe(200);
    const sent = it.origin?.requests.map(({ body }) => body.toString());
    if (sent !== undefined) expect(sent).toContain(JSON.stringify({ query: mutation }));
    expect(await it.graphql(reader.key, mutation)).toBe(403);
  }
  expect(await it.graphql(key, QUERY)).toBe(200);
});

test.concurrent("Note that this is an extremely powerful level of access - treat it appropriately.", async () => {
  const { json } = await it.owner("GET", "/v1/account/scopes");
  const scopes: { scope: string; description: string }[] = json.groups.flatMap(
    (group: { scopes: object[] }) => group.scopes,
  );
  expect(scopes.find(({ scope }) => scope === "graphql:write")!.description).toContain("full control");
});

test.concurrent("Endpoint access - This allows the associated keys access to specific endpoints on a per-key basis, and you can admit or revoke access as you see fit.", async () => {
  const { first, second } = it.endpoints;
  const { id, key } = await it.create({ scopes: [`inference:${first}:write`] });
  expect(await levels(key, second)).toEqual([403, 403]);
  await edit(id, { scopes: [`inference:${first}:write`, `inference:${second}:read`] });
  await eventually(() => levels(key, second), [200, 403]);
  await edit(id, { scopes: [`inference:${second}:read`] });
  await eventually(() => levels(key, first), [403, 403]);
}, 30_000);

test.concurrent("We highly suggest you always follow the principle of least privilege when doling out access in general, and most specifically never allow read/write GraphQL access for longer or for more individuals than you absolutely need.", async () => {
  const expires_at = new Date(Date.now() + 3000).toISOString();
  const { key } = await it.create({ scopes: { restricted: { graphql: "read_write" } }, expires_at });
  expect(await it.graphql(key, MUTATION)).toBe(200);
  await eventually(() => it.graphql(key, MUTATION), 401);
  const narrow = await it.create({ scopes: ["graphql:mutations:podStop"] });
  expect(await it.graphql(narrow.key, MUTATION)).toBe(200);
  expect(await it.graphql(narrow.key, "mutation { podTerminate(id: 1) }")).toBe(403);
}, 30_000);
