import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

  test("hold no API key, whatever its escapes: not as a name, not as a member's name", async () => {
    const { json: made } = await owner("POST", KEYS, { name: "n", scopes: { all: true } });
    gateway.secrets.push(made.key);
    const stray = gateway.strayKey();
    const scopes = { all: true };
    const escaped = `\\u${made.key.charCodeAt(0).toString(16).padStart(4, "0")}${made.key.slice(1)}`;
    for (const answer of [
      await owner("POST", KEYS, { name: made.key, scopes }),
      await owner("POST", KEYS, { name: `x${stray}`, scopes }),
      await post(`{"name":"n ${escaped}","scopes":{"all":true}}`),
      await post(`{"name":"n","${escaped}":1}`),
      await owner("PATCH", `${KEYS}/${made.id}`, { name: made.key }),
      await owner("POST", "/v1/account/permission-templates", { name: "t", description: made.key, scopes }),
      await owner("PUT", "/admin/accounts/acme", { name: made.key }),
    ]) {
      expectDenial(answer, 400, "invalid_request");
      expect(answer.json.detail).toBe("The body holds an API key");
    }
    for (const [path, body] of [
      [`/admin/accounts/${stray}`, { name: "n" }],
      [`/admin/members/${stray}@x.test`, { accounts: [] }],
    ] as const) {
      const answer = await owner("PUT", path, body);
      expectDenial(answer, 400, "invalid_request");
      expect(answer.json.detail).toBe("The URL holds an API key");
    }
    // What is no key, only looks like one, is a name.
    const name = `${made.key.slice(0, -2)}`;
    expect((await owner("POST", KEYS, { name, scopes })).status).toBe(201);
  });

  test("are empty where a route takes none", async () => {
    const { json: key } = await owner("POST", KEYS, { name: "n", scopes: { all: true } });
    const path = `${KEYS}/${key.id}/revoke`;
    const send = (body: string, type = "application/json") =>
      gateway.call(path, { method: "POST", body, headers: { ...headers, "content-type": type } });
    for (const body of ['{"x":1}', "garbage", "[]", "false", "null null", "{} {}"]) {
      expectDenial(await send(body), 400, "invalid_request");
    }
    expectDenial(await send("x=1", "application/x-www-form-urlencoded"), 400, "invalid_request");
    expectDenial(await send(" ".repeat(300_000)), 413, "body_too_large");
    expect((await owner("GET", `${KEYS}/${key.id}`)).json.status).toBe("active");
    for (const body of ["", "{ }\n", "null"]) expect((await send(body)).status).toBe(200);
    const removed = await owner("DELETE", "/v1/account/permission-templates/none", { x: 1 });
    expectDenial(removed, 400, "invalid_request");
  });

  test("are bounded", async () => {
    expectDenial(await post(`{"name":"${"x".repeat(300_000)}"}`), 413, "body_too_large");
  });
});
