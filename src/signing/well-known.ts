import { type Denial, denialResponse } from "../denial.ts";
import type { Config } from "../env.ts";
import { publicJwks } from "./signing-keys.ts";

/**
 * How long a verifier may keep what is published. A new key must be listed this long before it signs;
 * one that is asked for by an unknown `kid` is usually looked up at once all the same.
 */
const MAX_AGE = 300;

/**
 * `/.well-known/…`, public: what a verifier of the gateway's tokens needs.
 * @param name the path below `/.well-known`
 */
export function wellKnown(request: Request, name: string, config: Config, requestId: string): Response {
  const body = documentOf(name, config);
  let denial: Denial | null = null;
  if (body === null) denial = { code: "not_found" };
  else if (request.method !== "GET" && request.method !== "HEAD") {
    denial = { code: "method_not_allowed", allow: ["GET", "HEAD", "OPTIONS"] };
  }
  const response =
    denial === null
      ? Response.json(body, {
          headers: {
            "cache-control": `public, max-age=${MAX_AGE}`,
            "x-content-type-options": "nosniff",
            "x-request-id": requestId,
          },
        })
      : denialResponse(denial, { requestId });
  return request.method === "HEAD" ? new Response(null, response) : response;
}

function documentOf(name: string, config: Config): object | null {
  if (name === "jwks.json") return publicJwks(config.SIGNING_KEYS);
  return name === "openid-configuration" ? discovery(config) : null;
}

/**
 * OpenID Connect Discovery 1.0 section 3, as far as an issuer goes that only signs: nobody signs in here, so
 * there is no authorization endpoint, as with Kubernetes' own service account issuer. Without PUBLIC_URL there
 * is no issuer; the request's `Host` must never become one.
 */
function discovery({ PUBLIC_URL: issuer, SIGNING_KEYS: keys = [] }: Config): object | null {
  if (issuer === undefined) return null;
  return {
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))],
    claims_supported: ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "groups"],
  };
}
