import { exportJWK, generateKeyPair, type JWK } from "jose";
import { parseConfig } from "../../src/env.ts";
import { Signer } from "../../src/signing/signer.ts";

/** A private key as SIGNING_KEYS lists it. */
export async function privateJwk(kid: string, alg: "ES256" | "RS256" = "ES256"): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg };
}

/** A configuration with these signing keys, read as the Worker reads it. */
export function configWith(keys: unknown, more: Record<string, string> = {}) {
  return parseConfig({
    KEY_TAG_SECRETS: JSON.stringify({ a: "x".repeat(43) }),
    PUBLIC_URL: ISSUER,
    SIGNING_KEYS: JSON.stringify({ keys }),
    ...more,
  });
}

export const ISSUER = "https://gw.test";

export const signerWith = (keys: JWK[]) => new Signer(configWith(keys));
