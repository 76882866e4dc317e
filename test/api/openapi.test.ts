import { createHash } from "node:crypto";
import { validate } from "@readme/openapi-parser";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../src/api/index.ts";
import type { Media, OpenApi, Operation } from "../../src/api/openapi.ts";
import { OTHER_DOORS } from "../../src/api/other-doors.ts";
import { ScopesShape } from "../../src/api/schemas.ts";
import { OWN_ROUTES } from "../../src/endpoints/path.ts";
import { parseScopes } from "../../src/keys/scopes.ts";
import { BUILT_IN_TEMPLATES } from "../../src/keys/templates.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { createSessions } from "../harness/sessions.ts";

const KEYS = "/v1/account/api-keys";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

let gateway: TestGateway;
let session: Record<string, string>;
let document: OpenApi;
let operations: { method: string; path: string; operation: Operation }[];

beforeAll(async () => {
  const sessions = await createSessions();
  gateway = await startTestGateway({ vars: { ...sessions.vars, PUBLIC_URL: "https://gateway.test" } });
  await gateway.createAccount("acme");
  session = await sessions.of("acme", ["owner", "admin"]);
  const answer = await gateway.call("/openapi.json");
  expect(answer.status).toBe(200);
  document = answer.json;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});
afterAll(() => gateway.stop());

/** Every body that the document shows: what it is of, and how it is described. */
function bodies(): [where: string, media: Media][] {
  return operations.flatMap(({ method, path, operation }) => [
    ...Object.values(operation.requestBody?.content ?? {}).map((media): [string, Media] => [
      `${method} ${path} body`,
      media,
    ]),
    ...Object.entries(operation.responses).flatMap(([status, { content }]) =>
      Object.values(content ?? {}).map((media): [string, Media] => [`${method} ${path} ${status}`, media]),
    ),
  ]);
}

describe("the OpenAPI document", () => {
  test("is OpenAPI 3.1 without errors, by @readme/openapi-parser", async () => {
    expect(document.openapi).toBe("3.1.0");
    // It resolves references in place.
    expect(await validate(structuredClone(document) as never)).toMatchObject({ valid: true, warnings: [] });
  });

  test("describes every route of every door, each under a name of its own", () => {
    expect(document.servers).toEqual([{ url: "https://gateway.test" }]);
    const served = [...ROUTES, ...OTHER_DOORS].map(({ method, path }) => `${method} ${path}`);
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort());
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const named = operation.parameters.filter((one) => one.in === "path");
      expect(named.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      for (const one of named) expect(one.required).toBe(true);
    }
    // The console is for people.
    for (const own of OWN_ROUTES.filter((route) => route !== "/console")) {
      expect(operations.some(({ path }) => path === own || path.startsWith(`${own}/`)) ? "" : own).toBe("");
    }
  });

  test("describes nothing that is not served, and every method that is", async () => {
    const id = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of METHODS) {
        if (["GET", "PATCH"].includes(method) && path === "/admin/keys/import") continue; // a key's id, to them
        const answer = await gateway.call(path.replace(/\{\w+\}/, id), { method, headers: session });
        const described = method.toLowerCase() in methods;
        // Whatever the door thinks of the credential and the id: it knows the path and the method.
        const unknown =
          answer.status === 405 ||
          (answer.status === 404 && answer.json.error.code === "not_found" && !path.includes("{"));
        if (path !== "/healthz" && !path.startsWith("/v1/k"))
          expect([method, path, !unknown]).toEqual([method, path, described]);
        else if (described) expect([method, path, unknown]).toEqual([method, path, false]);
      }
    }
  });

  test("refers to nothing that is not there, and says what errors look like", () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, kind, name] of references) {
      expect((document.components as unknown as Record<string, object>)[kind!]).toHaveProperty(name!);
    }
    expect(text).not.toContain("$defs");
    const create = document.paths[KEYS]!.post!;
    expect(create.security).toEqual([{ session: [] }, { access: [] }]);
    expect(Object.keys(create.responses)).toEqual(
      [201, 400, 401, 403, 409, 413, 414, 415, 421, 431, 500, 503].map(String),
    );
    expect(create.responses[409]!.description).toBe("`active_key_limit_reached`");
    const { schema } = create.requestBody!.content["application/json"]!;
    expect(schema).toMatchObject({
      required: ["name"],
      additionalProperties: false,
      properties: { scopes: { $ref: "#/components/schemas/Scopes" }, environment: { default: "production" } },
    });
    expect(document.components.schemas.Key).toMatchObject({
      properties: { status: { enum: expect.arrayContaining(["expired"]) } },
    });
    expect(document.paths["/webhooks/secret-scanning"]!.post!.security).toEqual([]);
    const limit = document.paths[KEYS]!.get!.parameters.find(({ name }) => name === "limit")!;
    expect(limit.schema).toEqual({ type: "integer", minimum: 1, maximum: 100, default: 50 });
  });

  test("shows every body and every error, and each example is one by its schema", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema(document, "openapi");
    const shown = bodies();
    expect(shown.length).toBeGreaterThan(250);
    for (const [where, { schema, example, examples = { it: { value: example } } }] of shown) {
      const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
      const check = ajv.compile(whole);
      for (const [name, { value }] of Object.entries(examples)) {
        expect([where, name, value === undefined]).toEqual([where, name, false]);
        check(value);
        expect([where, name, check.errors]).toEqual([where, name, null]);
        // Errors are shown under their codes.
        if (name !== "it") expect(value).toMatchObject({ error: { code: name } });
      }
    }
  });

  test("its examples are ones that the routes take and give", () => {
    for (const { method, path, body, raw, bodyExample, answers } of [...ROUTES, ...OTHER_DOORS]) {
      const schema = body ?? raw?.schema;
      const where = `${method} ${path}`;
      if (schema !== undefined) {
        expect([where, bodyExample === undefined]).toEqual([where, false]);
        expect([where, schema.safeParse(bodyExample).error]).toEqual([where, undefined]);
      }
      for (const answer of Object.values(answers)) {
        expect([where, answer.schema?.safeParse(answer.example).error]).toEqual([where, undefined]);
      }
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
  test("shows every route with its bodies and errors, and loads and runs nothing", async () => {
    const { status, text, headers } = await gateway.call("/docs");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    for (const { operation, path } of operations) {
      expect(text).toContain(`<h3 id="${operation.operationId}">`);
      expect(text).toContain(path);
    }
    for (const name of Object.keys(document.components.schemas))
      expect(text).toContain(`id="schema-${name}"`);
    for (const code of ["active_key_limit_reached", "insufficient_scope", "invalid_signature"]) {
      expect(text).toContain(`&quot;code&quot;: &quot;${code}&quot;`);
    }
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(/<script|<link|<img|<iframe| style="|javascript:/.exec(text)?.[0]).toBeUndefined();
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${target}"`);
  });

  test("fits a phone: a viewport of the device's width, and nothing that cannot wrap or scroll", async () => {
    const { text } = await gateway.call("/docs");
    expect(text).toContain('<meta name="viewport" content="width=device-width, initial-scale=1"/>');
    expect(text).toMatch(/overflow-wrap: anywhere/);
    expect(text).toMatch(/pre \{[^}]*overflow-x: auto/);
    for (const [, attributes] of text.matchAll(/<pre([^>]*)>/g)) expect(attributes).toContain("tabindex");
  });
});
