import { type CryptoKey, importJWK, type JWK } from "jose";
import type { Config } from "../env.ts";

/** A private key that signs, by its id. */
export interface SigningKey {
  kid: string;
  alg: string;
  key: CryptoKey;
}

/** Members of a JWK that are public (RFC 7517, RFC 7518 section 6); whatever else there is stays here. */
const PUBLIC_MEMBERS = ["kty", "crv", "x", "y", "n", "e", "kid", "alg"] as const;

/** What `/.well-known/jwks.json` publishes: every key's public half, so that old signatures still verify. */
export function publicJwks(config: Config): { keys: JWK[] } {
  const keys = (config.SIGNING_KEYS?.keys ?? []) as JWK[];
  return {
    keys: keys.map((jwk) => {
      const shown: JWK = { kty: jwk.kty as string, use: "sig" };
      for (const member of PUBLIC_MEMBERS)
        if (jwk[member] !== undefined) shown[member] = jwk[member] as string;
      return shown;
    }),
  };
}

/**
 * The first listed key of an algorithm, which signs; null when there is none.
 * @throws when the key cannot be read as a private key of that algorithm
 */
export async function signingKey(config: Config, alg: "ES256" | "RS256"): Promise<SigningKey | null> {
  const keys = (config.SIGNING_KEYS?.keys ?? []) as JWK[];
  const jwk = keys.find((candidate) => candidate.alg === alg);
  if (jwk === undefined || jwk.d === undefined || jwk.kid === undefined) return null;
  return { kid: jwk.kid, alg, key: (await importJWK(jwk, alg)) as CryptoKey };
}
