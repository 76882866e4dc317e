import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDenial } from "../../src/denial.ts";
import { decodedParts, decodeQuery, queryPairs, readUrl } from "../../src/http/url.ts";

const read = (target: string) => readUrl(`http://gw.test${target}`, "gw.test", []);
const segments = (target: string) => {
  const url = read(target);
  return isDenial(url) ? url.code : url.segments;
};

describe("a URL is read as it was sent", () => {
  it("into segments, query, host and scheme", () => {
    expect(readUrl("https://gw.test:8443/v2/a%41/b/?x=1?2", "gw.test:8443", [])).toEqual({
      segments: ["v2", "a%41", "b"],
      trailingSlash: true,
      encoded: true,
      query: "x=1?2",
      scheme: "https",
      host: "gw.test:8443",
    });
    expect(read("/")).toMatchObject({ segments: [], trailingSlash: false, query: "" });
    expect(read("/a?")).toMatchObject({ segments: ["a"], query: "" });
  });

  it.each([
    "/a/../b",
    "/..",
    "/a/.",
    "/%2e%2e/a",
    "/.%2E/a",
    "/a%2f..",
    "/a%2f%2e",
    "/..;/a",
    "/a/.;x",
    "/%2e%2e%3b/a",
    "/;",
    "/a/;x/b",
    "/a/%3bx",
    "/a%2f;x",
    "//",
    "//a",
    "/a//",
    "/a//b",
    "/%",
    "/%4",
    "/%4g",
    "/%00",
    "/%ff",
    "/%c0%af",
    "/%5c",
    "/a\\b",
    "/a b",
    "/a\x00",
    "/\u00e9",
    "/%0d%0a",
    "/<",
    '/"',
    "/`",
    "/>",
    "/a%2f",
    "/%2fa",
    "/a?\u00e9",
    "/a?b#c",
  ])("%j is refused", (target) => {
    expect(segments(target)).toBe("invalid_request");
  });

  it.each([
    "/...",
    "/items[0]",
    "/a|b^c",
    "/{a}",
    "/.a",
    "/a.",
    "/a..b",
    "/..a",
    "/a;b",
    "/a;",
    "/a%2fb",
    "/%252e%252e",
    "/~",
    "/a:b@c",
    "/%e2%82%ac",
  ])("%s is not", (target) => {
    expect(segments(target)).toEqual([target.slice(1)]);
  });

  it("is too long from 8 KiB on", () => {
    const longest = `/${"a".repeat(8192 - "http://gw.test/".length)}`;
    expect(segments(longest)).toHaveLength(1);
    expect(segments(`${longest}a`)).toBe("uri_too_long");
  });
});

describe("the host", () => {
  it.each(["gw.test", "gw.test:80", "127.0.0.1:8787", "[::1]:8787", "GW.test", "gw.test.", "a-b.c"])(
    "%s is one",
    (host) => {
      expect(readUrl(`http://${host}/a`, host, [])).toMatchObject({ host });
    },
  );

  it.each([
    "gw.test/x",
    "u@gw.test",
    "u:p@gw.test",
    "gw test",
    "gw.test:",
    "gw.test:x",
    "gw.test:123456",
    "",
    "-a",
    "a,b",
    "a%41",
    "a_b\\",
  ])("%j is none", (host) => {
    expect(readUrl(`http://${host}/a`, host, [])).toMatchObject({ code: "invalid_request" });
  });

  it("must be the one the request was read with, and one that is served", () => {
    expect(readUrl("http://gw.test/a", "other.test", [])).toMatchObject({ code: "invalid_request" });
    expect(readUrl("http://GW.test:99/a", "GW.test:99", ["gw.test"])).toMatchObject({ host: "GW.test:99" });
    expect(readUrl("http://gw.test./a", "gw.test.", ["gw.test"])).toEqual({ code: "unknown_host" });
    expect(readUrl("http://evil.test/a", "evil.test", ["gw.test"])).toEqual({ code: "unknown_host" });
  });
});

describe("properties", () => {
  const character = fc.constantFrom(..."ab./\\%2eEfF5cC0;?#\u00e9 ");
  const target = fc.string({ unit: character, maxLength: 24 }).map((text) => `/${text}`);

  it("a path that is let through is not changed by the URL parser, which fetch uses", () => {
    fc.assert(
      fc.property(target, (text) => {
        const url = read(text);
        if (isDenial(url)) return;
        const path = `/${url.segments.join("/")}${url.trailingSlash ? "/" : ""}`;
        expect(new URL(`https://origin.test${path}`).pathname).toBe(path);
      }),
      { numRuns: 20_000 },
    );
  });

  it("nor does decoding it once make it climb, or hide a separator", () => {
    fc.assert(
      fc.property(target, (text) => {
        const url = read(text);
        if (isDenial(url)) return;
        for (const part of decodedParts(url.segments)) {
          expect(["", ".", ".."]).not.toContain(part);
          expect(part).not.toMatch(/[\\\0]/);
        }
      }),
      { numRuns: 20_000 },
    );
  });
});

it("a query is split at & and names are decoded; what does not decode keeps its form", () => {
  expect(queryPairs("a=1&%61%70i_key=x&b&=c&%zz=1&a+b=c&d=e=f")).toEqual([
    { name: "a", raw: "a=1", value: "1" },
    { name: "api_key", raw: "%61%70i_key=x", value: "x" },
    { name: "b", raw: "b", value: "" },
    { name: "", raw: "=c", value: "c" },
    { name: "%zz", raw: "%zz=1", value: "1" },
    { name: "a b", raw: "a+b=c", value: "c" },
    { name: "d", raw: "d=e=f", value: "e=f" },
  ]);
  expect(queryPairs("")).toEqual([]);
  expect([decodeQuery("a+%41"), decodeQuery("%ff")]).toEqual(["a A", null]);
});
