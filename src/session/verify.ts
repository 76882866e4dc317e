import type { JWTPayload } from "jose";
import type { Denial } from "../denial.ts";
import { ID } from "../endpoints/endpoint.ts";
import type { Config } from "../env.ts";
import { type MemberRow, readMember } from "../store/members.ts";
import { readAccess } from "./access.ts";
import { readBearer } from "./bearer.ts";
import type { Reader } from "./reader.ts";
import { isRole, type Membership, ROLES, type Session } from "./session.ts";

/**
 * The ways in, the explicit before the ambient. A request that uses several is judged by the first alone:
 * if that one does not hold, no other makes up for it.
 */
export const READERS: readonly Reader[] = [readBearer, readAccess];

/**
 * Who is signed in (spec 7). Both ways in are headers, which no other site can make a browser send; a
 * reader for the console's cookie comes with its own protection against that.
 * @returns 401 `missing_access_token` without a valid session; 503 when its keys cannot be had
 */
export async function verifySession(
  request: Request,
  config: Config,
  db: D1Database,
  readers: readonly Reader[] = READERS,
): Promise<Session | Denial> {
  for (const read of readers) {
    const claims = await read(request, config);
    if (claims === null) continue;
    return isDenial(claims) ? claims : sessionOf(claims, config, db);
  }
  return { code: "missing_access_token", reason: "missing" };
}

/** Claims hold whatever an issuer likes, `code` too, but a denial has no `exp`, and every token has. */
const isDenial = (value: JWTPayload | Denial): value is Denial => !("exp" in value);

/**
 * What verified claims amount to. Accounts and roles that the token names win; the members table, asked by
 * e-mail, fills in for a token that names no account. Admins may come from either, or ADMIN_EMAILS.
 */
async function sessionOf(claims: JWTPayload, config: Config, db: D1Database): Promise<Session | Denial> {
  // Cloudflare Access gives service tokens no subject but a common name.
  const subject = text(claims.sub) ?? text(claims.common_name);
  // It is shown as a name. OpenID Connect Core 2: at most 255 characters.
  if (subject === null || !/^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(subject))
    return { code: "missing_access_token", reason: "no_subject" };
  const email = verifiedEmail(claims);
  const roles = strings(own(claims, config.SESSION_ROLE_CLAIM));
  const accounts = strings(own(claims, config.SESSION_ACCOUNT_CLAIM)).filter((id) => ID.test(id));
  const member = email === null ? null : await readMember(db, email);
  return {
    subject,
    email,
    name: text(claims.name),
    admin:
      roles.includes("admin") ||
      (email !== null && config.ADMIN_EMAILS.includes(email)) ||
      member?.admin === true,
    memberships: accounts.length > 0 ? claimed(accounts, roles) : fromTable(member),
  };
}

/**
 * One role for every account a token names. Without a role claim that is the least; roles that Postern
 * does not know give nothing.
 */
function claimed(accounts: readonly string[], roles: readonly string[]): Membership[] {
  const role = roles.length === 0 ? "viewer" : ROLES.find((known) => roles.includes(known));
  return role === undefined ? [] : [...new Set(accounts)].map((account_id) => ({ account_id, role }));
}

function fromTable(member: MemberRow | null): Membership[] {
  return member === null ? [] : member.accounts.filter(({ role }) => isRole(role));
}

/**
 * Identity providers that let people type in an address say so in `email_verified` (OpenID Connect Core
 * 5.1): where it is present, only true will do. Only ASCII: `toLowerCase` would fold other letters (the
 * Kelvin sign) into somebody else's address.
 */
function verifiedEmail(claims: JWTPayload): string | null {
  const { email_verified: verified = true } = claims;
  if (verified !== true && verified !== "true") return null;
  const email = text(claims.email);
  return email !== null && /^[\x21-\x7e]{1,320}$/.test(email) ? email.toLowerCase() : null;
}

const own = (claims: JWTPayload, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** A claim that is one string or a list of them. */
function strings(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === "string" && item !== "");
}
