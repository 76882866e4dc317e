import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../src/api/index.ts";
import { ScopesShape } from "../../src/api/schemas.ts";
import { parseScopes } from "../../src/keys/scopes.ts";
import { BUILT_IN_TEMPLATES } from "../../src/keys/templates.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

const KEYS = "/v1/account/api-keys";

let sessions: Sessions;
let gateway: TestGateway;
let headers: Record<string, string>;
let owner: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  gateway = await startTestGateway({ vars: { ...sessions.vars, PUBLIC_URL: "https://gateway.test" } });
  await gateway.createAccount("acme");
  headers = await sessions.of("acme", ["owner", "admin"]);
  owner = as(gateway, headers);
});
afterAll(() => gateway.stop());

describe("routing", () => {
  test("without a session every path is 401; with one, unknown paths are 404 and wrong methods 405", async () => {
    for (const path of [
      KEYS,
      "/v1/account",
      "/v1/account/nonesuch",
      "/admin",
      "/admin/nonesuch",
      `${KEYS}/`,
    ]) {
      expectDenial(await gateway.call(path), 401, "missing_access_token");
    }
    for (const path of [
      "/v1/account",
      "/v1/account/nonesuch",
      "/admin",
      "/admin/keys/x/y/z",
      `${KEYS}/a/b`,
    ]) {
      expectDenial(await owner("GET", path), 404, "not_found");
    }
    const wrong = await owner("DELETE", KEYS);
    expectDenial(wrong, 405, "method_not_allowed");
    expect(wrong.headers.allow).toBe("GET, HEAD, POST, OPTIONS");
  });

  test("HEAD answers what GET does, without the body", async () => {
    const head = await owner("HEAD", KEYS);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect((await gateway.call(KEYS, { method: "HEAD" })).status).toBe(401);
  });

  test("paths are read as they are sent", async () => {
    for (const path of [
      "/v1/account/%61pi-keys",
      "/v1/ACCOUNT/api-keys",
      "/v1/account/../account/api-keys",
    ]) {
      expect([path, [400, 401, 404].includes((await owner("GET", path)).status)]).toEqual([path, true]);
    }
  });

  test("every answer carries its id and is not to be stored", async () => {
    for (const answer of [
      await owner("GET", KEYS),
      await owner("GET", "/admin/accounts/nonesuch"),
      await gateway.call(KEYS),
    ]) {
      expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("a request leaves one log line, with the route and never its query", async () => {
    const answer = await owner("GET", `${KEYS}?q=looking-for-this`);
    const line = await gateway.logOf(answer.headers["x-request-id"]!);
    expect(line).toMatchObject({ method: "GET", route: KEYS, account_id: "acme", status: 200, reason: null });
    expect(JSON.stringify(gateway.logs)).not.toContain("looking-for-this");
  });
});

describe("bodies", () => {
  const post = (body: string | Uint8Array, type: string | null = "application/json", more = {}) =>
    gateway.call(KEYS, {
      method: "POST",
      body,
      headers: { ...headers, ...(type !== null && { "content-type": type }), ...more },
    });
  const good = JSON.stringify({ name: "n", scopes: { all: true } });

  test("are JSON in UTF-8, and say so", async () => {
    for (const type of [
      "application/json",
      "Application/JSON; charset=utf-8",
      'application/json;charset="UTF-8"',
    ]) {
      expect([type, (await post(good, type)).status]).toEqual([type, 201]);
    }
    for (const type of [
      ...[null, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
      ...["application/json, text/plain", "application/jsonp", "application/json; x=y"],
    ]) {
      expectDenial(await post(good, type), 415, "unsupported_media_type");
    }
    expectDenial(
      await post(good, "application/json", { "content-encoding": "gzip" }),
      415,
      "unsupported_media_type",
    );
    for (const body of [
      ...["", "null", "[]", '"x"', "{", `${good}x`, `\u{feff}${good}`, "{'name':'n'}"],
      ...['{"name":"a","name":"b","scopes":{"all":true}}', '{"name":"n","scopes":{"all":true,"all":true}}'],
      ...[`{"name":"n","scopes":{"all":true},"__proto__":{}}`, `{"name":"n","scopes":${"[".repeat(5000)}`],
      Buffer.from('{"name":"\xff","scopes":{"all":true}}', "latin1"),
    ]) {
      expectDenial(await post(body), 400, "invalid_request");
    }
  });

  test("are bounded", async () => {
    expectDenial(await post(`{"name":"${"x".repeat(300_000)}"}`), 413, "body_too_large");
  });
});

describe("the OpenAPI document", () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document is looked into
  let document: any;
  beforeAll(async () => {
    const answer = await gateway.call("/openapi.json");
    expect(answer.status).toBe(200);
    document = answer.json;
  });

  test("describes every route, each under a name of its own", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.servers).toEqual([{ url: "https://gateway.test" }]);
    const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
    const operations = Object.values<object>(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const operation of operations) {
      const named = operation.parameters.filter((one: { in: string }) => one.in === "path");
      const path = Object.keys(document.paths).find((one) =>
        Object.values(document.paths[one]).includes(operation),
      )!;
      expect(named.map(({ name }: { name: string }) => name)).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      );
      for (const one of named) expect(one.required).toBe(true);
    }
  });

  test("refers to nothing that is not there, and says what errors look like", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name!);
    expect(JSON.stringify(document)).not.toContain("$defs");
    const create = document.paths[KEYS].post;
    expect(create.security).toEqual([{ session: [] }]);
    expect(Object.keys(create.responses)).toEqual([
      "201",
      "400",
      "401",
      "403",
      "409",
      "413",
      "415",
      "500",
      "503",
    ]);
    expect(create.responses[409].description).toBe("`active_key_limit_reached`");
    const { schema } = create.requestBody.content["application/json"];
    expect(schema).toMatchObject({
      required: ["name"],
      additionalProperties: false,
      properties: { scopes: { $ref: "#/components/schemas/Scopes" }, environment: { default: "production" } },
    });
    expect(document.components.schemas.Key.properties.status.enum).toContain("expired");
    expect(document.paths["/webhooks/secret-scanning"].post.security).toEqual([]);
  });

  test("its examples are ones that the routes take", () => {
    for (const { body, raw, bodyExample } of ROUTES) {
      const schema = body ?? raw?.schema;
      if (schema === undefined) continue;
      expect(bodyExample).toBeDefined();
      expect(schema.safeParse(bodyExample).error).toBeUndefined();
    }
  });

  test("the shapes of scopes it documents are those that are parsed", () => {
    const id = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
    for (const scopes of [
      ...BUILT_IN_TEMPLATES.map((template) => template.scopes),
      { kubernetes_exec: { namespace_ids: [id] } },
      { restricted: {} },
      { restricted: { graphql: { queries: "*", mutations: ["podStop"] } } },
      { restricted: { inference: { endpoints: { a: "read" }, others: "none" }, kubernetes_exec: "none" } },
      ["inference:read", "graphql:mutations:podStop"],
      { all: false },
      { all: true, inference: true },
      { restricted: { other: "read" } },
      { kubernetes_exec: { namespace_ids: "x" } },
      { inference: "read" },
      7,
    ]) {
      expect([scopes, ScopesShape.safeParse(scopes).success]).toEqual([scopes, parseScopes(scopes).ok]);
    }
  });
});

describe("the documentation page", () => {
  test("shows every route, and loads and runs nothing", async () => {
    const { status, text, headers: given } = await gateway.call("/docs");
    expect(status).toBe(200);
    expect(given["content-type"]).toBe("text/html; charset=utf-8");
    for (const { summary, path } of ROUTES) {
      expect(text).toContain(summary);
      expect(text).toContain(path);
    }
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    expect(given["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
    expect(given["content-security-policy"]).toContain("default-src 'none'");
    expect(/<script|<link|<img|<iframe| style="|javascript:/.exec(text)?.[0]).toBeUndefined();
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${target}"`);
  });
});
