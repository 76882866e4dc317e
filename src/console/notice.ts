import type { Config } from "../env.ts";
import { type CookieJar, cookieName, readCookie, setCookie } from "../session/cookies.ts";
import { signValue, verifyValue } from "../session/signed.ts";

/** Something to tell a person at the top of the next page they see. */
export interface Notice {
  kind: "success" | "warning" | "error" | "info";
  /** One or two sentences. Never a secret. */
  text: string;
}

const COOKIE = "postern_notice";

/** Long enough for a redirect; seconds. */
const LIFETIME = 60;

/** The cookie that carries a notice over a redirect. Signed: nobody else puts words in the console's mouth. */
export async function noticeCookie(
  config: Config,
  jar: CookieJar,
  notice: Notice,
  now: number,
): Promise<string | null> {
  if (config.SESSION_SECRETS === undefined) return null;
  const text = notice.text.slice(0, 600);
  const use = { purpose: "notice", host: jar.host } as const;
  const token = await signValue(config.SESSION_SECRETS, use, { ...notice, text }, LIFETIME, now);
  return setCookie(jar, COOKIE, token, LIFETIME);
}

/** The notice a request brings, and the cookie that takes it away again. */
export async function readNotice(
  headers: Headers,
  config: Config,
  jar: CookieJar,
  now: number,
): Promise<{ notice: Notice | null; clear: string } | null> {
  const token = readCookie(headers, cookieName(jar, COOKIE));
  if (token === null || config.SESSION_SECRETS === undefined) return null;
  const use = { purpose: "notice", host: jar.host } as const;
  const read = await verifyValue<Notice>(config.SESSION_SECRETS, use, token, now);
  return { notice: read?.value ?? null, clear: setCookie(jar, COOKIE, "", 0) };
}
