import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDenial, expectRefused } from "../harness/denied.ts";
import { startWorld, type World } from "../harness/world.ts";

// The rows of spec 2.8 that a request alone can reach. 502 and 504 are in responses.test.ts, 414 and 431
// in paths.test.ts, 421 in hosts.test.ts, 503 in state.test.ts; the management's own are with its tests.

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const REFUSED = "Missing, invalid, revoked, or expired API key";

describe("a denial (spec 2.8)", () => {
  it("reads, word for word, as the spec's example", async () => {
    const answer = await world.gateway.call("/v2/epA/health");
    expect(answer.json).toEqual({
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      detail: REFUSED,
      error: {
        code: "invalid_api_key",
        message: REFUSED,
        type: "authentication_error",
        request_id: answer.headers["x-request-id"],
      },
    });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  });

  it("meets any client at the bare address; only a browser that opens it is shown to the console", async () => {
    const { gateway, origin, ALL } = world;
    const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    const shown = await gateway.call("/", { headers: { accept: browser } });
    expect([shown.status, shown.headers.location, shown.text]).toEqual([303, "/console", ""]);
    expect(shown.headers).toMatchObject({ "cache-control": "no-store", vary: "accept" });
    expect(await gateway.logOf(shown.headers["x-request-id"]!)).toMatchObject({ status: 303 });

    const refused: [path: string, headers: Record<string, string>, method?: string][] = [
      ["/", {}],
      ...["*/*", "application/json", "application/json, text/plain, */*", "text/html;q=0.8, application/json"]
        .concat("text/html;q=0", "text/html;q=x", "text/htmlx", "")
        .map((accept): [string, Record<string, string>] => ["/", { accept }]),
      ["/", { accept: browser }, "POST"],
      ["/", { accept: browser, authorization: "Bearer nonsense" }],
      ["/", { accept: browser, "x-api-key": "nonsense" }],
      ["/?api_key=nonsense", { accept: browser }],
      ["/x", { accept: browser }],
      ["/v2/epA/health", { accept: browser }],
    ];
    for (const [path, headers, method = "GET"] of refused) {
      const answer = await gateway.call(path, { method, headers });
      expectRefused(answer, 401, "invalid_api_key", origin);
    }
    const known = await gateway.call("/", { headers: { accept: browser, ...ALL.bearer } });
    expectRefused(known, 404, "endpoint_not_found", origin);
  });

  it("of a key that was presented says so in the challenge", async () => {
    const answer = await world.gateway.call("/v2/epA/health", { headers: { "x-api-key": "nonsense" } });
    expectRefused(answer, 401, "invalid_api_key", world.origin);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern", error="invalid_token"');
  });

  it("of access says which is needed where", async () => {
    const answer = await world.gateway.call("/v2/epA/run", { method: "POST", headers: world.RO.bearer });
    expectRefused(answer, 403, "insufficient_scope", world.origin);
    expect(answer.json.detail).toBe("This API key needs read_write access on endpoint epA");
    expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_scope"');
    const none = await world.gateway.call("/v2/epA/health", { headers: world.NONE.bearer });
    expect(none.json.detail).toBe("This API key needs read access on endpoint epA");
  });

  it("of a method says which are allowed", async () => {
    const answer = await world.gateway.call("/v2/epA/run", { headers: world.RW.bearer });
    expectRefused(answer, 405, "method_not_allowed", world.origin);
    expect(answer.headers.allow).toBe("POST, OPTIONS");
  });

  it("of a management route without a session is 401 Missing access token, also with an API key", async () => {
    for (const path of ["/v1/account/api-keys", "/admin/accounts"]) {
      for (const headers of [{}, world.ALL.bearer, { "x-api-key": world.ALL.key }] as Record<
        string,
        string
      >[]) {
        const answer = await world.gateway.call(path, { headers });
        expectRefused(answer, 401, "missing_access_token", world.origin);
        expect(answer.json.detail).toBe("Missing access token");
      }
    }
  });

  it("to HEAD has status and headers, and no body", async () => {
    const answer = await world.gateway.call("/v2/web/x", { method: "HEAD" });
    expect([answer.status, answer.text, answer.headers["content-type"]]).toEqual([
      401,
      "",
      "application/problem+json",
    ]);
  });

  it("leaves the body of a large upload unread, and the connection usable or closed", async () => {
    const answer = await world.gateway
      .call("/v2/epA/run", { method: "POST", headers: world.RO.bearer, body: Buffer.alloc(8 * 1024 * 1024) })
      .catch((error: NodeJS.ErrnoException) => error.code ?? String(error));
    if (typeof answer === "string") expect(["EPIPE", "ECONNRESET"]).toContain(answer);
    else expectDenial(answer, 403, "insufficient_scope");
    expect(world.origin.requests).toEqual([]);
  });

  it("never repeats what the client sent", async () => {
    for (const path of ["/v2/<script>/x", "/v2/%3Cscript%3E/x", "/v2/nowhere-needle/x", "/v2/epA/needle"]) {
      const answer = await world.gateway.call(path, {
        headers: { ...world.ALL.bearer, "x-request-id": "needle" },
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toMatch(/script|needle/);
    }
  });
});

describe("a denial on a GraphQL endpoint", () => {
  const post = (headers: Record<string, string>, body: object = { query: "mutation { a }" }) =>
    world.gateway.call("/graphql", { method: "POST", headers, body });

  it("has errors that GraphQL clients read, as application/json", async () => {
    const answer = await post(world.GR.bearer);
    expectRefused(answer, 403, "insufficient_scope", world.origin);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json.errors).toEqual([
      {
        message: "This API key needs read_write access on endpoint graphql (GraphQL)",
        extensions: { code: "insufficient_scope" },
      },
    ]);
    expect(answer.json.error.code).toBe("insufficient_scope");
  });

  it("is application/graphql-response+json where the client accepts that", async () => {
    const accept = "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8";
    const answer = await post({ ...world.GR.bearer, accept });
    expectRefused(answer, 403, "insufficient_scope", world.origin);
    expect(answer.headers["content-type"]).toBe("application/graphql-response+json");
  });

  it("has them also before the key is known", async () => {
    for (const headers of [{}, { authorization: "Bearer nonsense" }] as Record<string, string>[]) {
      const answer = await post(headers);
      expectRefused(answer, 401, "invalid_api_key", world.origin);
      expect(answer.json.errors[0].message).toBe(REFUSED);
      expect(answer.headers["content-type"]).toBe("application/json");
    }
  });

  it("has them for every status", async () => {
    for (const [status, code, path, call] of [
      [400, "invalid_request", "/graphql", { method: "POST", body: { query: "{" } }],
      [400, "invalid_request", "/graphql/", { method: "POST", body: { query: "{a}" } }],
      [404, "not_found", "/graphql/sub", { method: "POST", body: { query: "{a}" } }],
      [405, "method_not_allowed", "/graphql", { method: "PUT", body: "x" }],
      [405, "method_not_allowed", "/graphql?query=mutation{a}", {}],
      [413, "body_too_large", "/graphql", { method: "POST", body: { query: "#".repeat(1024 * 1024) } }],
      [415, "unsupported_media_type", "/graphql", { method: "POST", body: "{a}" }],
    ] as const) {
      const answer = await world.gateway.call(path, { ...call, headers: world.GR.bearer });
      expectRefused(answer, status, code, world.origin);
      expect([path, Array.isArray(answer.json.errors)]).toEqual([path, true]);
    }
  });

  it("has none elsewhere", async () => {
    expect((await world.gateway.call("/v2/epA/health")).json.errors).toBeUndefined();
  });
});

describe("the gateway's own routes", () => {
  it("GET /healthz is 200 for everyone, and nothing else is", async () => {
    const answer = await world.gateway.call("/healthz");
    expect([answer.status, answer.json.status]).toEqual([200, "ok"]);
    expect(answer.headers["x-request-id"]).toMatch(/./);
  });

  it("GET /v1/key says what the key may do, and nothing secret", async () => {
    const answer = await world.gateway.call("/v1/key", { headers: world.RO.bearer });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      name: "test",
      prefix: expect.stringMatching(/^pst_live_.{5}$/),
      environment: "production",
      permissions: {
        graphql: "none",
        inference: { endpoints: { epA: "read" } },
        kubernetes_exec: "none",
      },
      expires_at: null,
    });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it("GET /v1/key is 401 without a good key, and takes none from the URL", async () => {
    for (const [path, headers] of [
      ["/v1/key", {}],
      ["/v1/key", { "x-api-key": world.gateway.strayKey() }],
      [`/v1/key?api_key=${world.RO.key}`, {}],
    ] as const) {
      expectDenial(await world.gateway.call(path, { headers }), 401, "invalid_api_key");
    }
  });

  it("an endpoint registered on one of them is never reached", async () => {
    const { gateway, origin } = world;
    await gateway.createEndpoint({
      id: "thief",
      account_id: "acme",
      path: "/admin",
      origin: `${origin.url}/thief`,
    });
    const answer = await gateway.call("/admin/accounts", { headers: world.ALL.bearer });
    expectRefused(answer, 401, "missing_access_token", origin);
  });
});
