/** Why a presented credential was not accepted. For the log, the usage counts and the console only. */
export type KeyReason =
  | "missing"
  | "malformed"
  | "forged"
  | "unknown"
  | "query_key_not_allowed"
  | "disabled"
  | "expired"
  | "revoked"
  | "account_suspended";

/**
 * Everything that can end a request's journey. A denial is a value, not an exception; what the client
 * may see of it is decided by `face` below, in one place.
 */
export type Denial =
  | { code: "invalid_request" | "path_reserved" | "account_required"; detail: string }
  | { code: "invalid_api_key"; reason: KeyReason }
  | { code: "missing_access_token"; reason?: string }
  | { code: "invalid_signature"; reason: string }
  | { code: "insufficient_scope"; needed: string; resource: string }
  | { code: "environment_not_available"; endpoint: string }
  | { code: "forbidden"; detail: string }
  | { code: "endpoint_not_found" }
  | { code: "api_key_not_found" }
  | { code: "not_found"; detail?: string }
  | { code: "method_not_allowed"; allow: readonly string[] }
  | {
      code: "key_revoked" | "key_expired" | "legacy_key" | "path_taken" | "in_use" | "conflict";
      detail: string;
    }
  | { code: "active_key_limit_reached"; limit: number }
  | { code: "body_too_large"; limit: number; detail?: string }
  | { code: "unsupported_media_type"; detail: string }
  | { code: "uri_too_long" }
  | { code: "headers_too_large" }
  | { code: "unknown_host" }
  | { code: "rate_limited"; retryAfter: number }
  | { code: "origin_unreachable"; detail?: string }
  | { code: "origin_timeout"; seconds: number }
  | { code: "state_unavailable"; detail?: string }
  | { code: "internal_error" };

/** Whether a step ended the journey. */
export const isDenial = (value: object): value is Denial => "code" in value;

/** The same words for every reason: a client must not learn which keys exist (spec 2.2). */
export const INVALID_API_KEY = "Missing, invalid, revoked, or expired API key";

interface Face {
  status: number;
  detail: string;
  headers?: Record<string, string>;
}

function face(denial: Denial): Face {
  switch (denial.code) {
    case "invalid_request":
    case "path_reserved":
    case "account_required":
      return { status: 400, detail: denial.detail };
    case "invalid_api_key":
      // RFC 6750 section 3: no error code when the request carried no credential at all.
      return {
        status: 401,
        detail: INVALID_API_KEY,
        headers: {
          "www-authenticate":
            denial.reason === "missing"
              ? 'Bearer realm="postern"'
              : 'Bearer realm="postern", error="invalid_token"',
        },
      };
    case "missing_access_token":
      return {
        status: 401,
        detail: "Missing access token",
        headers: { "www-authenticate": 'Bearer realm="postern"' },
      };
    case "invalid_signature":
      return {
        status: 401,
        detail: "The signature could not be verified",
        headers: { "www-authenticate": 'Signature realm="postern"' },
      };
    case "insufficient_scope":
      return {
        status: 403,
        detail: `This API key needs ${denial.needed} access on ${denial.resource}`,
        headers: { "www-authenticate": 'Bearer error="insufficient_scope"' },
      };
    case "environment_not_available":
      return { status: 403, detail: `Endpoint ${denial.endpoint} has no test environment` };
    case "forbidden":
      return { status: 403, detail: denial.detail };
    case "endpoint_not_found":
      return { status: 404, detail: "Endpoint not found" };
    case "api_key_not_found":
      return { status: 404, detail: "API key not found" };
    case "not_found":
      return { status: 404, detail: denial.detail ?? "Not found" };
    case "method_not_allowed":
      return { status: 405, detail: "Method not allowed", headers: { allow: denial.allow.join(", ") } };
    case "key_revoked":
    case "key_expired":
    case "legacy_key":
    case "path_taken":
    case "in_use":
    case "conflict":
      return { status: 409, detail: denial.detail };
    case "active_key_limit_reached":
      return { status: 409, detail: `The account has reached its limit of ${denial.limit} active API keys` };
    case "body_too_large":
      return {
        status: 413,
        detail: denial.detail ?? `The request body is larger than ${denial.limit} bytes`,
      };
    case "unsupported_media_type":
      return { status: 415, detail: denial.detail };
    case "uri_too_long":
      return { status: 414, detail: "The URL is longer than 8 KiB" };
    case "headers_too_large":
      return { status: 431, detail: "The request has more than 128 headers or 32 KiB of them" };
    case "unknown_host":
      return { status: 421, detail: "This gateway does not serve the requested host" };
    case "rate_limited":
      return {
        status: 429,
        detail: "Too many unknown API keys from this address",
        headers: { "retry-after": String(denial.retryAfter) },
      };
    case "origin_unreachable":
      return { status: 502, detail: denial.detail ?? "The origin could not be reached" };
    case "origin_timeout":
      return { status: 504, detail: `The origin did not answer within ${denial.seconds} seconds` };
    case "state_unavailable":
      return {
        status: 503,
        detail: denial.detail ?? "The state of this API key cannot be determined right now",
        headers: { "retry-after": "1" },
      };
    case "internal_error":
      return { status: 500, detail: "Internal error" };
  }
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** The `error.type` that the OpenAI and Anthropic clients map to their exception classes. */
function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 409) return "conflict_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

/** The word that the log and the usage counts keep for a denial: more than the client is told. */
export function reasonOf(denial: Denial): string {
  return denial.code === "invalid_api_key" ? denial.reason : denial.code;
}

/** How the answer to a denial is dressed. */
export interface Dress {
  requestId: string;
  /** GraphQL clients read `errors` and ignore `application/problem+json`. */
  graphql?: boolean;
  /** The request's `Accept` header. */
  accept?: string | null;
}

/** The body of the answer to a denial: problem details (RFC 9457) with an `error` member that AI SDKs read. */
export function problemOf(denial: Denial, requestId: string) {
  const { status, detail } = face(denial);
  const error = { code: denial.code, message: detail, type: errorType(status), request_id: requestId };
  return { type: "about:blank", title: TITLES[status], status, detail, error };
}

/**
 * The answer to a denial: problem details (RFC 9457) with an `error` member that AI SDKs read and, for
 * GraphQL, the `errors` that GraphQL clients read (GraphQL over HTTP, response media types).
 */
export function denialResponse(denial: Denial, dress: Dress): Response {
  const { status, detail, headers: extra } = face(denial);
  const { code } = denial;
  const body: Record<string, unknown> = problemOf(denial, dress.requestId);
  let contentType = "application/problem+json";
  if (dress.graphql) {
    body.errors = [{ message: detail, extensions: { code } }];
    contentType = dress.accept?.includes("application/graphql-response+json")
      ? "application/graphql-response+json"
      : "application/json";
  }
  const headers = new Headers(extra);
  headers.set("content-type", contentType);
  headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-request-id", dress.requestId);
  // Stainless-generated SDKs retry 409 on their own; a refusal does not change by asking again.
  if (status < 500 && status !== 429) headers.set("x-should-retry", "false");
  return new Response(JSON.stringify(body), { status, headers });
}
