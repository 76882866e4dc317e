import { importJWK, SignJWT } from "jose";
import type { LocalSecrets } from "./local-secrets.ts";
import type { LocalSettings } from "./local-settings.ts";

export const ROLES = ["owner", "member", "viewer"] as const;

/** Whom a local session token speaks for. */
export interface SessionSubject {
  account?: string | undefined;
  role?: (typeof ROLES)[number] | undefined;
  admin?: boolean | undefined;
  email?: string | undefined;
}

/** A session token that the local gateway accepts for 12 hours. */
export async function signSessionToken(
  local: LocalSecrets,
  { vars }: LocalSettings,
  { account, role, admin, email }: SessionSubject,
): Promise<string> {
  // Without an account and a role, the gateway looks the e-mail address up among its members.
  const held = role ?? (account === undefined ? undefined : "owner");
  const roles = admin ? [...(held === undefined ? [] : [held]), "admin"] : held;
  const claims = {
    ...(account !== undefined && { [vars.SESSION_ACCOUNT_CLAIM || "account_id"]: account }),
    ...(roles !== undefined && { [vars.SESSION_ROLE_CLAIM || "role"]: roles }),
    ...(email !== undefined && { email }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid: local.SESSION_KEY.kid!, typ: "JWT" })
    .setIssuer(vars.SESSION_ISSUER!)
    .setAudience(vars.SESSION_AUDIENCE!)
    .setSubject(email ?? `local:${account ?? "admin"}`)
    .setIssuedAt()
    .setExpirationTime("12h")
    .sign(await importJWK(local.SESSION_KEY, "ES256"));
}
