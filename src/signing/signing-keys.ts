import type { JWK } from "jose";
import * as z from "zod/mini";
import { refuse } from "../refusal.ts";

/** What the gateway signs with: every kube-apiserver and every JWT library verifies these two. */
export type Algorithm = "ES256" | "RS256";

/** One key of SIGNING_KEYS, its two halves apart so that the private one cannot be published by mistake. */
export interface SigningKey {
  kid: string;
  alg: Algorithm;
  publicJwk: JWK;
  /** Null: a retired key, published so that what it signed still verifies. */
  privateJwk: JWK | null;
}

/** What a key of an algorithm consists of (RFC 7518 sections 6.2 and 6.3). */
const SHAPES = {
  ES256: { fixed: { kty: "EC", crv: "P-256" }, open: ["x", "y"], secret: ["d"] },
  RS256: { fixed: { kty: "RSA" }, open: ["n", "e"], secret: ["d", "p", "q", "dp", "dq", "qi"] },
} as const;

/** Base64url of 256 bytes: RS256 asks for 2048 bits or more (RFC 7518 section 3.3). */
const LEAST_MODULUS = 342;

/** What is said of a value that is no JWK set at all. */
export const NO_JWK_SET = "must be a JWK set with at least one key";

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * SIGNING_KEYS: a JWK set in which the first key of an algorithm signs, and all are published. Only known
 * members are taken over. Messages name a key by its place, never by anything in it.
 */
export const signingKeySet = z.pipe(
  z.object({ keys: z.array(z.unknown(), NO_JWK_SET).check(z.minLength(1, NO_JWK_SET)) }, NO_JWK_SET),
  z.transform(({ keys: given }, context): SigningKey[] => {
    const keys: SigningKey[] = [];
    const complain = (message: string) => refuse(context, { message });
    for (const [i, value] of given.entries()) {
      const key = readKey(value);
      if (typeof key === "string") {
        complain(`key ${i + 1}: ${key}`);
        continue;
      }
      if (keys.some(({ kid }) => kid === key.kid)) complain(`key ${i + 1}: kid is another key's already`);
      if (key.privateJwk === null && !keys.some(({ alg }) => alg === key.alg)) {
        complain(`key ${i + 1}: the first ${key.alg} key signs, so it needs its private part`);
      }
      keys.push(key);
    }
    return keys;
  }),
);

/** The key, or what is wrong with it. */
function readKey(value: unknown): SigningKey | string {
  if (typeof value !== "object" || value === null) return "must be a JWK";
  const { kid, alg, use } = value as Record<string, unknown>;
  if (typeof kid !== "string" || kid === "") return "kid is missing";
  if (alg !== "ES256" && alg !== "RS256") return "alg must be ES256 or RS256";
  if (use !== undefined && use !== "sig") return "use must be sig";
  const { fixed, open, secret } = SHAPES[alg];
  const members = value as Record<string, unknown>;
  for (const [name, needed] of Object.entries(fixed)) {
    if (members[name] !== needed) return `${name} must be ${needed} for ${alg}`;
  }
  const sound = (name: string) => {
    const member = members[name];
    return typeof member === "string" && BASE64URL.test(member);
  };
  const publicProblem = open.find((name) => !sound(name));
  if (publicProblem !== undefined) return `${publicProblem} must be base64url`;
  if (alg === "RS256" && (members.n as string).length < LEAST_MODULUS) {
    return "an RS256 key must have at least 2048 bits";
  }
  const missing = secret.filter((name) => !sound(name));
  if (missing.length > 0 && missing.length < secret.length) {
    return `the private part is incomplete: ${missing.join(", ")}`;
  }
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, members[name]]));
  const publicJwk = { ...fixed, ...pick(open), kid, alg, use: "sig" } as JWK;
  return {
    kid,
    alg,
    publicJwk,
    privateJwk: missing.length > 0 ? null : { ...fixed, ...pick([...open, ...secret]) },
  };
}

/** What `/.well-known/jwks.json` publishes: every key's public half, so that old signatures still verify. */
export function publicJwks(keys: readonly SigningKey[] | undefined): { keys: JWK[] } {
  return { keys: (keys ?? []).map(({ publicJwk }) => publicJwk) };
}
