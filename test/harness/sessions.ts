import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { TestGateway } from "./gateway.ts";
import type { Call } from "./http.ts";

/** Claims of a session token; those that are not named have a good value, `undefined` leaves one out. */
export interface Claims {
  iss?: string | undefined;
  aud?: string | undefined;
  exp?: number | undefined;
  sub?: string | undefined;
  [claim: string]: unknown;
}

/** Signs session tokens, and has what a gateway needs to believe them. */
export interface Sessions {
  vars: Record<string, string>;
  sign(claims: Claims, header?: Record<string, unknown>): Promise<string>;
  /** The header of a session for an account, by default its owner's. */
  of(account: string | string[], role?: string | string[], more?: Claims): Promise<Record<string, string>>;
  /** The header of an admin's session. */
  admin(more?: Claims): Promise<Record<string, string>>;
}

const ISSUER = "https://issuer.test/";
const AUDIENCE = "postern-test";

export async function createSessions(): Promise<Sessions> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" };
  const sign: Sessions["sign"] = (claims, header = {}) => {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const all = { iss: ISSUER, aud: AUDIENCE, sub: "user-1", exp, ...claims };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(given).setProtectedHeader({ alg: "ES256", kid: "one", ...header }).sign(privateKey);
  };
  const bearer = async (claims: Claims) => ({ authorization: `Bearer ${await sign(claims)}` });
  return {
    vars: {
      SESSION_ISSUER: ISSUER,
      SESSION_AUDIENCE: AUDIENCE,
      SESSION_JWKS: JSON.stringify({ keys: [jwk] }),
    },
    sign,
    of: (account_id, role = "owner", more = {}) => bearer({ account_id, role, ...more }),
    admin: (more = {}) => bearer({ role: "admin", sub: "admin-1", ...more }),
  };
}

/** Calls the management API as somebody, with a JSON body where one is given. */
export function as(gateway: TestGateway, headers: Record<string, string>) {
  return (method: string, path: string, body?: object, more: Call = {}) =>
    gateway.call(path, {
      method,
      ...(body !== undefined && { body }),
      ...more,
      headers: { ...headers, ...(more.headers as Record<string, string> | undefined) },
    });
}
