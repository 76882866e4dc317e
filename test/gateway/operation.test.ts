import { describe, expect, it } from "vitest";
import type { Endpoint, OperationRule, Protocol } from "../../src/endpoints/endpoint.ts";
import { classify, isKnownMethod } from "../../src/gateway/operation.ts";
import { type RequestUrl, readUrl } from "../../src/http/url.ts";

/** `read`, `write`, `inspect`, or the denial's code; for 405 with what is allowed. */
function judge(
  protocol: Protocol,
  method: string,
  tail: string,
  { operations = null, upgrade = false }: { operations?: OperationRule[] | null; upgrade?: boolean } = {},
): string {
  const url = readUrl(`http://gw.test/${tail}`, "gw.test", []) as RequestUrl;
  const endpoint = { protocol, operations } as Endpoint;
  const result = classify(endpoint, method, url, url.segments, upgrade);
  if (typeof result === "string") return result;
  return result.code === "method_not_allowed" ? `405 ${[...result.allow].sort().join(" ")}` : result.code;
}

describe("serverless: the table of spec 2.4, row by row", () => {
  it.each([
    ["GET", "status/j"],
    ["POST", "status/j"],
    ["GET", "status-sync/j"],
    ["POST", "status-sync/j"],
    ["GET", "stream/j"],
    ["POST", "stream/j"],
    ["GET", "health"],
    ["GET", "requests"],
    ["GET", "openai/v1/models"],
    ["GET", "openai/v1/models/m"],
    ["GET", "openai/v1/models/org%2Fm"],
    ["GET", "batch"],
    ["GET", "batch/b"],
    ["GET", "batch/b/requests"],
  ])("%s %s is a read", (method, tail) => {
    expect(judge("serverless", method, tail)).toBe("read");
  });

  it.each([
    ["POST", "run"],
    ["POST", "runsync"],
    ["POST", "cancel/j"],
    ["POST", "retry/j"],
    ["POST", "purge-queue"],
    ["POST", "openai/v1/chat/completions"],
    ["POST", "openai/v1/models"],
    ["POST", "openai/v1/a/b/c/d"],
    ["POST", "batch"],
    ["PUT", "batch/b"],
    ["POST", "batch/b/requests"],
    ["DELETE", "batch/b/requests/r"],
    ["POST", "batch/b/finalize"],
    ["POST", "batch/b/cancel"],
  ])("%s %s is a write", (method, tail) => {
    expect(judge("serverless", method, tail)).toBe("write");
  });

  it.each([
    ["GET", "run", "405 OPTIONS POST"],
    ["HEAD", "health", "405 GET OPTIONS"],
    ["DELETE", "status/j", "405 GET OPTIONS POST"],
    ["GET", "cancel/j", "405 OPTIONS POST"],
    ["GET", "purge-queue", "405 OPTIONS POST"],
    ["POST", "health", "405 GET OPTIONS"],
    ["GET", "openai/v1/chat/completions", "405 OPTIONS POST"],
    ["DELETE", "openai/v1/models/m", "405 GET OPTIONS POST"],
    ["DELETE", "batch", "405 GET OPTIONS POST"],
    ["POST", "batch/b", "405 GET OPTIONS PUT"],
    ["GET", "batch/b/requests/r", "405 DELETE OPTIONS"],
    ["GET", "batch/b/finalize", "405 OPTIONS POST"],
  ])("%s %s is %s", (method, tail, expected) => {
    expect(judge("serverless", method, tail)).toBe(expected);
  });

  it.each([
    "",
    "unknown",
    "status",
    "status/a/b",
    "run/x",
    "RUN",
    "Run",
    "r%75n",
    "run;x",
    "openai",
    "openai/v1",
    "openai/v2/models",
    "batch/b/unknown",
    "batch/b/requests/r/x",
    "health/x",
    "__proto__",
    "constructor",
  ])("%j is not found, whatever the method", (tail) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      expect([method, judge("serverless", method, tail)]).toEqual([method, "not_found"]);
    }
  });

  it.each([
    "status/a%2Fb",
    "run%2F..",
    "openai%2fv1/models",
    "openai/v1%2Fmodels/m",
    "openai/v1/chat%2fx",
    "batch/a%2fb",
  ])("%s: an encoded slash is legal in the model's name alone", (tail) => {
    const url = readUrl(`http://gw.test/${tail}`, "gw.test", []);
    if ("code" in url) expect(url.code).toBe("invalid_request");
    else expect(judge("serverless", "GET", tail)).toBe("invalid_request");
  });

  it("a trailing slash is refused", () => {
    expect(judge("serverless", "POST", "run/")).toBe("invalid_request");
  });
});

describe.each(["http", "openai"] as const)("%s", (protocol) => {
  it.each([
    ["GET", "read"],
    ["HEAD", "read"],
    ["POST", "write"],
    ["PUT", "write"],
    ["PATCH", "write"],
    ["DELETE", "write"],
  ])("%s is a %s", (method, expected) => {
    for (const tail of ["", "x", "x/", "a%2Fb"]) expect(judge(protocol, method, tail)).toBe(expected);
  });

  it("a WebSocket is a write", () => {
    expect(judge(protocol, "GET", "x", { upgrade: true })).toBe("write");
  });
});

describe("graphql", () => {
  it("is left to the document for GET and POST, a write for a WebSocket, and nothing else", () => {
    expect(judge("graphql", "POST", "")).toBe("inspect");
    expect(judge("graphql", "GET", "")).toBe("inspect");
    expect(judge("graphql", "GET", "", { upgrade: true })).toBe("write");
    for (const method of ["HEAD", "PUT", "PATCH", "DELETE"]) {
      expect(judge("graphql", method, "")).toBe("405 GET OPTIONS POST");
    }
    expect(judge("graphql", "POST", "sub")).toBe("not_found");
  });
});

describe("an endpoint's own operations", () => {
  const operations: OperationRule[] = [
    { method: "POST", path: "/search/admin", access: "write" },
    { method: "POST", path: "/search/*", access: "read" },
    { method: "GET", path: "/items/*/secret", access: "write" },
    { method: "DELETE", path: "*", access: "read" },
  ];
  const own = (method: string, tail: string, upgrade = false) =>
    judge("http", method, tail, { operations, upgrade });

  it("are tried in order, first match wins", () => {
    expect(own("POST", "search/admin")).toBe("write");
    expect(own("POST", "search/x")).toBe("read");
    expect(own("POST", "search/x/y/z")).toBe("read");
    expect(own("GET", "items/7/secret")).toBe("write");
    expect(own("DELETE", "anything/at/all")).toBe("read");
  });

  it("leave what they do not name to the protocol", () => {
    expect(own("POST", "search")).toBe("write");
    expect(own("POST", "searching/x")).toBe("write");
    expect(own("PUT", "search/x")).toBe("write");
    expect(own("GET", "items/7/8/secret")).toBe("read");
    expect(own("GET", "search/x")).toBe("read");
  });

  it("may name the endpoint's own root: by a slash, or by a star that covers everything", () => {
    const rules = (path: string): OperationRule[] => [{ method: "GET", path, access: "write" }];
    const root = (path: string, tail: string) => judge("http", "GET", tail, { operations: rules(path) });
    for (const path of ["/", "/*"]) {
      expect(root(path, "")).toBe("write");
      const url = { ...(readUrl("http://gw.test/", "gw.test", []) as RequestUrl), trailingSlash: true };
      const endpoint = { protocol: "http", operations: rules(path) } as Endpoint;
      expect(classify(endpoint, "GET", url, [], false)).toBe("write");
    }
    expect(root("/*", "x/")).toBe("write");
    expect(root("/", "x")).toBe("read");
    expect(root("/a/*", "")).toBe("read");
    const opened: OperationRule[] = [{ method: "POST", path: "/", access: "read" }];
    expect(judge("http", "POST", "", { operations: opened })).toBe("read");
    expect(judge("http", "POST", "x", { operations: opened })).toBe("write");
  });

  it("count among the methods that a 405 allows, and make a path known", () => {
    const table: OperationRule[] = [
      { method: "GET", path: "/custom/*", access: "read" },
      { method: "PUT", path: "/run", access: "write" },
    ];
    const queue = (method: string, tail: string) => judge("serverless", method, tail, { operations: table });
    expect(queue("POST", "custom/a")).toBe("405 GET HEAD OPTIONS");
    expect(queue("DELETE", "run")).toBe("405 OPTIONS POST PUT");
    expect(queue("GET", "custom/a")).toBe("read");
    expect(queue("PUT", "run")).toBe("write");
    expect(queue("GET", "other")).toBe("not_found");
  });

  it("for GET hold for HEAD", () => {
    expect(own("HEAD", "items/7/secret")).toBe("write");
  });

  it("cannot be dodged by an encoding: the stricter of both readings holds", () => {
    expect(own("GET", "items/7/s%65cret")).toBe("write");
    expect(own("GET", "items%2F7/secret")).toBe("write");
    expect(own("POST", "search/%61dmin")).toBe("write");
    expect(own("POST", "search%2Fx")).toBe("write");
    expect(own("POST", "s%65arch/x")).toBe("write");
    expect(own("POST", "search/a%20b")).toBe("read");
  });

  it("hold for every spelling of a path that they name encoded", () => {
    const encoded: OperationRule[] = [
      { method: "GET", path: "/old%20jobs/*", access: "write" },
      { method: "GET", path: "/caf%C3%A9/del", access: "write" },
      { method: "GET", path: "/a%2Eb", access: "write" },
      { method: "POST", path: "/find%20it", access: "read" },
      { method: "POST", path: "/star/%2A", access: "read" },
      { method: "GET", path: "/100%", access: "write" },
    ];
    const ruled = (method: string, tail: string) => judge("http", method, tail, { operations: encoded });
    for (const tail of ["old%20jobs/x", "%6Fld%20jobs/x", "old%20job%73/x", "old%20jobs%2Fx", "OLD%20JOBS/x"])
      expect(ruled("GET", tail), tail).toBe("write");
    for (const tail of ["caf%C3%A9/del", "c%61f%C3%A9/del", "caf%C3%A9%2Fdel", "a%2Eb", "a.b", "a%2eb"])
      expect(ruled("GET", tail), tail).toBe("write");
    expect(ruled("POST", "find%20it")).toBe("read");
    expect(ruled("POST", "star/other")).toBe("write");
    expect(ruled("GET", "other")).toBe("read");
  });

  it("say nothing about WebSockets", () => {
    const all: OperationRule[] = [{ method: "GET", path: "/*", access: "read" }];
    expect(judge("http", "GET", "x", { operations: all, upgrade: true })).toBe("write");
  });
});

it("seven methods are known", () => {
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    expect(isKnownMethod(method)).toBe(true);
  for (const method of ["TRACE", "CONNECT", "QUERY", "get", "", "PROPFIND", "__proto__"])
    expect(isKnownMethod(method)).toBe(false);
});
