import { type Denial, problemOf } from "../denial.ts";
import { EXAMPLE_REQUEST_ID } from "./examples.ts";

/** One denial of each code, as a caller may meet it. */
const SAMPLES: Record<Denial["code"], Denial> = {
  invalid_request: { code: "invalid_request", detail: "expires_at must be in the future" },
  path_reserved: { code: "path_reserved", detail: "path /admin belongs to the gateway itself" },
  account_required: {
    code: "account_required",
    detail: "Name one of your accounts in the header x-postern-account-id",
  },
  invalid_api_key: { code: "invalid_api_key", reason: "unknown" },
  missing_access_token: { code: "missing_access_token" },
  invalid_signature: { code: "invalid_signature", reason: "wrong" },
  insufficient_scope: {
    code: "insufficient_scope",
    needed: "kubernetes_exec",
    resource: "namespace 0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11",
  },
  environment_not_available: { code: "environment_not_available", endpoint: "chat" },
  forbidden: { code: "forbidden", detail: "The role viewer does not allow this" },
  endpoint_not_found: { code: "endpoint_not_found" },
  api_key_not_found: { code: "api_key_not_found" },
  not_found: { code: "not_found" },
  method_not_allowed: { code: "method_not_allowed", allow: ["GET"] },
  key_revoked: { code: "key_revoked", detail: "Revoked or expired keys cannot be modified" },
  key_expired: { code: "key_expired", detail: "Revoked or expired keys cannot be modified" },
  legacy_key: { code: "legacy_key", detail: "The scopes of a legacy key cannot be edited" },
  path_taken: { code: "path_taken", detail: "The path /v2/chat is taken by the endpoint chat" },
  in_use: { code: "in_use", detail: "A key that is neither revoked nor expired names this endpoint" },
  conflict: { code: "conflict", detail: "Somebody else is changing this at the same time" },
  active_key_limit_reached: { code: "active_key_limit_reached", limit: 100 },
  body_too_large: { code: "body_too_large", limit: 262_144 },
  unsupported_media_type: {
    code: "unsupported_media_type",
    detail: "The content type must be application/json",
  },
  uri_too_long: { code: "uri_too_long" },
  headers_too_large: { code: "headers_too_large" },
  unknown_host: { code: "unknown_host" },
  rate_limited: { code: "rate_limited", retryAfter: 60 },
  origin_unreachable: { code: "origin_unreachable" },
  origin_timeout: { code: "origin_timeout", seconds: 120 },
  state_unavailable: { code: "state_unavailable", detail: "The database cannot be reached right now" },
  internal_error: { code: "internal_error" },
};

/** The body of a denial, for the documentation. */
export function problemExample(code: Denial["code"]) {
  return problemOf(SAMPLES[code], EXAMPLE_REQUEST_ID);
}
