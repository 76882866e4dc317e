import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { JOSEError } from "jose/errors";
import type { Denial } from "../denial.ts";

/** Whose tokens are believed, and by which keys. */
export interface TrustedIssuer {
  issuer: string;
  audience: string;
  keys: JWTVerifyGetKey;
}

/** Asymmetric only: with a shared secret, whoever verifies could also sign (RFC 8725 section 3.1). */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** How far the issuer's clock may be off, in seconds. */
const CLOCK_TOLERANCE = 5;

/** Failures of the key set, not of the token: asking again may help. */
const KEY_SET_FAILURES = new Set(["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"]);

/**
 * The claims of a token, once signature, issuer, audience and lifetime hold. An empty issuer or audience
 * would make `jose` skip its check, so it is refused here whatever the caller looked at.
 */
export async function verifyToken(token: string, trusted: TrustedIssuer): Promise<JWTPayload | Denial> {
  const { issuer, audience, keys } = trusted;
  if (!issuer || !audience) return { code: "missing_access_token", reason: "not_configured" };
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE,
    });
    return payload;
  } catch (error) {
    if (error instanceof JOSEError && !KEY_SET_FAILURES.has(error.code)) {
      return { code: "missing_access_token", reason: error.code };
    }
    console.error(JSON.stringify({ message: "session keys cannot be had", error: String(error) }));
    return { code: "state_unavailable", detail: "Sign-in cannot be verified right now" };
  }
}
