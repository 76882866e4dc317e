import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tryPathRoute } from "../../src/gateway/try-path-route.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions } from "../harness/sessions.ts";

let gateway: TestGateway;
let origin: Origin;
let admin: ReturnType<typeof as>;
let owner: ReturnType<typeof as>;
/** Keys of the account with one access each, on everything. */
let keys: Record<"none" | "read" | "read_write", string>;

beforeAll(async () => {
  const sessions = await createSessions();
  [gateway, origin] = await Promise.all([startTestGateway({ vars: sessions.vars }), Origin.start()]);
  admin = as(gateway, await sessions.admin());
  owner = as(gateway, await sessions.of("acme"));
  await gateway.createAccount("acme");
  const mine = { account_id: "acme", origin: origin.url };
  await Promise.all([
    gateway.createEndpoint({ ...mine, id: "llm", protocol: "openai" }),
    gateway.createEndpoint({ ...mine, id: "jobs", protocol: "serverless" }),
    gateway.createEndpoint({
      ...mine,
      id: "ruled",
      operations: [{ method: "POST", path: "/search/*", access: "read" }],
    }),
    gateway.createEndpoint({ ...mine, id: "any", protocol: "http", path: "/any/*" }),
    gateway.createEndpoint({ ...mine, id: "graphql", protocol: "graphql" }),
  ]);
  const made = await Promise.all(
    (["none", "read", "read_write"] as const).map(async (access) => {
      const { key } = await gateway.createKey({ permissions: { graphql: access, inference: access } });
      return [access, key] as const;
    }),
  );
  keys = Object.fromEntries(made) as typeof keys;
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

const attempt = async (body: object) => {
  const { status, json } = await admin("POST", "/admin/try-path", body);
  expect(status).toBe(200);
  expect(tryPathRoute.answers[200]?.schema?.safeParse(json).error).toBeUndefined();
  return json;
};

describe("what trying a path says is what the gateway then does:", () => {
  const QUERY = "query { pods { id } }";
  const MUTATION = "mutation { podStop }";
  test.each([
    ["GET", "/v2/llm/models", undefined],
    ["HEAD", "/v2/llm/models", undefined],
    ["POST", "/v2/llm/chat/completions", undefined],
    ["GET", "/v2/jobs/status/1", undefined],
    ["POST", "/v2/jobs/run", undefined],
    ["PUT", "/v2/jobs/run", undefined],
    ["GET", "/v2/jobs/nothing", undefined],
    ["GET", "/v2/jobs/status/1/", undefined],
    ["POST", "/v2/ruled/search/all", undefined],
    ["POST", "/v2/ruled/other", undefined],
    ["GET", "/any/thing/x", undefined],
    ["GET", "/any/llm/x", undefined],
    ["GET", "/v2/nobody/x", undefined],
    ["GET", "/v2/llm//x", undefined],
    ["GET", "/v2/llm/%2e%2e/x", undefined],
    ["TRACE", "/v2/llm/models", undefined],
    ["POST", "/graphql", QUERY],
    ["POST", "/graphql", MUTATION],
    ["POST", "/graphql", `${QUERY} }`],
    ["DELETE", "/graphql", undefined],
    ["GET", `/graphql?query=${encodeURIComponent(QUERY)}`, undefined],
    ["GET", `/graphql?query=${encodeURIComponent(MUTATION)}`, undefined],
  ])("%s %s %s", async (method, path, document) => {
    const { denial, access, operation } = await attempt({ method, path, ...(document && { document }) });
    const statuses = await Promise.all(
      (["none", "read", "read_write"] as const).map(async (held) => {
        const answer = await gateway.call(path, {
          method,
          headers: { authorization: `Bearer ${keys[held]}` },
          ...(document && { body: { query: document } }),
        });
        return answer.status;
      }),
    );
    if (denial === null) {
      expect(operation).toBe(access === "read" ? "read" : "write");
      expect(statuses).toEqual([403, access === "read" ? 200 : 403, 200]);
    } else {
      // The first access that gets as far as the refusal: GraphQL asks for some before it reads a document.
      expect(statuses[1]).toBe(denial.status);
      expect(denial.allow === null).toBe(denial.status !== 405);
    }
  });
});

test("an endpoint is named with its id, its tail, and what its document does", async () => {
  expect(await attempt({ method: "get", path: "/any/thing/a/b/" })).toMatchObject({
    endpoint: { id: "any", account_id: "acme", protocol: "http", path: "/any/*" },
    endpoint_id: "thing",
    tail: "/a/b/",
  });
  const document = "mutation { a: podStop } query { myself { id } pods { id } }";
  expect((await attempt({ method: "POST", path: "/graphql", document })).operations).toBeNull();
  const named = "mutation One { a: podStop } query Two { myself { id } pods { id } }";
  const { denial } = await attempt({ method: "POST", path: "/graphql", document: named });
  expect(denial).toMatchObject({ status: 400, code: "invalid_request" });
  expect(
    await attempt({ method: "POST", path: "/graphql", document: "query { myself { id } pods { id } }" }),
  ).toMatchObject({
    access: "read",
    operations: [{ type: "query", root_fields: ["myself", "pods"] }],
  });
});

test("what cannot be told is left open, and what is not asked of an origin is said so", async () => {
  const open = { access: null, operation: null, denial: null };
  expect(await attempt({ method: "POST", path: "/graphql" })).toMatchObject({
    ...open,
    endpoint_id: "graphql",
  });
  expect(await attempt({ method: "OPTIONS", path: "/v2/llm/models" })).toMatchObject(open);
  expect(await attempt({ method: "GET", path: "/v1/account/api-keys" })).toMatchObject({
    endpoint: null,
    denial: { status: 400, code: "path_reserved" },
  });
  expect(await attempt({ method: "GET", path: "/any/thing", websocket: true })).toMatchObject({
    operation: "write",
    access: "read_write",
  });
  expect(await attempt({ method: "GET", path: "/v2/jobs/health", websocket: true })).toMatchObject({
    operation: "read",
  });
});

test("it is for admins, and reads nothing else", async () => {
  expectDenial(await owner("POST", "/admin/try-path", { method: "GET", path: "/" }), 403, "forbidden");
  expectDenial(await admin("POST", "/admin/try-path", { method: "GET", path: "v2" }), 400, "invalid_request");
  expectDenial(
    await admin("POST", "/admin/try-path", { method: "GET", path: "/", key: "x" }),
    400,
    "invalid_request",
  );
});
