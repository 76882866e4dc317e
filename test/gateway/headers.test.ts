import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDenial } from "../../src/denial.ts";
import { dressForClient, readOriginHead, upstreamHeaders } from "../../src/gateway/headers.ts";
import { headerEntries } from "../../src/http/header-entries.ts";

const KEY = "pst_live_aKEYKEYKEYKEY";
const OURS = [
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-postern-access",
  "x-postern-account",
  "x-postern-environment",
  "x-postern-key-id",
  "x-request-id",
];

function upstream(given: Record<string, string>, clientIpHeader?: string): Record<string, string> {
  const entries = headerEntries(new Headers(given));
  if (isDenial(entries)) throw new Error(entries.code);
  return upstreamHeaders(entries, {
    identity: { requestId: "r", accountId: "acme", keyId: "k", environment: "test", access: "read" },
    key: KEY,
    scheme: "https",
    host: "gw.test",
    keyInUrl: false,
    clientIpHeader,
  });
}

/** What of the client's own headers goes on. */
const passed = (given: Record<string, string>) =>
  Object.keys(upstream(given)).filter((name) => !OURS.includes(name));

describe("the request to the origin", () => {
  it("says who calls", () => {
    expect(upstream({})).toEqual({
      "x-forwarded-host": "gw.test",
      "x-forwarded-proto": "https",
      "x-postern-access": "read",
      "x-postern-account": "acme",
      "x-postern-environment": "test",
      "x-postern-key-id": "k",
      "x-request-id": "r",
    });
  });

  it("reports the client's address only from the header that is trusted", () => {
    const given = { "cf-connecting-ip": "203.0.113.7", "x-forwarded-for": "10.0.0.1" };
    expect(upstream(given)["x-forwarded-for"]).toBeUndefined();
    expect(upstream(given, "cf-connecting-ip")["x-forwarded-for"]).toBe("203.0.113.7");
    expect(
      upstream({ "x-forwarded-for": "10.0.0.1" }, "cf-connecting-ip")["x-forwarded-for"],
    ).toBeUndefined();
  });

  it("has no header that holds the key, whatever its name", () => {
    expect(passed({ "x-other": KEY, referer: `https://a/?k=${KEY}`, accept: "*/*" })).toEqual(["accept"]);
  });

  it("has no header that Connection names, in any case", () => {
    expect(passed({ connection: "Close, X-A ,x-b", "x-a": "1", "x-b": "2", "x-c": "3" })).toEqual(["x-c"]);
  });

  it("never has a name with an underscore, nor one that is the gateway's or a proxy's to set", () => {
    const name = fc
      .tuple(
        fc.constantFrom(
          "x-postern-",
          "x-forwarded-",
          "cf-",
          "proxy-",
          "impersonate-",
          "x-http-method",
          "x-middleware-",
          "a_",
          "x-original-",
          "x-rewrite-",
        ),
        fc.string({ unit: fc.constantFrom(..."abc-_xyz019"), maxLength: 12 }),
        fc.boolean(),
      )
      .map(([prefix, rest, upper]) => (upper ? (prefix + rest).toUpperCase() : prefix + rest));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), (names) => {
        const made = upstream(Object.fromEntries(names.map((each) => [each, "forged"])));
        expect(Object.values(made)).not.toContain("forged");
        expect(Object.keys(made).some((each) => each.includes("_"))).toBe(false);
      }),
    );
  });
});

describe("limits (spec 2)", () => {
  const many = (count: number, bytes: number) =>
    headerEntries(
      new Headers(
        Array.from({ length: count }, (_, i) => [`x-${String(i).padStart(6, "0")}`, "v".repeat(bytes)]),
      ),
    );

  it("128 headers pass, 129 do not", () => {
    expect(isDenial(many(128, 1))).toBe(false);
    expect(many(129, 1)).toEqual({ code: "headers_too_large" });
  });

  it("32 KiB pass, more do not", () => {
    // 8 of name, 4 of colon, space and line end.
    expect(isDenial(many(1, 32 * 1024 - 12))).toBe(false);
    expect(many(1, 32 * 1024 - 11)).toEqual({ code: "headers_too_large" });
  });
});

describe("the response to the client", () => {
  it("keeps the origin's headers but those that would act on the gateway's host", () => {
    const from = new Headers({
      "content-type": "text/html",
      "set-cookie": "a=b",
      "access-control-anything": "*",
      "www-authenticate": "Basic",
      "x-postern-account": "spoofed",
      "cache-control": "public",
      "content-security-policy": "script-src *",
      connection: "x-hop",
      "x-hop": "1",
      etag: '"e"',
    });
    const headers = new Headers(from);
    dressForClient(headers, readOriginHead(from), "r");
    expect(Object.fromEntries(headers)).toEqual({
      "cache-control": "private, no-store",
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "text/html",
      etag: '"e"',
      "x-content-type-options": "nosniff",
      "x-request-id": "r",
    });
  });
});
