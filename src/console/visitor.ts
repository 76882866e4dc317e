import { createHmac } from "node:crypto";
import { type Denial, isDenial } from "../denial.ts";
import type { Config } from "../env.ts";
import { randomBase62, toBase62 } from "../keys/base62.ts";
import { type OpenSession, readSession } from "../session/console-session.ts";
import { type CookieJar, cookieName, readCookie } from "../session/cookies.ts";
import type { Reader } from "../session/reader.ts";
import { identityOf, type Role, type Session } from "../session/session.ts";
import { READERS, verifySession } from "../session/verify.ts";
import { type AccountRow, readAccount } from "../store/accounts.ts";
import { isEnded } from "../store/ended-sessions.ts";
import { retrying } from "../store/retry.ts";
import type { ConsoleArrival } from "./page.ts";

/** Cookie that remembers which of several accounts was chosen. It opens nothing. */
export const ACCOUNT_COOKIE = "postern_account";

/** Somebody signed in, and the account they look at. */
export interface Visitor {
  session: Session;
  /** Name or address, for people. */
  identity: string;
  /** Null for whoever is in no account: an admin, or somebody not yet invited. */
  account: AccountRow | null;
  role: Role | null;
  /** Whether this session is the console's own, which it can end. */
  cookie: OpenSession | null;
  /** Whether Cloudflare Access signed them in: its own address signs them out. */
  access: boolean;
  /** Hidden in every form. */
  formToken: string;
  /** What a posted form may carry: that, or what a page of before the secret was rotated has in it. */
  formTokens: readonly string[];
}

/**
 * What form tokens are derived from, the current secret first. Where no cookie secrets are set, only Access
 * or a header can be the session, and the secrets that tag keys stand in.
 */
const secretsOf = ({ SESSION_SECRETS: secrets, KEY_TAG_SECRETS: others }: Config): string[] => {
  const { current, secrets: all } = secrets ?? others;
  return [all[current]!, ...Object.values(all)];
};

const derived = (secret: string, ...words: string[]) =>
  createHmac("sha256", secret)
    .update(`postern console\n${JSON.stringify(words)}`)
    .digest();

/**
 * Who visits: the session's header, Cloudflare Access, or the console's cookie, which no other door takes.
 * @returns null when nobody is signed in
 */
export async function findVisitor(
  { request, env, isolate: { config } }: ConsoleArrival,
  jar: CookieJar,
  now: number,
): Promise<Visitor | Denial | null> {
  let cookie: OpenSession | null = null;
  const byCookie: Reader = async () => {
    const held = await readSession(request.headers, config, jar, now);
    cookie = held !== null && (await retrying(() => isEnded(env.DB, held.sid))) ? null : held;
    return cookie && { ...cookie.claims, exp: Math.floor(cookie.until / 1000) };
  };
  const session = await verifySession(request, config, env.DB, [...READERS, byCookie]);
  if (isDenial(session)) {
    return session.code === "missing_access_token" && session.reason === "missing" ? null : session;
  }
  // Assigned in the reader, which is asked last: the compiler does not see that.
  const opened = cookie as OpenSession | null;
  const bound = opened === null ? `sub:${session.subject}` : `sid:${opened.sid}`;
  const formTokens = secretsOf(config).map((secret) => derived(secret, "form", bound).toString("base64url"));
  return {
    session,
    identity: session.name ?? identityOf(session),
    ...(await chosenAccount(env.DB, session, readCookie(request.headers, cookieName(jar, ACCOUNT_COOKIE)))),
    cookie: opened,
    access: opened === null && !request.headers.has("authorization"),
    formToken: formTokens[0]!,
    formTokens,
  };
}

/** The account a visitor looks at: the one wanted, where they are in it, else their first. */
export async function chosenAccount(
  db: D1Database,
  { memberships }: Session,
  wanted: string | null,
): Promise<Pick<Visitor, "account" | "role">> {
  const chosen = memberships.find(({ account_id }) => account_id === wanted) ?? memberships[0];
  if (chosen === undefined) return { account: null, role: null };
  return { account: await readAccount(db, chosen.account_id), role: chosen.role };
}

/** A random value for a form that makes a key. */
export const keyNonce = () => randomBase62(22);

/**
 * Id for the key that a form makes, from the random value in the form: posted twice, it names the same
 * key, and the second is refused. Bound to the session, so that nobody chooses an id.
 */
export function keyIdOf(config: Config, { formToken }: Visitor, nonce: string): string {
  const digest = derived(secretsOf(config)[0]!, "key id", formToken, nonce);
  const parts = [0, 5, 10, 15].map((at) => toBase62(digest.readUIntBE(at, 4), 6));
  return `key_${parts.join("").slice(0, 22)}`;
}
