import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDenial } from "../harness/denied.ts";
import { closedPort, startRawOrigin } from "../harness/origin.ts";
import { startWorld, type World } from "../harness/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(() => world.origin.clear());

const get = (path: string, headers: Record<string, string> = {}) =>
  world.gateway.call(path, { headers: { ...world.ALL.bearer, ...headers } });

/** Makes an endpoint at `/x/ID` that forwards to a connection-level script. */
async function rawEndpoint(script: Parameters<typeof startRawOrigin>[0], timeout_seconds = 120) {
  const origin = await startRawOrigin(script);
  const id = `raw-${crypto.randomUUID().slice(0, 8)}`;
  const path = `/x/${id}`;
  await world.gateway.createEndpoint({
    id,
    account_id: "acme",
    protocol: "http",
    path,
    origin: origin.url,
    timeout_seconds,
  });
  return { path, ...origin };
}

describe("the response to the client (spec 2.7)", () => {
  it.each([
    200, 201, 202, 203, 204, 205, 206, 207, 218, 226, 300, 304, 400, 401, 402, 403, 404, 409, 410, 418, 422,
    429, 451, 499, 500, 501, 503, 504, 529, 599,
  ])("has the origin's status: %i", async (status) => {
    const hasBody = ![204, 205, 304].includes(status);
    world.origin.on("/web/status", ({ response }) => {
      response.writeHead(status, { "x-from": "origin" });
      response.end(hasBody ? "its body" : undefined);
    });
    const answer = await get("/v2/web/status");
    expect([answer.status, answer.text]).toEqual([status, hasBody ? "its body" : ""]);
    expect(answer.headers["x-from"]).toBe("origin");
  });

  it("lacks what would act on the gateway's host or tell about the origin", async () => {
    world.origin.on("/web/x", ({ response }) => {
      response.setHeader("set-cookie", ["a=b", "c=d; Path=/"]);
      for (const name of REMOVED) if (name !== "set-cookie") response.setHeader(name, "from-origin");
      response.setHeader("connection", "keep-alive, x-private");
      response.setHeader("x-private", "from-origin");
      response.setHeader("keep-alive", "timeout=5");
      response.end("ok");
    });
    const answer = await get("/v2/web/x");
    expect(answer.status).toBe(200);
    for (const name of [...REMOVED, "x-private", "keep-alive"])
      expect([name, answer.headers[name]]).toEqual([name, undefined]);
    expect(JSON.stringify(answer.headers)).not.toContain("from-origin");
  });

  it("has what keeps it from being cached, sniffed or run on the gateway's host", async () => {
    world.origin.on("/web/x", ({ response }) => {
      response.setHeader("cache-control", "public, max-age=999");
      response.setHeader("content-security-policy", "script-src *");
      response.setHeader("x-content-type-options", "none");
      response.setHeader("x-request-id", "from-origin");
      response.setHeader("server-timing", "db;dur=5");
      response.setHeader("content-type", "text/html");
      response.end("<script>alert(1)</script>");
    });
    const { headers } = await get("/v2/web/x");
    expect(headers).toMatchObject({
      "cache-control": "private, no-store",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "server-timing": expect.stringMatching(/^db;dur=5, postern;dur=\d+, origin;dur=\d+$/),
      "content-type": "text/html",
    });
  });

  it("has everything else of the origin's", async () => {
    world.origin.on("/web/x", ({ response }) => {
      response.setHeader("etag", '"abc"');
      response.setHeader("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT");
      response.setHeader("vary", "accept");
      response.setHeader("retry-after", "7");
      response.setHeader("x-ratelimit-remaining", "3");
      response.setHeader("content-disposition", 'attachment; filename="a"');
      response.setHeader("link", ["<a>; rel=next", "<b>; rel=prev"]);
      response.end("ok");
    });
    expect((await get("/v2/web/x")).headers).toMatchObject({
      etag: '"abc"',
      "last-modified": "Sat, 21 Nov 2026 00:00:00 GMT",
      vary: "accept",
      "retry-after": "7",
      "x-ratelimit-remaining": "3",
      "content-disposition": 'attachment; filename="a"',
      link: "<a>; rel=next, <b>; rel=prev",
    });
  });

  it("is never another key's: nothing is cached on the way", async () => {
    world.origin.on("/a/status/j1", ({ response, seen }) => {
      response.setHeader("cache-control", "public, max-age=999");
      response.end(seen.header("x-postern-key-id"));
    });
    const first = await world.gateway.call("/v2/epA/status/j1", { headers: world.RO.bearer });
    const second = await world.gateway.call("/v2/epA/status/j1", { headers: world.RW.bearer });
    expect([first.text, second.text]).toEqual([world.RO.id, world.RW.id]);
    const third = await world.gateway.call("/v2/epA/status/j1", { headers: world.NONE.bearer });
    expectDenial(third, 403, "insufficient_scope");
    expect(world.origin.requests).toHaveLength(2);
  });

  // Warm means within the lease, which a busy machine may miss.
  it("has no time spent waiting when warm, and the origin's in server-timing", { retry: 3 }, async () => {
    world.origin.on("/web/slow", ({ response }) => setTimeout(() => response.end("ok"), 60));
    await get("/v2/web/slow");
    const timing = (await get("/v2/web/slow")).headers["server-timing"]!;
    const [, waited, origin] = /^postern;dur=(\d+), origin;dur=(\d+)$/.exec(timing)!;
    expect(Number(waited)).toBe(0);
    expect(Number(origin)).toBeGreaterThanOrEqual(50);
  });

  it("to HEAD has the headers of a GET, with its length, and no body", async () => {
    world.origin.on("/web/x", ({ response }) => {
      response.writeHead(200, { "content-length": "1234567", etag: '"e"' });
      response.end();
    });
    const answer = await world.gateway.call("/v2/web/x", { method: "HEAD", headers: world.ALL.bearer });
    expect([answer.status, answer.text, answer.headers["content-length"], answer.headers.etag]).toEqual([
      200,
      "",
      "1234567",
      '"e"',
    ]);
    expect(world.origin.only.method).toBe("HEAD");
  });

  it("to a conditional request is the origin's 304, with its validators", async () => {
    world.origin.on("/web/x", ({ request, response }) => {
      response.writeHead(request.headers["if-none-match"] === '"e"' ? 304 : 200, { etag: '"e"' });
      response.end();
    });
    const answer = await get("/v2/web/x", { "if-none-match": '"e"' });
    expect([answer.status, answer.headers.etag, answer.text]).toEqual([304, '"e"', ""]);
  });

  it("to a range is the origin's 206, and its 416", async () => {
    world.origin.on("/web/x", ({ response }) => {
      response.writeHead(206, { "content-range": "bytes 2-5/10", "content-length": "4" });
      response.end("cdef");
    });
    const answer = await get("/v2/web/x", { range: "bytes=2-5" });
    expect(world.origin.only.header("range")).toBe("bytes=2-5");
    expect([
      answer.status,
      answer.headers["content-range"],
      answer.headers["content-length"],
      answer.text,
    ]).toEqual([206, "bytes 2-5/10", "4", "cdef"]);
    world.origin.on("/web/x", ({ response }) => {
      response.writeHead(416, { "content-range": "bytes */10" });
      response.end();
    });
    expect((await get("/v2/web/x", { range: "bytes=99-" })).headers["content-range"]).toBe("bytes */10");
  });
});

const REMOVED = [
  "set-cookie",
  "clear-site-data",
  "service-worker-allowed",
  "alt-svc",
  "server",
  "x-powered-by",
  "www-authenticate",
  "proxy-authenticate",
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-expose-headers",
  "access-control-max-age",
  "strict-transport-security",
  "refresh",
  "x-postern-account",
];

describe("compressed bodies pass byte for byte", () => {
  const text = Buffer.from("postern ".repeat(50_000));
  const small = Buffer.from("postern");
  it.each([
    ["gzip, small", "gzip", gzipSync(small), true],
    [
      "gzip, large",
      "gzip",
      gzipSync(Buffer.concat([text, crypto.getRandomValues(new Uint8Array(60_000))])),
      true,
    ],
    ["gzip, large, streamed", "gzip", gzipSync(crypto.getRandomValues(new Uint8Array(60_000))), false],
    ["gzip, small, streamed", "gzip", gzipSync(small), false],
    ["br, small", "br", brotliCompressSync(small), true],
    ["br, large, streamed", "br", brotliCompressSync(crypto.getRandomValues(new Uint8Array(60_000))), false],
    ["deflate, which is none", "deflate", Buffer.from("not deflated"), true],
    ["an encoding nobody knows", "x-secret", Buffer.from("???"), true],
    ["gzip that is broken", "gzip", Buffer.from("not gzip at all"), true],
    ["two encodings", "gzip, br", brotliCompressSync(gzipSync(small)), true],
  ])("%s", async (_, encoding, body, announced) => {
    world.origin.on("/web/z", ({ response }) => {
      response.setHeader("content-encoding", encoding);
      response.setHeader("content-type", "text/plain");
      if (announced) response.setHeader("content-length", body.length);
      response.write(body.subarray(0, 5));
      response.end(body.subarray(5));
    });
    const answer = await get("/v2/web/z", { "accept-encoding": "gzip, br" });
    expect(answer.headers["content-encoding"]).toBe(encoding);
    expect(Buffer.compare(answer.bytes, body)).toBe(0);
    expect(answer.headers["content-length"]).toBe(announced ? String(body.length) : undefined);
  });

  it("a part of one, too", async () => {
    const body = gzipSync(text).subarray(100, 200);
    world.origin.on("/web/z", ({ response }) => {
      response.writeHead(206, {
        "content-encoding": "gzip",
        "content-range": "bytes 100-199/400",
        "content-length": body.length,
      });
      response.end(body);
    });
    const answer = await get("/v2/web/z", { range: "bytes=100-199", "accept-encoding": "gzip" });
    expect([answer.status, Buffer.compare(answer.bytes, body)]).toEqual([206, 0]);
  });

  it("without a body, too: HEAD, 204 and 304", async () => {
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
    ] as const) {
      world.origin.on("/web/z", ({ response }) => {
        response.writeHead(status, { "content-encoding": "gzip", etag: '"z"' });
        response.end();
      });
      const headers = { ...world.ALL.bearer, "accept-encoding": "gzip" };
      const answer = await world.gateway.call("/v2/web/z", { method, headers });
      expect([answer.status, answer.bytes.length, answer.headers["content-encoding"]]).toEqual([
        status,
        0,
        "gzip",
      ]);
    }
  });
});

describe("redirects", () => {
  let host: string;
  const redirect = (location: string, status = 302) =>
    world.origin.on("/web/go", ({ response }) => {
      response.writeHead(status, { location });
      response.end("moved");
    });
  beforeAll(async () => {
    host = new URL(world.origin.url).host;
    await world.gateway.createEndpoint({
      id: "pass",
      account_id: "acme",
      protocol: "http",
      origin: `${world.origin.url}/web`,
      redirects: "pass",
    });
  });

  it.each([301, 302, 303, 307, 308])("with %i are never followed", async (status) => {
    redirect("/web/next", status);
    const answer = await get("/v2/web/go");
    expect([answer.status, answer.headers.location, answer.text]).toEqual([status, "/v2/web/next", "moved"]);
    expect(world.origin.requests).toHaveLength(1);
  });

  it.each([
    ["an absolute path", "/web/next?a=1#b", "/v2/web/next?a=1#b"],
    ["a relative path", "next?a=1", "/v2/web/next?a=1"],
    ["a relative path upwards", "../web/deep/er", "/v2/web/deep/er"],
    ["a query alone", "?page=2", "/v2/web/go?page=2"],
    ["the endpoint itself", "/web", "/v2/web"],
    ["an absolute URL", "ORIGIN/web/next", "GATEWAY/v2/web/next"],
    ["an absolute URL in capitals", "HTTP://HOST/web/next", "GATEWAY/v2/web/next"],
    ["a URL without a scheme", "//HOST/web/next", "GATEWAY/v2/web/next"],
  ])("to the origin's own host are rewritten to the gateway: %s", async (_, location, expected) => {
    redirect(location.replace("ORIGIN", world.origin.url).replace("HOST", host));
    const answer = await get("/v2/web/go");
    expect([answer.status, answer.headers.location]).toEqual([
      302,
      expected.replace("GATEWAY", world.gateway.url),
    ]);
  });

  it.each([
    ["another host", "http://evil.test/"],
    ["another host without a scheme", "//evil.test/web/x"],
    ["another host with backslashes", "\\\\evil.test/web"],
    ["another host behind a slash and a backslash", "/\\evil.test/web"],
    ["another port", "http://127.0.0.1:1/web/x"],
    ["another scheme", "https://HOST/web/x"],
    ["a user's name that looks like the host", "http://HOST@evil.test/web"],
    ["a metadata service", "http://169.254.169.254/latest"],
    ["a script", "javascript:alert(1)"],
    ["data", "data:text/html,x"],
    ["no URL at all", "http://[::bad/"],
    ["the same host outside what the endpoint stands for", "/elsewhere"],
    ["outside by dots", "/web/../elsewhere"],
    ["outside by encoded dots", "/web/%2e%2e/elsewhere"],
    ["a neighbour whose name starts the same", "/website"],
  ])("elsewhere are refused with 502: %s", async (_, location) => {
    redirect(location.replace("HOST", host));
    const answer = await get("/v2/web/go");
    expectDenial(answer, 502, "origin_unreachable");
    expect(answer.headers.location).toBeUndefined();
    expect(answer.text).not.toContain("evil");
    expect(world.origin.requests).toHaveLength(1);
  });

  it("elsewhere pass as they are where the endpoint says so, and are still not followed", async () => {
    redirect("https://storage.example/signed?x=1");
    const answer = await get("/v2/pass/go");
    expect([answer.status, answer.headers.location]).toEqual([302, "https://storage.example/signed?x=1"]);
    redirect("/web/next");
    expect((await get("/v2/pass/go")).headers.location).toBe("/v2/pass/next");
    expect(world.origin.requests).toHaveLength(2);
  });

  it("a chain of them is the client's to follow, each step judged anew", async () => {
    world.origin.on("/web/1", ({ response }) => response.writeHead(302, { location: "/web/2" }).end());
    world.origin.on("/web/2", ({ response }) => response.writeHead(307, { location: "/web/3" }).end());
    const first = await get("/v2/web/1");
    expect(world.origin.requests.map(({ target }) => target)).toEqual(["/web/1"]);
    const second = await get(first.headers.location!);
    expect(second.headers.location).toBe("/v2/web/3");
    const denied = await world.gateway.call(second.headers.location!, { headers: world.NONE.bearer });
    expectDenial(denied, 403, "insufficient_scope");
  });

  it("a Location that is no redirect (201) is rewritten all the same, and a foreign one left out", async () => {
    redirect("/web/made", 201);
    expect((await get("/v2/web/go")).headers.location).toBe("/v2/web/made");
    redirect("http://evil.test/made", 201);
    const foreign = await get("/v2/web/go");
    expect([foreign.status, foreign.headers.location]).toEqual([201, undefined]);
  });

  it("of a POST, an event stream and HEAD are handled the same", async () => {
    redirect("http://evil.test/");
    const post = await world.gateway.call("/v2/web/go", {
      method: "POST",
      headers: world.ALL.bearer,
      body: "x",
    });
    expectDenial(post, 502, "origin_unreachable");
    const head = await world.gateway.call("/v2/web/go", { method: "HEAD", headers: world.ALL.bearer });
    expect([head.status, head.headers.location]).toEqual([502, undefined]);
  });
});

describe("an origin that fails", () => {
  const unreachable = (answer: Awaited<ReturnType<typeof get>>) => {
    expectDenial(answer, 502, "origin_unreachable");
    expect(answer.text).not.toContain("127.0.0.1");
  };

  it("and is not there is 502", async () => {
    const origin = `http://127.0.0.1:${await closedPort()}`;
    await world.gateway.createEndpoint({
      id: "gone",
      account_id: "acme",
      protocol: "http",
      path: "/x/gone",
      origin,
    });
    unreachable(await get("/x/gone"));
  });

  it("and has no name is 502", async () => {
    const origin = "https://no-such-host.invalid";
    await world.gateway.createEndpoint({ id: "noname", account_id: "acme", path: "/x/noname", origin });
    unreachable(await get("/x/noname"));
  });

  it.each([
    ["closes the connection", ""],
    ["breaks off in the head", "HTTP/1.1 200 OK\r\nContent-Len"],
    ["does not speak HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    ["answers with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["has a broken status line", "HTTP/1.1 abc\r\n\r\n"],
  ])("and %s is 502", async (_, bytes) => {
    const raw = await rawEndpoint((socket) => socket.end(bytes));
    unreachable(await get(raw.path));
    await raw.stop();
  });

  it("and resets the connection is 502", async () => {
    const raw = await rawEndpoint((socket) => socket.resetAndDestroy());
    unreachable(await get(raw.path));
    await raw.stop();
  });

  it("and sends 20 MB of headers is 502, and the Worker lives", async () => {
    const raw = await rawEndpoint((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const line = `x-big: ${"x".repeat(60_000)}\r\n`;
      for (let i = 0; i < 340 && !socket.destroyed; i += 1) socket.write(line);
      socket.end("\r\n");
    });
    unreachable(await get(raw.path));
    expect((await get("/v2/web/alive")).status).toBe(200);
    await raw.stop();
  });

  it("and breaks off in the body breaks the client's answer off: it never looks whole", async () => {
    const raw = await rawEndpoint((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
      setTimeout(() => socket.destroy(), 50);
    });
    await expect(get(raw.path)).rejects.toThrow();
    await raw.stop();
    const chunked = await rawEndpoint((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
      setTimeout(() => socket.destroy(), 50);
    });
    await expect(get(chunked.path)).rejects.toThrow();
    await chunked.stop();
  });

  it("and gives no head within timeout_seconds is 504, and its request is ended", async () => {
    await world.gateway.createEndpoint({
      id: "slow",
      account_id: "acme",
      protocol: "http",
      path: "/x/slow",
      origin: `${world.origin.url}/slow`,
      timeout_seconds: 1,
    });
    world.origin.on("/slow/hang", () => {});
    const answer = await get("/x/slow/hang");
    expectDenial(answer, 504, "origin_timeout");
    expect(answer.json.detail).toBe("The origin did not answer within 1 seconds");
    expect(await world.origin.only.ended).toBe("cut");
  });

  it("and is slow after its head is not cut by timeout_seconds", async () => {
    world.origin.on("/slow/trickle", ({ response }) => {
      response.write("a");
      setTimeout(() => response.end("b"), 1500);
    });
    expect((await get("/x/slow/trickle")).text).toBe("ab");
  });

  it("and upgrades the protocol unasked is 502", async () => {
    const raw = await rawEndpoint((socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    );
    unreachable(await get(raw.path));
    await raw.stop();
  });

  it.each([600, 999])("and answers with a status that HTTP does not have is 502: %i", async (status) => {
    const raw = await rawEndpoint((socket) =>
      socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`),
    );
    unreachable(await get(raw.path));
    await raw.stop();
  });

  it.each([
    ["a body that ends with the connection", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok"],
    ["no reason phrase", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"],
    ["a reason phrase beyond ASCII", "HTTP/1.1 200 \xc7a va\r\nContent-Length: 2\r\n\r\nok"],
    ["headers beyond ASCII", "HTTP/1.1 200 OK\r\nX-N: caf\xe9\r\nContent-Length: 2\r\n\r\nok"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
  ])("but one that answers with %s is heard", async (_, bytes) => {
    const raw = await rawEndpoint((socket) => socket.end(Buffer.from(bytes, "latin1")));
    const answer = await get(raw.path);
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    await raw.stop();
  });

  it("and sends early hints is heard to its answer", async () => {
    const raw = await rawEndpoint((socket) =>
      socket.end(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ),
    );
    const answer = await get(raw.path);
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    await raw.stop();
  });

  it("and answers before it has read the body is heard", async () => {
    world.origin.on("/web/early", ({ response, request }) => {
      request.pause();
      response.writeHead(413, { connection: "close" }).end("too much");
    });
    const body = Buffer.alloc(4 * 1024 * 1024);
    const answer = await world.gateway
      .call("/v2/web/early", { method: "POST", headers: world.ALL.bearer, body })
      .catch((error: NodeJS.ErrnoException) => error.code);
    // A client that is still writing may see its connection reset before it sees the answer.
    if (typeof answer === "string" || answer === undefined) expect(["EPIPE", "ECONNRESET"]).toContain(answer);
    else expect([413, 502]).toContain(answer.status);
    expect((await get("/v2/web/alive")).status).toBe(200);
  });
});
