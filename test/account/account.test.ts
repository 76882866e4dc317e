import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountRoutes } from "../../src/account/index.ts";
import { parseScopes } from "../../src/keys/scopes.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

const KEYS = "/v1/account/api-keys";
const TEMPLATES = "/v1/account/permission-templates";
const NAMESPACE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
const HOUR = 3_600_000;

let sessions: Sessions;
let gateway: TestGateway;
let origin: Origin;
let owner: ReturnType<typeof as>;
let admin: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  [gateway, origin] = await Promise.all([startTestGateway({ vars: sessions.vars }), Origin.start()]);
  for (const id of ["acme", "other"]) await gateway.createAccount(id);
  await gateway.createEndpoint({
    id: "chat",
    account_id: "acme",
    name: "Chat",
    protocol: "openai",
    origin: origin.url,
  });
  await gateway.createEndpoint({ id: "shared", name: "Shared", origin: origin.url, test_origin: origin.url });
  await gateway.createEndpoint({ id: "any", name: "Any", path: "/v3/*", origin: origin.url });
  await gateway.createEndpoint({ id: "theirs", account_id: "other", name: "Theirs", origin: origin.url });
  owner = as(gateway, await sessions.of("acme", "owner", { email: "olga@acme.test" }));
  admin = as(gateway, await sessions.admin());
  await admin("PUT", `/admin/namespaces/${NAMESPACE}`, {
    account_id: "acme",
    name: "training",
    cluster: { server: "https://kube.test", audience: "kube" },
  });
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

/** Checks an answer against the schema that documents it. */
function expectDocumented(method: string, path: string, json: unknown): void {
  const route = accountRoutes.find((one) => one.method === method && one.path === path)!;
  const answer = Object.entries(route.answers)[0]![1];
  expect(answer.schema!.safeParse(json).error).toBeUndefined();
}

describe("what the account sees", () => {
  test("endpoints: its own and the shared ones, without what is behind them", async () => {
    const { json, text } = await owner("GET", "/v1/account/endpoints");
    expectDocumented("GET", "/v1/account/endpoints", json);
    expect(json.data.map(({ id }: { id: string }) => id)).toEqual(["any", "chat", "shared"]);
    expect(json.data[0]).toMatchObject({ wildcard: true, shared: true });
    expect(json.data[2]).toMatchObject({ environments: ["production", "test"] });
    expect(text).not.toContain(origin.url);
  });

  test("namespaces: its own", async () => {
    const { json } = await owner("GET", "/v1/account/namespaces");
    expectDocumented("GET", "/v1/account/namespaces", json);
    expect(json.data).toMatchObject([{ id: NAMESPACE, name: "training" }]);
    const other = as(gateway, await sessions.of("other"));
    expect((await other("GET", "/v1/account/namespaces")).json.data).toEqual([]);
  });

  test("the catalogue: every string in it makes a key", async () => {
    const { json } = await owner("GET", "/v1/account/scopes");
    expectDocumented("GET", "/v1/account/scopes", json);
    const scopes = json.groups.flatMap((group: { scopes: { scope: string }[] }) =>
      group.scopes.map(({ scope }) => scope),
    );
    expect(scopes).toContain("inference:chat:write");
    expect(scopes).toContain(`kubernetes_exec:${NAMESPACE}`);
    expect(scopes.join()).not.toMatch(/theirs|:any:/);
    for (const scope of scopes) expect(parseScopes([scope]).ok).toBe(true);
    const all = await owner("POST", KEYS, { name: "n", scopes });
    expect(all.status).toBe(201);
    expect(all.json.permission).toBe("read_write");
  });
});

describe("permission templates", () => {
  test("are made, used, listed and deleted; keys made from one stay as they are", async () => {
    const scopes = { restricted: { inference: { endpoints: { chat: "read" } } } };
    const made = await owner("POST", TEMPLATES, {
      name: "chat_reader",
      description: "Reads on chat",
      scopes,
    });
    expect(made.status).toBe(201);
    expectDocumented("POST", TEMPLATES, made.json);
    expect(made.json).toMatchObject({ built_in: false, created_by: "olga@acme.test", scopes });

    const key = await owner("POST", KEYS, { name: "n", template: "chat_reader" });
    expect(key.json).toMatchObject({ template: "chat_reader", scopes, permission: "restricted" });

    const { json } = await owner("GET", TEMPLATES);
    expectDocumented("GET", TEMPLATES, json);
    expect(json.data.map(({ name }: { name: string }) => name)).toEqual([
      ...["full_access", "read_only", "inference_client", "inference_monitor", "kubectl", "ci_deploy"],
      "chat_reader",
    ]);
    for (const { name } of json.data) {
      expect([name, (await owner("POST", KEYS, { name: "n", template: name })).status]).toEqual([name, 201]);
    }

    expect((await owner("DELETE", `${TEMPLATES}/chat_reader`)).status).toBe(204);
    expectDenial(await owner("DELETE", `${TEMPLATES}/chat_reader`), 404, "not_found");
    expect((await owner("GET", `${KEYS}/${key.json.id}`)).json).toMatchObject({
      template: "chat_reader",
      scopes,
    });
    expect((await owner("POST", KEYS, { name: "n", template: "chat_reader" })).status).toBe(400);
  });

  test("belong to one account, and do not name what it cannot see", async () => {
    const other = as(gateway, await sessions.of("other"));
    await owner("POST", TEMPLATES, { name: "ours", scopes: { all: true } });
    expect((await other("POST", KEYS, { name: "n", template: "ours" })).json.detail).toBe(
      "Unknown template: ours. GET /v1/account/permission-templates lists those there are",
    );
    expectDenial(await other("DELETE", `${TEMPLATES}/ours`), 404, "not_found");
    const strange = await owner("POST", TEMPLATES, { name: "t", scopes: ["inference:theirs:read"] });
    expect(strange.json.detail).toBe("Unknown endpoint: theirs");
    expectDenial(await owner("POST", TEMPLATES, { name: "ours", scopes: { all: true } }), 409, "conflict");
    expectDenial(await owner("POST", TEMPLATES, { name: "kubectl", scopes: { all: true } }), 409, "conflict");
    expectDenial(await owner("DELETE", `${TEMPLATES}/kubectl`), 409, "conflict");
    for (const role of ["member", "viewer"]) {
      const who = as(gateway, await sessions.of("acme", role));
      expect((await who("GET", TEMPLATES)).status).toBe(200);
      expectDenial(await who("POST", TEMPLATES, { name: "x", scopes: { all: true } }), 403, "forbidden");
      expectDenial(await who("DELETE", `${TEMPLATES}/ours`), 403, "forbidden");
    }
  });
});

describe("usage", () => {
  test("counts by endpoint, hour and reason; sums by the day; spans are bounded", async () => {
    const { json: key } = await owner("POST", KEYS, { name: "n", scopes: { all: true } });
    const day = Date.UTC(2026, 4, 1);
    const rows: [number, string, string, number][] = [
      [day + HOUR, "chat", "read", 3],
      [day + HOUR, "chat", "write", 2],
      [day + 2 * HOUR, "chat", "read", 4],
      [day + 2 * HOUR, "", "denied:expired", 5],
      [day + 25 * HOUR, "shared", "denied:insufficient_scope", 1],
    ];
    await gateway.db.batch(
      rows.map(([hour, endpoint, kind, count]) =>
        gateway.db
          .prepare("INSERT INTO key_usage VALUES (?, ?, ?, ?, ?)")
          .bind(key.id, hour, endpoint, kind, count),
      ),
    );
    const usage = async (query: string) => owner("GET", `${KEYS}/${key.id}/usage?${query}`);
    const hourly = await usage("from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z");
    expectDocumented("GET", `${KEYS}/{id}/usage`, hourly.json);
    expect(hourly.json).toMatchObject({
      key_id: key.id,
      step: "hour",
      totals: { reads: 7, writes: 2, denials: { expired: 5, insufficient_scope: 1 } },
      data: [
        { start: "2026-05-01T01:00:00.000Z", endpoint_id: "chat", reads: 3, writes: 2, denials: {} },
        {
          start: "2026-05-01T02:00:00.000Z",
          endpoint_id: null,
          reads: 0,
          writes: 0,
          denials: { expired: 5 },
        },
        { start: "2026-05-01T02:00:00.000Z", endpoint_id: "chat", reads: 4, writes: 0, denials: {} },
        { start: "2026-05-02T01:00:00.000Z", endpoint_id: "shared", denials: { insufficient_scope: 1 } },
      ],
    });
    const daily = await usage("from=2026-05-01T12:00:00Z&to=2026-05-01T13:00:00Z&step=day");
    expect(daily.json).toMatchObject({ from: "2026-05-01T00:00:00.000Z", to: "2026-05-02T00:00:00.000Z" });
    expect(daily.json.data).toHaveLength(2);
    expect(daily.json.totals).toEqual({ reads: 7, writes: 2, denials: { expired: 5 } });

    // Windows side by side share no step.
    for (const [from, to, reads] of [
      ["01", "02", 3],
      ["02", "03", 4],
    ] as const) {
      const { json } = await usage(`from=2026-05-01T${from}:00:00Z&to=2026-05-01T${to}:00:00Z`);
      expect(json).toMatchObject({ to: `2026-05-01T${to}:00:00.000Z`, totals: { reads } });
    }

    for (const query of [
      ...["from=yesterday", "step=minute", "from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z"],
      ...["from=2026-05-01T00:00:00Z&to=2026-05-01T00:00:00Z"],
      ...["from=2026-05-01T00:30:00Z&to=2026-05-01T00:30:00Z"],
      ...["from=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z&step=day", "from=1"],
    ]) {
      expect([query, (await usage(query)).status]).toEqual([query, 400]);
    }
  });

  test("real requests are counted, refused ones too", async () => {
    const { json: key } = await owner("POST", KEYS, { name: "n", scopes: ["inference:chat:read"] });
    gateway.secrets.push(key.key);
    const headers = { "x-api-key": key.key };
    await gateway.call("/v2/chat/models", { headers });
    await gateway.call("/v2/chat/models", { headers, method: "POST", body: {} });
    const totals = async () => (await owner("GET", `${KEYS}/${key.id}/usage`)).json.totals;
    await expect
      .poll(totals, { timeout: 15_000, interval: 500 })
      .toEqual({ reads: 1, writes: 0, denials: { insufficient_scope: 1 } });
  });
});

describe("audit log", () => {
  test("shows the account's changes to owners and viewers, newest first, in pages", async () => {
    const viewer = as(gateway, await sessions.of("acme", "viewer"));
    const { json: key } = await owner("POST", KEYS, { name: "audited", scopes: { all: true } });
    await owner("POST", `${KEYS}/${key.id}/revoke`);
    const first = await viewer("GET", "/v1/account/audit-log?limit=1");
    expectDocumented("GET", "/v1/account/audit-log", first.json);
    expect(first.json.data).toMatchObject([
      { action: "api_key.revoke", subject: key.id, actor: "olga@acme.test" },
    ]);
    const second = await viewer("GET", `/v1/account/audit-log?limit=1&cursor=${first.json.next_cursor}`);
    expect(second.json.data).toMatchObject([{ action: "api_key.create", subject: key.id, before: null }]);
    const other = as(gateway, await sessions.of("other"));
    expect((await other("GET", "/v1/account/audit-log")).text).not.toContain(key.id);
  });
});
