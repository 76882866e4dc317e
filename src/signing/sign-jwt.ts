import { Buffer } from "node:buffer";
import type { JWTPayload } from "jose";

/** How the algorithms that sign here are called by WebCrypto, when a key is imported as when it signs. */
export const ALGORITHMS = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  HS256: { name: "HMAC", hash: "SHA-256" },
} as const;

/**
 * Signs claims as a JWT in compact form (RFC 7515 section 7.1, RFC 7519 section 7.1). Verifying is `jose`'s.
 * @param key imported for the algorithm, for signing
 */
export async function signJwt(
  header: { alg: keyof typeof ALGORITHMS; kid: string; typ?: "JWT" },
  claims: JWTPayload,
  key: CryptoKey,
): Promise<string> {
  const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const signed = `${part(header)}.${part(claims)}`;
  const signature = await crypto.subtle.sign(ALGORITHMS[header.alg], key, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}
