import type { JWTPayload } from "jose";
import type { Config } from "../env.ts";
import { randomBase62 } from "../keys/base62.ts";
import { type CookieJar, cookieName, readCookie, setCookie } from "./cookies.ts";
import { signValue, verifyValue } from "./signed.ts";

/** Name of the console's session cookie, less `__Host-`. */
export const SESSION_COOKIE = "postern_session";

/** How long a session lasts without a visit, and in all; seconds. */
const IDLE = 3600;
const LONGEST = 12 * 3600;

/** Age in seconds from which a visit renews the cookie. */
const RENEW_AFTER = 300;

/** Browsers keep 4096 bytes of a cookie with its name and attributes (RFC 6265 section 6.1). */
const MAX_COOKIE = 3900;

/** What the session cookie holds: what the issuer said, not what it amounts to. That is asked anew at each visit. */
export interface ConsoleSession {
  /** Random; new at each sign-in, kept when the cookie is renewed. Form tokens and the session's end go by it. */
  sid: string;
  /** When the person signed in, in ms. */
  since: number;
  /** When it ends at the latest, in ms. */
  until: number;
  /** Verified claims, as far as `verifySession` reads them. */
  claims: JWTPayload;
}

/** A session read from its cookie, and whether the cookie is due to be renewed. */
export interface OpenSession extends ConsoleSession {
  due: boolean;
}

/** A new session for verified claims. It ends with them where they end sooner than 12 hours from now. */
export function newSession(
  claims: JWTPayload,
  config: Config,
  now: number,
  expires?: number,
): ConsoleSession {
  const kept = ["sub", "common_name", "email", "email_verified", "name"];
  const names = [...kept, config.SESSION_ACCOUNT_CLAIM, config.SESSION_ROLE_CLAIM];
  const held = names.flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name]]] : []));
  return {
    sid: randomBase62(22),
    since: now,
    until: Math.min(now + LONGEST * 1000, expires ?? Number.POSITIVE_INFINITY),
    claims: Object.fromEntries(held),
  };
}

/** The `Set-Cookie` of a session, or null when it has more to say than a cookie holds. */
export async function sessionCookie(
  session: ConsoleSession,
  config: Config,
  jar: CookieJar,
  now: number,
): Promise<string | null> {
  const lifetime = Math.min(IDLE, Math.floor((session.until - now) / 1000));
  const { sid, since, until, claims } = session;
  const token = await signValue(
    config.SESSION_SECRETS!,
    { purpose: "session", host: jar.host },
    { sid, since, until, claims },
    lifetime,
    now,
  );
  const cookie = setCookie(jar, SESSION_COOKIE, token, lifetime);
  return cookie.length > MAX_COOKIE ? null : cookie;
}

/** The session of a request's cookie; null when there is none that holds. For the console alone. */
export async function readSession(
  headers: Headers,
  config: Config,
  jar: CookieJar,
  now: number,
): Promise<OpenSession | null> {
  const token = readCookie(headers, cookieName(jar, SESSION_COOKIE));
  if (token === null || config.SESSION_SECRETS === undefined) return null;
  const use = { purpose: "session", host: jar.host } as const;
  const read = await verifyValue<ConsoleSession>(config.SESSION_SECRETS, use, token, now);
  if (read === null || read.value.until <= now) return null;
  return { ...read.value, due: now / 1000 - read.iat > RENEW_AFTER };
}
