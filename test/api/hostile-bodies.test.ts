import { createSign, generateKeyPairSync } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ROUTES } from "../../src/api/index.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import type { Answer } from "../harness/http.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

/** A namespace of this account, and one of another's. */
const MINE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
const THEIRS = "5e8f1c52-9f0e-4f53-9d8f-97c1a6d3b7aa";
const TABLES = [
  "accounts",
  "keys",
  "endpoints",
  "namespaces",
  "members",
  "permission_templates",
  "audit_log",
];

let sessions: Sessions;
let gateway: TestGateway;
let headers: Record<string, string>;
let mine: TestKey;
let theirs: TestKey;
let partner: http.Server;
let before: string;

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

beforeAll(async () => {
  partner = http.createServer((_, response) =>
    response.end(
      JSON.stringify({
        public_keys: [
          { key_identifier: "p", key: publicKey.export({ type: "spki", format: "pem" }), is_current: true },
        ],
      }),
    ),
  );
  await new Promise<void>((done) => partner.listen(0, "127.0.0.1", done));
  sessions = await createSessions();
  gateway = await startTestGateway({
    vars: {
      ...sessions.vars,
      LEGACY_KEYS: "on",
      SECRET_SCANNING_KEYS_URL: `http://127.0.0.1:${(partner.address() as AddressInfo).port}/`,
    },
  });
  headers = { ...(await sessions.of("acme", ["owner", "admin"])), "x-postern-account-id": "acme" };
  const admin = as(gateway, headers);
  for (const id of ["acme", "other"]) await gateway.createAccount(id);
  await gateway.createEndpoint({ id: "chat", account_id: "acme", origin: "https://models.example.com" });
  await gateway.createEndpoint({ id: "theirs", account_id: "other", origin: "https://models.example.com" });
  for (const [id, account_id] of [
    [MINE, "acme"],
    [THEIRS, "other"],
  ] as const) {
    const cluster = { server: "https://kube.example.com", audience: "kube" };
    expect(
      (await admin("PUT", `/admin/namespaces/${id}`, { account_id, name: "training", cluster })).status,
    ).toBe(201);
  }
  expect((await admin("PUT", "/admin/members/max@acme.test", { accounts: [] })).status).toBe(201);
  mine = await gateway.createKey({ permissions: { inference: "read" } });
  theirs = await gateway.createKey({ account_id: "other", permissions: { inference: "read" } });
});
afterAll(async () => {
  await gateway.stop();
  partner.close();
});
beforeEach(async () => {
  before = await dump();
});

/** Every row of every table. */
async function dump(): Promise<string> {
  const results = await gateway.db.batch(
    TABLES.map((table) => gateway.db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)),
  );
  return JSON.stringify(results.map(({ results: rows }) => rows));
}

/** A route with a body: where it is, and a body that it takes. */
interface Target {
  method: string;
  path: string;
  good: Record<string, unknown>;
  /** Whether the body is lines, each judged by itself. */
  lines?: true;
  /** Whether it only asks: a good one changes nothing. */
  asksOnly?: true;
}

const key = () => mine.id;
const cluster = { server: "https://kube.example.com", audience: "kube2" };

/** One of each route; that none is missing is checked below. */
const TARGETS: Record<string, () => Target> = {
  "POST /v1/account/api-keys": () => ({
    method: "POST",
    path: "/v1/account/api-keys",
    good: { name: "n", scopes: { all: true } },
  }),
  "PATCH /v1/account/api-keys/{id}": () => ({
    method: "PATCH",
    path: `/v1/account/api-keys/${key()}`,
    good: { name: "n" },
  }),
  "POST /v1/account/api-keys/{id}/rotate": () => ({
    method: "POST",
    path: `/v1/account/api-keys/${key()}/rotate`,
    good: { overlap_seconds: 1 },
  }),
  "POST /v1/account/permission-templates": () => ({
    method: "POST",
    path: "/v1/account/permission-templates",
    good: { name: "t", scopes: { all: true } },
  }),
  "PUT /admin/accounts/{id}": () => ({
    method: "PUT",
    path: "/admin/accounts/acme",
    good: { name: "n", active_key_limit: 5 },
  }),
  "PUT /admin/endpoints/{id}": () => ({
    method: "PUT",
    path: "/admin/endpoints/chat",
    good: {
      account_id: "acme",
      name: "n",
      api: "inference",
      protocol: "http",
      origin: "https://models.example.com/x",
    },
  }),
  "POST /admin/try-path": () => ({
    method: "POST",
    path: "/admin/try-path",
    good: { method: "GET", path: "/v2/chat/health" },
    asksOnly: true,
  }),
  "PUT /admin/namespaces/{id}": () => ({
    method: "PUT",
    path: `/admin/namespaces/${MINE}`,
    good: { account_id: "acme", name: "n", cluster },
  }),
  "PUT /admin/members/{email}": () => ({
    method: "PUT",
    path: "/admin/members/max@acme.test",
    good: { accounts: [{ account_id: "acme", role: "member" }], admin: false },
  }),
  "PATCH /admin/keys/{id}": () => ({ method: "PATCH", path: `/admin/keys/${key()}`, good: { name: "m" } }),
  "POST /admin/keys/import": () => ({
    method: "POST",
    path: "/admin/keys/import",
    good: { account_id: "acme", name: "n", sha256: "ab".repeat(32), graphql: "read" },
    lines: true,
  }),
};

const JSON_TARGETS = Object.keys(TARGETS).filter((name) => !name.endsWith("import"));

/** Sends a body as it is. */
function send(target: Target, body: string | Uint8Array, more: Record<string, string> = {}): Promise<Answer> {
  const type = target.lines ? "application/x-ndjson" : "application/json";
  return gateway.call(target.path, {
    method: target.method,
    body,
    headers: { ...headers, "content-type": type, ...more },
  });
}

/** Asserts that a body is refused, as a whole or as a line. */
function refused(answer: Answer, target: Target, label: string): void {
  if (target.lines && answer.status === 200) {
    const lines = answer.text.trim().split("\n");
    expect([label, JSON.parse(lines.at(-1)!).summary]).toMatchObject([label, { created: 0 }]);
    expect([label, answer.text.includes('"created","id"')]).toEqual([label, false]);
  } else {
    expect([label, answer.status >= 400 && answer.status < 500]).toEqual([label, true]);
    expectDenial(answer, answer.status, answer.json.error.code);
  }
}

test("every route with a body is here", () => {
  const routes = ROUTES.filter(({ body, raw }) => body ?? raw).map(({ method, path }) => `${method} ${path}`);
  expect([...Object.keys(TARGETS), "POST /webhooks/secret-scanning"].sort()).toEqual(routes.sort());
});

describe.each(Object.keys(TARGETS))("%s", (name) => {
  const target = () => TARGETS[name]!();
  // No row of any table changed.
  afterEach(async () => expect((await dump()) === before).toBe(true));

  test("refuses members that are not the client's to set", async () => {
    for (const [member, value] of Object.entries({
      id: theirs.id,
      account_id: "other",
      hash: "cd".repeat(32),
      created_at: "2020-01-01T00:00:00Z",
      updated_at: "2020-01-01T00:00:00Z",
      created_by: "root@acme.test",
      revoked_at: null,
      last_used_at: null,
      rotated_from: theirs.id,
      rotated_to: null,
      legacy: true,
      permissions: { graphql: "read_write", inference: "read_write", kubernetes_exec: "all_namespaces" },
      permission: "read_write",
      prefix: "pst_live_aAAAA",
      status: "active",
      version: 1,
      built_in: true,
      email: "root@acme.test",
      role: "owner",
      owner: "other",
      constructor: { prototype: { admin: true } },
      prototype: {},
      toString: "x",
      ACCOUNT_ID: "other",
      "account_id ": "other",
      "": 1,
    })) {
      const { good } = target();
      if (Object.hasOwn(good, member)) continue;
      // An import may say these of a key.
      if (target().lines && ["created_at", "prefix"].includes(member)) continue;
      const body = JSON.stringify({ ...good, [member]: value });
      refused(await send(target(), body), target(), member);
    }
  });

  test("refuses other accounts' ids, and what is nobody's", async () => {
    for (const change of [
      { scopes: { kubernetes_exec: { namespace_ids: [THEIRS] } } },
      { scopes: { kubernetes_exec: { namespace_ids: [MINE, THEIRS] } } },
      { scopes: { kubernetes_exec: { namespace_ids: [THEIRS], all_namespaces: true } } },
      { scopes: ["inference:theirs:read"] },
      { scopes: ["inference:read", `kubernetes_exec:${THEIRS}`] },
      { scopes: { restricted: { inference: { endpoints: { chat: "read", theirs: "none" } } } } },
      { account_id: "nowhere" },
      { account_id: "ACME" },
      { accounts: [{ account_id: "nowhere", role: "owner" }] },
    ]) {
      const body = JSON.stringify({ ...target().good, ...change });
      refused(await send(target(), body), target(), JSON.stringify(change));
    }
  });

  test("refuses every member with a value of another type", async () => {
    const { good } = target();
    const values = [null, true, 0, 1.5, -1, 1e308, "", "x".repeat(300), [], [null], {}, { x: 1 }, [["a"]]];
    for (const member of Object.keys(good)) {
      for (const value of values) {
        const fits = member === "accounts" && JSON.stringify(value) === "[]";
        const shared = member === "account_id" && value === null && name.includes("endpoints");
        const flag = member === "admin" && value === true;
        const number = (member === "overlap_seconds" || member === "active_key_limit") && value === 0;
        if (fits || shared || flag || number) continue;
        const label = `${member}: ${JSON.stringify(value).slice(0, 20)}`;
        refused(await send(target(), JSON.stringify({ ...good, [member]: value })), target(), label);
      }
    }
  });

  test("refuses names that hide or turn text", async () => {
    const { good } = target();
    if (typeof good.name !== "string") return;
    for (const text of [
      "a\u202eb",
      "a\u2066b",
      "\u200fa",
      "a\u0000b",
      "a\nb",
      "a\u0085b",
      "a\u2028b",
      "\ud800",
      "\u200b",
    ]) {
      const escaped = JSON.stringify({ ...good, name: text });
      refused(await send(target(), escaped), target(), JSON.stringify(text));
    }
  });

  test("refuses what is no JSON object, and members named twice or __proto__", async () => {
    const text = JSON.stringify(target().good);
    const [member] = Object.keys(target().good);
    const inner = text.slice(1, -1);
    for (const body of [
      ...[
        "null",
        "[]",
        '"x"',
        "1",
        "true",
        "{",
        "}",
        "nul",
        "NaN",
        "{'a':1}",
        "{a:1}",
        "\u0000",
        `[${text}]`,
      ],
      ...[`${text}x`, `${text}${text}`, `${text},`, `\ufeff${text}`, `/* */${text}`, text.replace("{", "{,")],
      `{${inner},${JSON.stringify(member)}:1}`,
      `{${inner},"\\u${member!.charCodeAt(0).toString(16).padStart(4, "0")}${member!.slice(1)}":1}`,
      `{${inner},"__proto__":{"admin":true}}`,
      `{${inner},"scopes":{"all":true,"all":true}}`,
      `{${inner},"x":${"[".repeat(30)}${"]".repeat(30)}}`,
      `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
      `{${inner},"x":"\ud800"}`,
    ]) {
      refused(await send(target(), body), target(), body.slice(0, 60));
    }
  });

  test("refuses other bytes, encodings, types and sizes", async () => {
    const text = JSON.stringify(target().good);
    const wrong: [string | Uint8Array, Record<string, string>][] = [
      [Buffer.from(text.replace("{", '{"\xff":1,'), "latin1"), {}],
      [Buffer.from(text, "utf16le"), {}],
      [gzipSync(text), { "content-encoding": "gzip" }],
      [gzipSync(text), {}],
      [text, { "content-encoding": "br" }],
      [text, { "content-type": "text/plain" }],
      [text, { "content-type": "application/x-www-form-urlencoded" }],
      [text, { "content-type": "multipart/form-data; boundary=x" }],
      [text, { "content-type": "application/json; charset=utf-16" }],
      [text, { "content-type": "application/x-ndjson; charset=utf-16" }],
      [text, { "content-type": "application/jsonx" }],
      [text, { "content-type": "" }],
      [`${text.slice(0, -1)},"x":"${"x".repeat(400_000)}"}`, {}],
      [" ".repeat(300_000) + text, {}],
    ];
    for (const [body, more] of wrong) {
      refused(await send(target(), body, more), target(), `${JSON.stringify(more)} ${body.length}`);
    }
  });
});

test.each(JSON_TARGETS)(
  "and %s takes a good one, whose trace is in the audit log if it changes anything",
  async (name) => {
    const target = TARGETS[name]!();
    const answer = await send(target, JSON.stringify(target.good));
    expect([200, 201]).toContain(answer.status);
    if (answer.json.key !== undefined) gateway.secrets.push(answer.json.key);
    expect((await dump()) === before).toBe(target.asksOnly === true);
  },
);

test("the webhook refuses every body that is not a report, signed though it is", async () => {
  const target: Target = { method: "POST", path: "/webhooks/secret-scanning", good: {} };
  const report = [{ token: mine.key, type: "postern" }];
  const text = JSON.stringify(report);
  for (const body of [
    ...["", "null", "{}", "[", "[null]", "[[]]", '["x"]', '[{"type":"t"}]', '[{"token":1,"type":"t"}]'],
    ...[
      '[{"token":"a","token":"b","type":"t"}]',
      '[{"__proto__":{},"token":"a","type":"t"}]',
      `\ufeff${text}`,
    ],
    ...[`${"[".repeat(10)}${"]".repeat(10)}`, `${text}x`, text.replace('"type"', '"url":7,"type"')],
    Buffer.from(text, "utf16le"),
    gzipSync(text),
  ]) {
    const signature = createSign("sha256").update(body).sign(privateKey, "base64");
    const signed = { "github-public-key-identifier": "p", "github-public-key-signature": signature };
    refused(await send(target, body, signed), target, String(body).slice(0, 40));
  }
  expect((await dump()) === before).toBe(true);
});

test("parameters in paths are refused or name nothing, and no answer is a 500", async () => {
  const wrong = [
    "%00",
    "%0a",
    "%ff",
    "..%2f",
    "%2e%2e",
    "a%2fb",
    "__proto__",
    "constructor",
    "%E2%80%AE",
    "x".repeat(500),
    "'",
    "%22",
    "*",
    "a;b",
    "a%20b",
  ];
  for (const { method, path, body } of ROUTES.filter(({ path }) => path.includes("{"))) {
    for (const one of wrong) {
      const answer = await gateway.call(path.replace(/\{\w+\}/, one), {
        method,
        headers,
        ...(body !== undefined && { body: {} }),
      });
      expect([method, path, one, answer.status >= 400 && answer.status < 500]).toEqual([
        method,
        path,
        one,
        true,
      ]);
    }
  }
  expect((await dump()) === before).toBe(true);
});

test("no answer was a 500, and no row holds a key", async () => {
  expect(gateway.logs.filter(({ text }) => /unexpected exception|"status":5/.test(text))).toEqual([]);
  const rows = await dump();
  for (const secret of gateway.secrets) expect(rows.includes(secret)).toBe(false);
  // What the audit log keeps of a change is told without the key's hash.
  const { results } = await gateway.db.prepare("SELECT before, after FROM audit_log").all();
  expect(results.length).toBeGreaterThan(15);
  const hashes = await gateway.db.prepare("SELECT hash FROM keys").all<{ hash: string }>();
  for (const { hash } of hashes.results) expect(JSON.stringify(results)).not.toContain(hash.slice(0, 16));
});
