import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectRefused } from "../harness/denied.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

/** Sends a request line as written, with the key `ALL`: only the path can be what refuses it. */
const send = (line: string, key = world.ALL.key) =>
  world.gateway.raw([`${line} HTTP/1.1`, `x-api-key: ${key}`, "Content-Length: 0"]);

describe("refused before anything is matched, with 400 (spec 2.3)", () => {
  it.each([
    ["dot segments to another endpoint", "POST /v2/epA/../epB/run"],
    ["a dot segment", "POST /v2/epA/./run"],
    ["dot segments at the end", "POST /v2/epA/run/.."],
    ["a dot segment at the start", "POST /./v2/epA/run"],
    ["encoded dots", "POST /v2/epA/%2e%2e/epB/run"],
    ["encoded dots in capitals", "POST /v2/epA/%2E%2E/epB/run"],
    ["half encoded dots", "POST /v2/epA/.%2e/epB/run"],
    ["an encoded single dot", "POST /v2/epA/%2e/run"],
    ["backslashes", "POST /v2/epA\\..\\epB/run"],
    ["an encoded backslash", "POST /v2/epA%5c..%5cepB/run"],
    ["an empty segment at the start", "POST //v2/epA/run"],
    ["an empty segment in the prefix", "POST /v2//epA/run"],
    ["an empty segment in the tail", "POST /v2/epA//run"],
    ["two trailing slashes", "POST /v2/web/x//"],
    ["an encoded slash and dots through a job id", "POST /v2/epA/status/%2e%2e%2frun"],
    ["dots after an encoded slash", "POST /v2/epB%2f..%2fepA/run"],
    ["an encoded slash that makes an empty part", "GET /v2/web/a%2f%2fb"],
    ["an encoded slash at the end of a segment", "GET /v2/web/a%2f/b"],
    ["an encoded slash at the end of the path", "GET /v2/web/a%2f"],
    ["dot segments through a job id, deeper", "POST /v2/epA/status/j1/../../run"],
    ["dots in a model name", "GET /v2/epA/openai/v1/models/%2e%2e%2f%2e%2e%2frun"],
    ["an encoded NUL", "POST /v2/epA/run%00"],
    ["an encoded newline", "POST /v2/epA/run%0a"],
    ["an encoded DEL", "POST /v2/epA/run%7f"],
    ["a cut percent-encoding", "POST /v2/epA/run%"],
    ["a percent-encoding of one digit", "POST /v2/epA/run%2"],
    ["a percent-encoding that is none", "POST /v2/epA/run%zz"],
    ["an overlong slash", "POST /v2/epA/%c0%af"],
    ["bytes that are not UTF-8", "GET /v2/web/%ff"],
    ["an encoded C1 control character", "GET /v2/web/%c2%85"],
    ["dots with a path parameter", "GET /v2/web/..;/admin"],
    ["encoded dots with a path parameter", "GET /v2/web/%2e%2e;x=1/admin"],
    ["dots before an encoded path parameter", "GET /v2/web/..%3b/admin"],
  ])("%s", async (_, line) => {
    expectRefused(await send(line), 400, "invalid_request", world.origin);
  });

  it.each([
    ["characters that URLs must encode", "GET /v2/web/<a>"],
    ["a quote", 'GET /v2/web/"a"'],
    ["a backtick", "GET /v2/web/`a`"],
    ["bytes beyond ASCII", "GET /v2/web/\xe9"],
    ["UTF-8 as it is", "GET /v2/web/\xc3\xa9"],
    ["a control character", "GET /v2/web/a\x01b"],
    ["a tab", "GET /v2/web/a\tb"],
    ["a NUL", "GET /v2/web/a\0b"],
    ["a space", "GET /v2/web/a b"],
    ["no slash in front", "GET v2/web/a"],
    ["an asterisk", "GET *"],
  ])("%s, here or by the runtime", async (_, line) => {
    const answer = await send(line);
    expect(answer.status).toBe(400);
    expect(world.origin.requests).toEqual([]);
  });

  it("a control character or a quote-breaking byte in the query, here or by the runtime", async () => {
    for (const line of [
      "GET /v2/web/a?b\x01",
      "GET /v2/web/a?b\xe9",
      "GET /v2/web/a?b\x7f",
      "GET /v2/web/a?b c",
    ]) {
      expect((await send(line)).status).toBe(400);
      expect(world.origin.requests).toEqual([]);
    }
  });

  it("also where there is no valid key, or none", async () => {
    const answer = await world.gateway.raw(["POST /v2/epA/../epB/run HTTP/1.1", "Content-Length: 0"]);
    expect([400, 401]).toContain(answer.status);
    expect(world.origin.requests).toEqual([]);
  });
});

describe("an encoded slash", () => {
  it("is refused everywhere on serverless endpoints but in a model's name", async () => {
    for (const line of [
      "POST /v2/epA%2frun",
      "GET /v2/epA/status%2fj1",
      "GET /v2/epA/status/j1%2fx",
      "GET /v2/epA/openai%2fv1/models",
      "GET /v2/epA/openai/v1%2fmodels/x",
      "POST /v2/epA/openai/v1/chat%2fcompletions",
      "GET /v2/epA/batch/b%2frequests",
    ]) {
      const answer = await send(line);
      expect([line, [400, 404].includes(answer.status)]).toEqual([line, true]);
      expect(world.origin.requests).toEqual([]);
    }
  });

  it("in a model's name arrives byte for byte, as the openai client sends it", async () => {
    const tail = "openai/v1/models/mistralai%2FMistral-7B%2fv0.1";
    expect((await send(`GET /v2/epA/${tail}`, world.RO.key)).status).toBe(200);
    expect(world.origin.only.target).toBe(`/a/${tail}`);
  });

  it("in the tail of http and openai endpoints arrives byte for byte", async () => {
    expect((await send("GET /v2/web/files/a%2Fb%2fc/d")).status).toBe(200);
    expect(world.origin.only.target).toBe("/web/files/a%2Fb%2fc/d");
    world.origin.clear();
    expect((await send("GET /v2/llm/models/org%2Fname")).status).toBe(200);
    expect(world.origin.only.target).toBe("/v1/models/org%2Fname");
  });

  it("never joins a prefix to a tail", async () => {
    for (const line of ["GET /v2%2fweb/x", "GET /v2/web%2fx", "GET /v2%2Fweb%2Fx"]) {
      expectRefused(await send(line), 404, "endpoint_not_found", world.origin);
    }
  });
});

describe("what is legal arrives upstream byte for byte", () => {
  it.each([
    ["escapes that need not be", "/files/%41%7e-%2a"],
    ["UTF-8, encoded", "/caf%C3%A9/%e2%82%ac"],
    ["every character a path may hold", "/a-._~!$&'()*+,;=:@b"],
    ["dots that are no dot segment", "/.../.hidden/a..b/..."],
    ["a segment of a dot and more", "/.well-known/%2ehidden"],
    ["a percent sign, encoded twice", "/%252e%252e%252f"],
    ["a trailing slash", "/dir/"],
    ["a query with everything in it", "/x?a=b&a=c&&=&q=%20+%zz;[]{}|^`\\/?..//:@"],
    ["an empty query's value", "/x?a="],
  ])("%s", async (_, tail) => {
    const answer = await send(`GET /v2/web${tail}`);
    expect(answer.status).toBe(200);
    expect(world.origin.only.target).toBe(`/web${tail}`);
  });

  it("but for what browsers send bare in a path, and fetch in part encodes", async () => {
    expect((await send("GET /v2/web/items[0]/{a}|b^c")).status).toBe(200);
    expect(decodeURIComponent(world.origin.only.target)).toBe("/web/items[0]/{a}|b^c");
  });

  it("but an apostrophe in a query arrives as %27, which fetch makes of it and means the same", async () => {
    expect((await send("GET /v2/web/x?q='a'")).status).toBe(200);
    expect(world.origin.only.target).toBe("/web/x?q=%27a%27");
  });

  it("the endpoint itself, without a tail, is the origin's own URL", async () => {
    expect((await send("GET /v2/web")).status).toBe(200);
    expect(world.origin.only.target).toBe("/web");
    world.origin.clear();
    expect((await send("GET /v2/web?x=1")).status).toBe(200);
    expect(world.origin.only.target).toBe("/web?x=1");
    world.origin.clear();
    expect((await send("GET /v2/web/")).status).toBe(200);
    expect(world.origin.only.target).toBe("/web/");
  });
});

describe("nothing is folded, decoded or forgiven on the way to a decision", () => {
  it.each([
    ["an operation in capitals", "POST /v2/epA/RUN"],
    ["an operation with a dot behind it", "POST /v2/epA/run."],
    ["an operation with a space behind it", "POST /v2/epA/run%20"],
    ["an operation with a path parameter", "POST /v2/epA/run;x=1"],
    ["an operation with an encoded letter", "POST /v2/epA/r%75n"],
    ["an operation with something below it", "POST /v2/epA/run/now"],
    ["an unknown operation", "GET /v2/epA/unknown-op"],
    ["no operation", "GET /v2/epA"],
    ["a job without an id", "GET /v2/epA/status"],
  ])("%s is 404", async (_, line) => {
    expectRefused(await send(line), 404, "not_found", world.origin);
  });

  it.each([
    ["a prefix in capitals", "POST /V2/epA/run"],
    ["an id in capitals", "POST /v2/EPA/run"],
    ["an id with an encoded letter", "POST /v2/ep%41/run"],
    ["a prefix alone", "GET /v2"],
    ["the root", "GET /"],
    ["an id that goes on", "POST /v2/epAx/run"],
    ["names every object has", "GET /__proto__/constructor"],
  ])("%s is 404", async (_, line) => {
    expectRefused(await send(line), 404, "endpoint_not_found", world.origin);
  });

  it("one trailing slash is refused on serverless and GraphQL endpoints", async () => {
    expectRefused(await send("POST /v2/epA/run/"), 400, "invalid_request", world.origin);
    expectRefused(await send("POST /graphql/"), 400, "invalid_request", world.origin);
  });

  it("a job named run is only a job's name", async () => {
    expect((await send("GET /v2/epA/status/run", world.RO.key)).status).toBe(200);
    expect(world.origin.only.target).toBe("/a/status/run");
  });

  it("a query never changes what the path says", async () => {
    for (const query of ["?x=/status/1", "?/../status/j1", "??status"]) {
      expectRefused(
        await send(`POST /v2/epA/run${query}`, world.RO.key),
        403,
        "insufficient_scope",
        world.origin,
      );
    }
  });

  it("a query on a read is passed on: ?ttl= on a status is the origin's business", async () => {
    expect((await send("GET /v2/epA/status/j1?ttl=1", world.RO.key)).status).toBe(200);
    expect(world.origin.only.target).toBe("/a/status/j1?ttl=1");
  });
});

describe("limits (spec 2)", () => {
  it("a URL over 8 KiB is 414, one of 8 KiB is not", async () => {
    expectRefused(await send(`GET /v2/web/${"a".repeat(20_000)}`), 414, "uri_too_long", world.origin);
    const query = Array.from({ length: 500 }, (_, i) => `parameter${i}=${"x".repeat(20)}`).join("&");
    expectRefused(await send(`GET /v2/web/x?${query}`), 414, "uri_too_long", world.origin);
    const prefix = `${world.gateway.url}/v2/web/`;
    expect((await send(`GET /v2/web/${"a".repeat(8192 - prefix.length)}`)).status).toBe(200);
    world.origin.clear();
    const longer = await send(`GET /v2/web/${"a".repeat(8193 - prefix.length)}`);
    expectRefused(longer, 414, "uri_too_long", world.origin);
  });

  it("more than 128 headers are 431", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `x-h${i}: 1`);
    const answer = await world.gateway.raw([
      "GET /v2/web/x HTTP/1.1",
      `x-api-key: ${world.ALL.key}`,
      ...lines,
    ]);
    expectRefused(answer, 431, "headers_too_large", world.origin);
  });

  it("the same name sent often reaches a Worker as one header, and counts by its bytes", async () => {
    const sendLines = (count: number, line: string) => {
      const lines = Array.from({ length: count }, () => line);
      return world.gateway.raw(["GET /v2/web/x HTTP/1.1", `x-api-key: ${world.ALL.key}`, ...lines]);
    };
    expect((await sendLines(200, "x-h: 1")).status).toBe(200);
    world.origin.clear();
    const answer = await sendLines(200, `x-h: ${"x".repeat(200)}`);
    expectRefused(answer, 431, "headers_too_large", world.origin);
  });

  it("more than 32 KiB of headers are 431", async () => {
    const big = `x-big: ${"x".repeat(33 * 1024)}`;
    const answer = await world.gateway.raw(["GET /v2/web/x HTTP/1.1", `x-api-key: ${world.ALL.key}`, big]);
    expectRefused(answer, 431, "headers_too_large", world.origin);
  });

  it("130 kB of headers are 431, here or by the runtime", async () => {
    const big = Array.from({ length: 10 }, (_, i) => `x-big${i}: ${"x".repeat(13_000)}`);
    const answer = await world.gateway.raw(["GET /v2/web/x HTTP/1.1", `x-api-key: ${world.ALL.key}`, ...big]);
    expect(answer.status).toBe(431);
    expect(world.origin.requests).toEqual([]);
  });

  it("100 headers of 20 KiB in all pass", async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `x-h${i}: ${"x".repeat(200)}`);
    const answer = await world.gateway.raw([
      "GET /v2/web/x HTTP/1.1",
      `x-api-key: ${world.ALL.key}`,
      ...lines,
    ]);
    expect(answer.status).toBe(200);
    expect(world.origin.only.header("x-h99")).toBe("x".repeat(200));
  });
});

describe("request smuggling", () => {
  it.each([
    ["two lengths", ["Content-Length: 3", "Content-Length: 4"], "abcd"],
    ["an unknown transfer-encoding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"],
    ["chunked and then something else", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"],
    ["another coding before chunked", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"],
    ["a negative length", ["Content-Length: -1"], ""],
    ["a length with a sign", ["Content-Length: +3"], "abc"],
    ["a length that is no number", ["Content-Length: 3x"], "abc"],
    ["a length in hexadecimal", ["Content-Length: 0x3"], "abc"],
    ["a list of lengths", ["Content-Length: 3, 3"], "abc"],
  ])("%s never puts a second request on the way", async (_, lines, body) => {
    const answer = await world.gateway.raw(
      ["POST /v2/web/first HTTP/1.1", `x-api-key: ${world.ALL.key}`, ...lines],
      `${body}GET /v2/web/second HTTP/1.1\r\nHost: x\r\nx-api-key: ${world.ALL.key}\r\n\r\n`,
    );
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(world.origin.requests).toEqual([]);
  });

  it("of a length and chunks, the chunks count, are framed anew, and nothing after them is read", async () => {
    const body = "3\r\nabc\r\n0\r\n\r\nGET /v2/web/second HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await world.gateway.raw(
      [
        "POST /v2/web/first HTTP/1.1",
        `x-api-key: ${world.ALL.key}`,
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
      ],
      body,
    );
    expect(answer.status).toBe(200);
    expect(world.origin.only.body.toString()).toBe("abc");
    expect(world.origin.only.all("content-length")).toEqual([]);
  });

  it("a GET with a body is forwarded without it", async () => {
    const answer = await world.gateway.raw(
      ["GET /v2/epA/status/j1 HTTP/1.1", `x-api-key: ${world.RO.key}`, "Content-Length: 3"],
      "abc",
    );
    expect(answer.status).toBe(200);
    expect(world.origin.only.bytes).toBe(0);
    expect(world.origin.only.all("content-length")).toEqual([]);
    expect(world.origin.only.all("transfer-encoding")).toEqual([]);
  });
});
