import net from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestKey } from "../harness/gateway.ts";
import type { Answer } from "../harness/http.ts";
import { startWorld, type World } from "../harness/world.ts";

// Requests that nobody sends in good faith, over raw sockets. The rule behind each is in docs/attacks.md.

let world: World;
let LIMITED: TestKey;
beforeAll(async () => {
  world = await startWorld();
  const { gateway, origin } = world;
  const mine = { account_id: "acme" };
  await gateway.createEndpoint({
    ...mine,
    id: "ruled",
    protocol: "http",
    origin: `${origin.url}/ruled`,
    operations: [{ method: "GET", path: "/admin/*", access: "write" }],
  });
  await gateway.createEndpoint({
    ...mine,
    id: "any",
    protocol: "serverless",
    path: "/any/*",
    origin: `${origin.url}/any`,
  });
  await gateway.createEndpoint({
    ...mine,
    id: "runpod",
    protocol: "graphql",
    origin: `${origin.url}/runpod`,
    allow_query_key: true,
  });
  LIMITED = await gateway.createKey({ permissions: { graphql: { queries: ["a"], mutations: ["stop"] } } });
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** Asserts that nothing reached the origin, and that the answer is one of these; 0 is a closed connection. */
function expectStopped(answer: Answer, ...statuses: number[]): void {
  expect(world.origin.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([]);
  expect(world.origin.broken).toEqual([]);
  expect(statuses).toContain(answer.status);
}

const send = (line: string, key: TestKey, headers: string[] = [], body: string | Uint8Array = "") =>
  world.gateway.raw(
    [
      `${line} HTTP/1.1`,
      `x-api-key: ${key.key}`,
      ...headers,
      ...(/^(GET|HEAD)/.test(line) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ],
    body,
  );

describe("paths", () => {
  it.each([
    ["an empty segment made by a path parameter", "GET /v2/ruled/;/admin/x"],
    ["the same, encoded", "GET /v2/ruled/%3bx/admin/x"],
    ["dots with a path parameter behind a job id", "POST /v2/epA/status/j1/..;/..;/run"],
    ["encoded dots with an encoded path parameter", "POST /v2/epA/%2e%2e%3bx/epB/run"],
    ["overlong UTF-8 dots", "POST /v2/epA/%c0%ae%c0%ae/epB/run"],
    ["an overlong UTF-8 slash", "POST /v2/epA%c0%afrun"],
    ["dots before an encoded NUL", "POST /v2/epA/..%00/epB/run"],
    ["IIS's %u encoding", "POST /v2/epA/%u002e%u002e/epB/run"],
    ["an encoded backslash", "POST /v2/epA/..%5cepB/run"],
    ["an encoded line break", "POST /v2/epA/status/j1%0d%0aHost:%20evil"],
    ["raw bytes beyond ASCII", "POST /v2/epA/r\xfcn"],
    ["a C1 control, encoded", "POST /v2/epA/status/a%c2%85b"],
    ["dots deep inside an encoded slash", "GET /v2/web/a%2f%2e%2e%2fb"],
  ])("%s: 400, nothing sent", async (_, line) => {
    expectStopped(await send(line, world.ALL), 400);
  });

  it.each([
    ["full-width dots and letters", "POST /v2/epA/%ef%bd%92un"],
    ["the long s, which folds to an s", "GET /v2/epA/%c5%bftatus/j1"],
    ["a path parameter on the operation", "POST /v2/epA/run;x=1"],
    ["a path parameter on the id", "POST /v2/epA;x/run"],
    ["the same, encoded", "POST /v2/epA%3bx/run"],
    ["a dot behind the id", "POST /v2/epA./run"],
    ["the wildcard itself as an id", "GET /any/*/health"],
    ["a name of JavaScript's own as an id", "GET /v2/__proto__/health"],
    ["an id that no endpoint may have, under a wildcard", "GET /any/__proto__/health"],
    ["an operation below an operation", "POST /v2/epA/run/run"],
    ["a tail on a GraphQL endpoint", "POST /graphql/x"],
    ["a job id and nothing behind an encoded question mark", "POST /v2/epA/run%3fx"],
  ])("%s: 404, nothing sent", async (_, line) => {
    expectStopped(await send(line, world.ALL), 404);
  });

  it.each(["/ADMIN/x", "/Admin/x", "/admin./x", "/admin%20/x", "/%41dmin/x", "/ADMIN%2Fx", "/Admin;a=b/x"])(
    "a rule for /admin/* holds for GET %s too, which forgiving origins route alike",
    async (path) => {
      const reader = await world.gateway.createKey({ permissions: { inference: "read" } });
      expectStopped(await send(`GET /v2/ruled${path}`, reader), 403);
      expect((await send("GET /v2/ruled/administrator", reader)).status).toBe(200);
    },
  );

  it("a fragment in the request line is cut off before anything is matched", async () => {
    const answer = await send("GET /v2/epA/health#/../../epB/run", world.RO);
    if (answer.status === 200) expect(world.origin.only.target).toBe("/a/health");
    else expectStopped(answer, 400);
  });

  it.each([
    ["another host", "http://evil.test/v2/epA/health"],
    ["user information", "http://user:pass@evil.test/v2/epA/health"],
    ["no scheme", "//evil.test/v2/epA/health"],
    ["another scheme", "ftp://evil.test/v2/epA/health"],
  ])("a whole URL as the target, with %s, leads nowhere else", async (_, target) => {
    const answer = await send(`GET ${target}`, world.RO);
    if (answer.status !== 200) return expectStopped(answer, 0, 400, 404, 421, 501);
    expect(world.origin.only.target).toBe("/a/health");
    expect(JSON.stringify(world.origin.only.headers)).not.toContain("evil");
  });

  it.each(["OPTIONS *", "GET *", "PRI *", "CONNECT evil.test:443", "CONNECT /v2/epA/run"])(
    "the target of %j reaches nothing",
    async (line) => {
      expectStopped(await send(line, world.ALL), 0, 204, 400, 404, 405, 500, 501);
    },
  );
});

describe("methods", () => {
  it.each([
    ["HEAD of a read that is a GET or a POST", "HEAD /v2/epA/status/j1"],
    ["DELETE of a job", "DELETE /v2/epA/status/j1"],
    ["PUT of a run", "PUT /v2/epA/run"],
    ["HEAD to GraphQL", "HEAD /graphql?query={a}"],
    ["DELETE to GraphQL", "DELETE /graphql?query={a}"],
    ["PUT to GraphQL, which reserves a stream elsewhere", "PUT /graphql"],
  ])("%s: 405, nothing sent", async (_, line) => {
    expectStopped(await send(line, world.ALL), 405);
  });

  it("a method named in the query or a header stays a name: what arrives is the GET", async () => {
    const override = ["X-HTTP-Method: POST", "X-Method-Override: POST", "X_HTTP_METHOD_OVERRIDE: POST"];
    expect((await send("GET /v2/epA/status/j1?_method=POST&method=DELETE", world.RO, override)).status).toBe(
      200,
    );
    expect(world.origin.only.method).toBe("GET");
    expect(world.origin.only.headers.filter(([name]) => /method/i.test(name))).toEqual([]);
  });
});

describe("credentials", () => {
  const present = (...headers: string[]) => world.gateway.raw(["GET /v2/epA/health HTTP/1.1", ...headers]);

  it.each<[string, (key: string) => string[]]>([
    ["two keys in one Authorization", (key) => [`Authorization: Bearer ${key}, Bearer ${key}`]],
    ["a parameter behind the key", (key) => [`Authorization: Bearer ${key}; x=y`]],
    ["a tab for the space", (key) => [`Authorization: Bearer\t${key}`]],
    ["a comma behind the key", (key) => [`x-api-key: ${key},`]],
    ["the key twice in one header", (key) => [`x-api-key: ${key} ${key}`]],
    ["a third scheme beside the first", (key) => [`Authorization: Basic ${key}`]],
  ])("%s: 400, though the key is good", async (_, headers) => {
    expectStopped(await present(...headers(world.RW.key)), 400);
  });

  it.each<[string, (key: string) => string[]]>([
    ["a key in quotes", (key) => [`Authorization: Bearer "${key}"`]],
    ["a key in a WebSocket subprotocol", (key) => [`Sec-WebSocket-Protocol: ${key}`]],
    ["a key in a header with an underscore", (key) => [`x_api_key: ${key}`]],
    ["a key in X-Authorization", (key) => [`X-Authorization: Bearer ${key}`]],
    ["a key in Authentication-Info", (key) => [`Authentication-Info: ${key}`]],
    ["a key cut by one character", (key) => [`x-api-key: ${key.slice(0, -1)}`]],
    ["a key with one more character", (key) => [`x-api-key: ${key}0`]],
    ["a key in percent-encoding", (key) => [`x-api-key: %${key.charCodeAt(0).toString(16)}${key.slice(1)}`]],
  ])("%s: 401, though the key is good", async (_, headers) => {
    expectStopped(await present(...headers(world.RW.key)), 401);
  });

  it.each(["API_KEY", "api_key[]", "api_key%00", "api-key", "%20api_key", "access_token", "token"])(
    "?%s= is no query key, where query keys are allowed",
    async (name) => {
      const line = `POST /graphql/runpod?${name}=${world.GW.key} HTTP/1.1`;
      const body = '{"query":"{a}"}';
      const headers = ["Content-Type: application/json", `Content-Length: ${body.length}`];
      expectStopped(await world.gateway.raw([line, ...headers], body), 400, 401);
    },
  );

  it("a stream's token is no key", async () => {
    const headers = ["X-GraphQL-Event-Stream-Token: abc", "Content-Length: 0"];
    expectStopped(await world.gateway.raw(["POST /graphql?token=abc HTTP/1.1", ...headers]), 401);
  });

  it("a key as a path parameter is 400, and in no log", async () => {
    expectStopped(await send(`GET /v2/web/x;api_key=${world.ALL.key}`, world.ALL), 400);
  });
});

describe("framing", () => {
  it.each<[string, string[]]>([
    ["a signed length", ["Content-Length: +3"]],
    ["a negative length", ["Content-Length: -1"]],
    ["a hexadecimal length", ["Content-Length: 0x3"]],
    ["a length of no digits", ["Content-Length: "]],
    ["a length beyond 64 bits", ["Content-Length: 99999999999999999999"]],
    ["two lengths in one header", ["Content-Length: 3, 4"]],
    ["chunked before another coding", ["Transfer-Encoding: chunked, gzip"]],
    ["a coding nobody knows", ["Transfer-Encoding: cow"]],
    ["a length with a space before the colon", ["Content-Length : 3"]],
    ["a coding behind a tab before the colon", ["Transfer-Encoding\t: chunked"]],
  ])("%s never arrives as two requests", async (_, headers) => {
    const smuggled = "GET /v2/epB/health HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await world.gateway.raw(
      ["POST /v2/epA/run HTTP/1.1", `x-api-key: ${world.RW.key}`, ...headers],
      `abc${smuggled}`,
    );
    expect(answer.status === 0 || answer.status >= 200).toBe(true);
    expect(world.origin.requests.filter(({ target }) => target !== "/a/run")).toEqual([]);
    expect(world.origin.broken).toEqual([]);
    for (const { body } of world.origin.requests) expect(body.toString()).not.toContain("epB");
  });

  it.each([
    ["a size in no digits", "zz\r\nabc\r\n0\r\n\r\n"],
    ["a size of 17 digits", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"],
    ["a signed size", "-3\r\nabc\r\n0\r\n\r\n"],
    ["data longer than its size", "1\r\nabc\r\n0\r\n\r\n"],
    ["a body that ends early", "5\r\nabc"],
  ])("a chunk with %s is never passed on as a whole body", async (_, body) => {
    const answer = await Promise.race([
      world.gateway.raw(
        [
          "POST /graphql HTTP/1.1",
          `x-api-key: ${world.GR.key}`,
          "Content-Type: application/json",
          "Transfer-Encoding: chunked",
        ],
        body,
      ),
      new Promise<null>((done) => setTimeout(() => done(null), 300)),
    ]);
    if (answer !== null) expect([0, 400]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });

  it("trailers are not headers: nothing in them reaches the origin", async () => {
    const answer = await world.gateway.raw(
      [
        "POST /v2/epA/run HTTP/1.1",
        `x-api-key: ${world.RW.key}`,
        "Transfer-Encoding: chunked",
        "Trailer: x-postern-key-id, x-api-key",
      ],
      "3\r\nabc\r\n0\r\nx-postern-key-id: admin\r\nx-api-key: other\r\nhost: evil.test\r\n\r\n",
    );
    expect(answer.status).toBe(200);
    expect(world.origin.only.header("x-postern-key-id")).toBe(world.RW.id);
    expect(world.origin.only.header("x-api-key")).toBeUndefined();
    expect(world.origin.only.body.toString()).toBe("abc");
  });

  it("a body that was refused unread is not read as the next request", async () => {
    const inner = `POST /v2/epA/run HTTP/1.1\r\nHost: x\r\nx-api-key: ${world.RW.key}\r\nContent-Length: 0\r\n\r\n`;
    const answer = await world.gateway.raw(
      ["POST /v2/epA/run HTTP/1.1", "x-api-key: nobody", `Content-Length: ${inner.length}`],
      inner,
    );
    expectStopped(answer, 401);
  });

  it("requests on one connection are judged each by its own key", async () => {
    const { port } = world.gateway;
    const one = (key: string, close: string) =>
      `GET /v2/epA/health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nx-api-key: ${key}\r\nConnection: ${close}\r\n\r\n`;
    const text = await new Promise<string>((done, failed) => {
      const socket = net.connect(port, "127.0.0.1", () =>
        socket.write(
          one(world.RW.key, "keep-alive") + one("nobody", "keep-alive") + one(world.NONE.key, "close"),
        ),
      );
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString();
      });
      socket.on("end", () => done(received));
      socket.on("error", failed);
    });
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 401", "HTTP/1.1 403"]);
    expect(world.origin.requests).toHaveLength(1);
  });

  it.each<[string, string[]]>([
    ["a NUL in a header", ["x-a: b\0c"]],
    ["a bare CR in a header", ["x-a: b\rx-postern-key-id: admin"]],
    ["a header without a name", [": x"]],
    ["a header without a colon", ["x-postern-key-id admin"]],
    ["a folded header", ["x-a: b", " x-postern-key-id: admin"]],
    ["a space in a header's name", ["x postern-key-id: admin"]],
  ])("%s is refused, or stays one value", async (_, headers) => {
    const answer = await send("GET /v2/epA/health", world.RW, headers);
    if (answer.status !== 200) return expectStopped(answer, 0, 400);
    expect(world.origin.only.all("x-postern-key-id")).toEqual([world.RW.id]);
  });

  it.each(["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTQ/1.1", ""])(
    "version %j is refused, or judged like any other",
    async (version) => {
      const line = `GET /v2/epB/health ${version}`.trimEnd();
      const answer = await world.gateway.raw([line, `x-api-key: ${world.RO.key}`]);
      expectStopped(answer, 0, 400, 403, 505);
    },
  );
});

describe("GraphQL", () => {
  const JSON_TYPE = "Content-Type: application/json";
  const post = (body: string, key = world.GR, target = "/graphql", type = JSON_TYPE) =>
    send(`POST ${target}`, key, [type], Buffer.from(body));
  const body = () => world.origin.only.body.toString();

  it.each(["id", "documentId", "doc_id", "queryId", "hash", "ID", "operationId", "%69d"])(
    "a stored document named by ?%s= beside an inspected one is taken out of the URL",
    async (name) => {
      expect((await post('{"query":"{a}"}', world.GR, `/graphql?${name}=abc&x=1`)).status).toBe(200);
      expect(world.origin.only.target).toBe("/gql?x=1");
      world.origin.clear();
      expect((await send(`GET /graphql?query={a}&${name}=abc&x=1`, world.GR)).status).toBe(200);
      expect(world.origin.only.target).toBe("/gql?x=1&query=%7Ba%7D");
    },
  );

  it.each([
    "/graphql?id=abc",
    "/graphql?documentId=abc",
    "/graphql?extensions=%7B%22persistedQuery%22:%7B%7D%7D",
  ])("a stored document alone, by GET %s, is asked for instead", async (target) => {
    const answer = await send(`GET ${target}`, world.GR);
    expectStopped(answer, 200);
    expect(answer.json.errors[0].extensions.code).toBe("PERSISTED_QUERY_NOT_SUPPORTED");
  });

  it.each([
    ["a second charset", "Content-Type: application/json; charset=utf-8; charset=utf-16"],
    ["a charset in a list", 'Content-Type: application/json; charset="utf-8, utf-7"'],
    ["a subtype that ends in +json", "Content-Type: application/graphql+json"],
    ["a type within a type", "Content-Type: application/json application/x-www-form-urlencoded"],
    ["a form hidden in a parameter", "Content-Type: application/json; a=application/x-www-form-urlencoded"],
  ])("%s: 415, nothing sent", async (_, type) => {
    expectStopped(await post('{"query":"{a}"}', world.GR, "/graphql", type), 415);
  });

  it.each([
    ["a member spelled with an escape beside itself", '{"query":"{a}","\\u0071uery":"mutation{b}"}'],
    [
      "a line separator that ends some comments",
      '{"query":"query A{a} #\u2028mutation B{b}","operationName":"A"}',
    ],
    ["a NUL that ends some strings", '{"query":"query A{a} #\\u0000\\nmutation B{b}","operationName":"B"}'],
    ["a lone surrogate in the document", '{"query":"{a \ud800}"}'],
    ["text behind the body", '{"query":"{a}"} {"query":"mutation{b}"}'],
    ["a comment in the JSON", '{"query":"{a}"/*,"x":"*/}'],
    ["two values for one variable", '{"query":"{a}","variables":{"v":1,"v":2}}'],
    ["a document in an array", '{"query":["mutation{b}"]}'],
    ["an array in an array", '[[{"query":"{a}"}]]'],
    ["an operation named twice", '{"query":"query A{a} mutation A{b}","operationName":"A"}'],
    ["a fragment named twice", '{"query":"query A{...F} fragment F on Query{a} fragment F on Mutation{b}"}'],
    ["an anonymous operation beside a named one", '{"query":"{a} mutation B{b}","operationName":"B"}'],
    ["a schema beside a query", '{"query":"{a} schema{query:Mutation}"}'],
    ["operationName of another type", '{"query":"query A{a}","operationName":["A"]}'],
  ])("%s: 400, nothing sent", async (_, text) => {
    expectStopped(await post(text), 400);
  });

  it.each([
    "?query={a}&query=mutation{b}",
    "?Query={a}",
    "?query[]={a}",
    "?query={a};query=mutation{b}",
    "?query={a}&%71uery=mutation{b}",
    "?%71uery%00={a}",
    "?query=%ff",
    "?query={a}&variables={&operationName=A",
  ])("GET %s: 400, nothing sent", async (query) => {
    expectStopped(await send(`GET /graphql${query}`, world.GR), 400);
  });

  it("members that differ in case, or that nobody knows, are left out of what is forwarded", async () => {
    const text =
      '{"Query":"mutation{b}","QUERY":"mutation{b}","query":"{a}","id":"abc","doc_id":"x","operationname":"B"}';
    expect((await post(text)).status).toBe(200);
    expect(body()).toBe('{"query":"{a}"}');
  });

  it.each([
    ["an alias of an unlisted field", "{a:secret}"],
    ["a listed field's name as the alias", "{x:a a:secret}"],
    ["an inline fragment", "{a ... on Query{secret}}"],
    ["a fragment in a fragment", "{...F} fragment F on Query{a ...G} fragment G on Query{secret}"],
    ["a skipped field, skipped only by a variable", "query($no:Boolean!){a secret @skip(if:$no)}"],
    ["introspection", "{a __schema{types{name}}}"],
    ["an unlisted mutation beside a listed one", "mutation{stop start}"],
    ["an unlisted mutation behind a listed name", "mutation{stop:start}"],
    ["a subscription to a listed name", "subscription{a}"],
  ])("a key limited to named fields is 403 for %s", async (_, query) => {
    expectStopped(await post(JSON.stringify({ query }), LIMITED), 403);
  });

  it("and may have the listed ones, under any alias", async () => {
    expect((await post('{"query":"{x:a y:a}"}', LIMITED)).status).toBe(200);
    expect((await post('{"query":"mutation{now:stop}"}', LIMITED)).status).toBe(200);
  });
});
