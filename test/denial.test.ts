import { describe, expect, it } from "vitest";
import { type Denial, denialResponse, INVALID_API_KEY, isDenial, reasonOf } from "../src/denial.ts";

const dress = { requestId: "r-1" };

/** A denial of every code, and how it is answered (spec 2.8). */
const FACES: [Denial, number, string][] = [
  [{ code: "invalid_request", detail: "why" }, 400, "why"],
  [{ code: "path_reserved", detail: "why" }, 400, "why"],
  [{ code: "account_required", detail: "why" }, 400, "why"],
  [{ code: "invalid_api_key", reason: "missing" }, 401, INVALID_API_KEY],
  [{ code: "invalid_api_key", reason: "revoked" }, 401, INVALID_API_KEY],
  [{ code: "missing_access_token" }, 401, "Missing access token"],
  [
    { code: "insufficient_scope", needed: "read_write", resource: "endpoint epA" },
    403,
    "This API key needs read_write access on endpoint epA",
  ],
  [{ code: "environment_not_available", endpoint: "epA" }, 403, "Endpoint epA has no test environment"],
  [{ code: "forbidden", detail: "why" }, 403, "why"],
  [{ code: "endpoint_not_found" }, 404, "Endpoint not found"],
  [{ code: "api_key_not_found" }, 404, "API key not found"],
  [{ code: "not_found" }, 404, "Not found"],
  [{ code: "method_not_allowed", allow: ["GET"] }, 405, "Method not allowed"],
  [{ code: "key_revoked", detail: "why" }, 409, "why"],
  [{ code: "key_expired", detail: "why" }, 409, "why"],
  [{ code: "legacy_key", detail: "why" }, 409, "why"],
  [{ code: "path_taken", detail: "why" }, 409, "why"],
  [{ code: "in_use", detail: "why" }, 409, "why"],
  [
    { code: "active_key_limit_reached", limit: 5 },
    409,
    "The account has reached its limit of 5 active API keys",
  ],
  [{ code: "body_too_large", limit: 9 }, 413, "The request body is larger than 9 bytes"],
  [{ code: "uri_too_long" }, 414, "The URL is longer than 8 KiB"],
  [{ code: "unsupported_media_type", detail: "why" }, 415, "why"],
  [{ code: "unknown_host" }, 421, "This gateway does not serve the requested host"],
  [{ code: "rate_limited", retryAfter: 60 }, 429, "Too many unknown API keys from this address"],
  [{ code: "headers_too_large" }, 431, "The request has more than 128 headers or 32 KiB of them"],
  [{ code: "internal_error" }, 500, "Internal error"],
  [{ code: "origin_unreachable" }, 502, "The origin could not be reached"],
  [{ code: "state_unavailable" }, 503, "The state of this API key cannot be determined right now"],
  [{ code: "origin_timeout", seconds: 120 }, 504, "The origin did not answer within 120 seconds"],
];

describe.each(FACES)("%j", (denial, status, detail) => {
  it(`is ${status} in the one shape`, async () => {
    const response = denialResponse(denial, dress);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("x-request-id")).toBe("r-1");
    const body = await response.json();
    expect(body).toMatchObject({
      type: "about:blank",
      title: expect.stringMatching(/^[A-Z]/),
      status,
      detail,
      error: { code: denial.code, message: detail, request_id: "r-1" },
    });
    expect(body).not.toHaveProperty("errors");
  });

  it("is told apart from an answer, and tells clients whether to try again", () => {
    expect(isDenial(denial)).toBe(true);
    const retry = status >= 500 || status === 429 ? null : "false";
    expect(denialResponse(denial, dress).headers.get("x-should-retry")).toBe(retry);
  });

  it("on GraphQL endpoints carries errors besides", async () => {
    const response = denialResponse(denial, { ...dress, graphql: true });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({
      detail,
      errors: [{ message: detail, extensions: { code: denial.code } }],
    });
  });
});

describe("headers of single denials", () => {
  it.each<[Denial, string, string]>([
    [{ code: "invalid_api_key", reason: "missing" }, "www-authenticate", 'Bearer realm="postern"'],
    [
      { code: "invalid_api_key", reason: "expired" },
      "www-authenticate",
      'Bearer realm="postern", error="invalid_token"',
    ],
    [
      { code: "insufficient_scope", needed: "read", resource: "x" },
      "www-authenticate",
      'Bearer error="insufficient_scope"',
    ],
    [{ code: "method_not_allowed", allow: ["GET", "POST"] }, "allow", "GET, POST"],
    [{ code: "rate_limited", retryAfter: 60 }, "retry-after", "60"],
    [{ code: "state_unavailable" }, "retry-after", "1"],
  ])("%j has %s: %s", (denial, name, value) => {
    expect(denialResponse(denial, dress).headers.get(name)).toBe(value);
  });
});

it.each(["unknown", "disabled", "expired", "revoked", "account_suspended", "forged", "malformed"] as const)(
  "%s looks to the client like every other bad key, and is its own word in the log",
  async (reason) => {
    const one = denialResponse({ code: "invalid_api_key", reason }, dress);
    const other = denialResponse({ code: "invalid_api_key", reason: "unknown" }, dress);
    expect([...one.headers]).toEqual([...other.headers]);
    expect(await one.text()).toBe(await other.text());
    expect(reasonOf({ code: "invalid_api_key", reason })).toBe(reason);
  },
);

it("a GraphQL client that accepts application/graphql-response+json is sent that", () => {
  const accept = "application/graphql-response+json, application/json;q=0.9";
  const response = denialResponse({ code: "endpoint_not_found" }, { ...dress, graphql: true, accept });
  expect(response.headers.get("content-type")).toBe("application/graphql-response+json");
});
