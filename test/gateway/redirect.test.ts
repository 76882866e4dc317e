import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/endpoints/endpoint.ts";
import { locationForClient } from "../../src/gateway/redirect.ts";

const location = (
  text: string,
  { redirects = "refuse" as Endpoint["redirects"], originBase = "https://origin.test/base" } = {},
) =>
  locationForClient(text, {
    url: `${originBase}/dir/page?q=1`,
    endpoint: { redirects } as Endpoint,
    publicBase: "https://gw.test/v2/web",
    originBase,
  });

describe("below the origin's base a Location is rewritten, in the form it came in", () => {
  it.each([
    ["https://origin.test/base/x?a#b", "https://gw.test/v2/web/x?a#b"],
    ["//origin.test/base/x", "https://gw.test/v2/web/x"],
    ["https://origin.test:443/base", "https://gw.test/v2/web"],
    ["/base/x", "/v2/web/x"],
    ["next", "/v2/web/dir/next"],
    ["./next", "/v2/web/dir/next"],
    ["../other", "/v2/web/other"],
    ["?page=2", "/v2/web/dir/page?page=2"],
    ["", "/v2/web/dir/page?q=1"],
    ["/base/a%2Fb", "/v2/web/a%2Fb"],
  ])("%j -> %s", (text, expected) => {
    expect(location(text)).toBe(expected);
  });

  it("also where the origin has no path of its own", () => {
    expect(location("/x", { originBase: "https://origin.test" })).toBe("/v2/web/x");
    expect(location("/", { originBase: "https://origin.test" })).toBe("/v2/web/");
  });
});

describe("anywhere else it is refused, or passed as it is where the endpoint says so", () => {
  it.each([
    "https://evil.test/base/x",
    "http://origin.test/base/x",
    "https://origin.test:8443/base/x",
    "https://origin.test/elsewhere",
    "/elsewhere",
    "/",
    "/basement",
    "../../elsewhere",
    "/base/../elsewhere",
    "/base/%2e%2e/elsewhere",
    "\\\\evil.test\\base",
    "/\\evil.test/base",
    "javascript:alert(1)",
    "data:,x",
    "https://origin.test@evil.test/base",
    "http://[",
  ])("%s", (text) => {
    expect(location(text)).toBeNull();
    expect(location(text, { redirects: "pass" })).toBe(text);
  });

  it("whatever comes out is on the gateway, below the endpoint", () => {
    const unit = fc.constantFrom(..."/\\.%2eE:@?#ab", "base", "origin.test", "evil.test", "https:", "//");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const rewritten = location(text);
        if (rewritten === null) return;
        const { origin, pathname } = new URL(rewritten, "https://gw.test/v2/web/dir/page");
        expect([rewritten, origin]).toEqual([rewritten, "https://gw.test"]);
        expect(pathname === "/v2/web" || pathname.startsWith("/v2/web/")).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
});
