import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { createSessions } from "../harness/sessions.ts";

// Whatever is sent to the management routes: no 500, and a refusal leaves no trace in any table.

const NAMESPACE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";

let gateway: TestGateway;
let headers: Record<string, string>;
let key: TestKey;

beforeAll(async () => {
  const sessions = await createSessions();
  gateway = await startTestGateway({ vars: sessions.vars });
  headers = { ...(await sessions.of("acme", ["owner", "admin"])), "x-postern-account-id": "acme" };
  await gateway.createAccount("acme");
  await gateway.createEndpoint({ id: "chat", account_id: "acme", origin: "https://models.example.com" });
  key = await gateway.createKey({ permissions: { inference: "read" } });
});
afterAll(() => gateway?.stop());

const ROUTES: [method: string, path: () => string, good: object][] = [
  [
    "POST",
    () => "/v1/account/api-keys",
    { name: "n", scopes: { inference: true }, expires_at: null, environment: "test" },
  ],
  ["POST", () => "/v1/account/api-keys", { name: "n", scopes: ["inference:chat:read", "graphql:read"] }],
  [
    "POST",
    () => "/v1/account/api-keys",
    { name: "n", scopes: { restricted: { inference: { endpoints: { chat: "read" } } } } },
  ],
  ["PATCH", () => `/v1/account/api-keys/${key.id}`, { name: "m", enabled: true, scopes: { all: true } }],
  [
    "POST",
    () => "/v1/account/permission-templates",
    { name: "t", scopes: { inference: { endpoints: ["chat"] } } },
  ],
  ["PUT", () => "/admin/accounts/acme", { name: "n", active_key_limit: 900, suspended: false }],
  [
    "PUT",
    () => "/admin/endpoints/chat",
    {
      account_id: "acme",
      name: "n",
      api: "inference",
      protocol: "http",
      origin: "https://models.example.com/x",
      operations: [{ method: "POST", path: "/search/*", access: "read" }],
      cors: { origins: ["https://app.example.com"] },
      timeout_seconds: 30,
    },
  ],
  [
    "PUT",
    () => `/admin/namespaces/${NAMESPACE}`,
    { account_id: "acme", name: "n", cluster: { server: "https://kube.example.com", audience: "kube" } },
  ],
  [
    "PUT",
    () => "/admin/members/max@acme.test",
    { accounts: [{ account_id: "acme", role: "member" }], admin: false },
  ],
  ["PATCH", () => `/admin/keys/${key.id}`, { name: "x", enabled: true }],
];

/** Values that break readers, if any do. */
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      "",
      "\u0000",
      "\ud800",
      "\u202e",
      "x".repeat(70_000),
      -1,
      1e308,
      2 ** 53,
      0.1,
      [],
      {},
      [[]],
    ],
    ...[
      "__proto__",
      "constructor",
      "'; DROP TABLE keys; --",
      "acme",
      "other",
      "%00",
      "../..",
      "https://[::1]/",
    ],
    ...[
      "0000-00-00T00:00:00Z",
      "9999-12-31T23:59:59Z",
      "2020-01-01",
      "1e99",
      { toString: 1 },
      { length: 1e9 },
    ],
  ),
);

interface Change {
  at: number;
  how: "replace" | "remove" | "add" | "repeat";
  name: string;
  value: unknown;
}
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("replace", "replace", "remove", "add", "repeat"),
  name: fc.oneof(
    fc.string(),
    fc.constantFrom("scopes", "id", "account_id", "hash", "constructor", "toString", "version"),
  ),
  value,
});

/** A copy with one thing in it, anywhere, changed. */
function changed(body: unknown, { at, how, name, value }: Change): unknown {
  const copy = structuredClone(body);
  const places: [holder: Record<string, unknown>, name: string][] = [];
  const walk = (holder: Record<string, unknown>) => {
    for (const [member, inner] of Object.entries(holder)) {
      places.push([holder, member]);
      if (typeof inner === "object" && inner !== null) walk(inner as Record<string, unknown>);
    }
  };
  walk({ copy });
  const [holder, member] = places[at % places.length]!;
  const given = holder[member];
  if (how === "replace") holder[member] = value;
  else if (how === "remove") delete holder[member];
  else if (how === "repeat") holder[member] = Array.from({ length: 300 }, () => given);
  else if (typeof given === "object" && given !== null) (given as Record<string, unknown>)[name] = value;
  else holder[member] = { [name]: value };
  return places[0]?.[0].copy;
}

const edit = fc.option(
  fc.record({
    at: fc.nat(),
    drop: fc.nat({ max: 3 }),
    add: fc.constantFrom("", "{", "}", '"', ",", "\\", "\0", "1e9"),
  }),
  { freq: 4 },
);

/** Every row of every table, but for the audit log, of which the length. */
async function dump(): Promise<{ rows: string; told: number }> {
  const tables = ["accounts", "keys", "endpoints", "namespaces", "members", "permission_templates"];
  const [audit, ...rest] = await gateway.db.batch<Record<string, unknown>>([
    gateway.db.prepare("SELECT count(*) AS n FROM audit_log"),
    ...tables.map((table) => gateway.db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)),
  ]);
  return { rows: JSON.stringify(rest.map(({ results }) => results)), told: Number(audit?.results[0]?.n) };
}

describe("Bodies of the management routes, changed at random", () => {
  test.each(ROUTES.map(([method, path, good], i) => [i, method, path, good] as const))(
    "%i: %s",
    { timeout: 60_000 },
    async (_, method, path, good) => {
      let refused = 0;
      let latest = await dump();
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), edit, async (changes, cut) => {
          let body = JSON.stringify(changes.reduce<unknown>(changed, good)) ?? "";
          if (cut !== null) {
            const start = cut.at % (body.length + 1);
            body = body.slice(0, start) + cut.add + body.slice(start + cut.drop);
          }
          const before = latest;
          const answer = await gateway.call(path(), {
            method,
            headers: { ...headers, "content-type": "application/json" },
            body,
          });
          const after = await dump();
          latest = after;
          expect(answer.status).toBeLessThan(500);
          if (answer.status >= 400) {
            refused += 1;
            expect(answer.json.error.code).toMatch(/^[a-z_]+$/);
            expect(after).toEqual(before);
          } else {
            // Whatever was changed, one row of the audit log tells of it.
            const told = after.told - before.told;
            expect(after.rows === before.rows ? [0, 1] : [1]).toContain(told);
          }
        }),
        { numRuns: 40 },
      );
      expect(refused).toBeGreaterThan(10);
    },
  );
});

test("nothing was unexpected", () => {
  expect(gateway.logs.filter(({ text }) => /unexpected exception|"status":5/.test(text))).toEqual([]);
});
