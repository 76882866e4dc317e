import { Buffer } from "node:buffer";
import { type KeyObject, verify } from "node:crypto";
import type { Denial } from "../denial.ts";
import type { Config } from "../env.ts";
import { partnerKeys } from "./signing-keys.ts";

/** What a request says about its signature (GitHub docs, "Secret scanning partner program"). */
export interface Claimed {
  keyId: string;
  /** ECDSA over P-256 with SHA-256, in DER. */
  signature: Uint8Array;
}

/** Reads the two headers, before the body is. */
export function claimedSignature(headers: Headers): Claimed | Denial {
  const keyId = headers.get("github-public-key-identifier");
  const encoded = headers.get("github-public-key-signature");
  if (keyId === null || encoded === null) return { code: "invalid_signature", reason: "missing" };
  if (!/^[A-Za-z0-9+/]{1,200}={0,2}$/.test(encoded))
    return { code: "invalid_signature", reason: "malformed" };
  return { keyId, signature: Buffer.from(encoded, "base64") };
}

/** The partner's key that a request says it is signed with, if the partner lists it. */
export async function findSigner(
  { keyId }: Claimed,
  config: Config,
  now: number,
): Promise<{ key: KeyObject } | Denial> {
  const key = await partnerKeys(config).find(keyId, now);
  if (key === "unavailable") {
    return {
      code: "state_unavailable",
      detail: "The keys to verify the signature with cannot be had right now",
    };
  }
  return key === null ? { code: "invalid_signature", reason: "unknown_key" } : { key };
}

/** Whether the bytes, exactly as they came, are signed by that key. */
export function isSigned(body: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    return verify("sha256", body, key, signature);
  } catch {
    return false; // not DER
  }
}
