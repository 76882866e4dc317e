import type { Config } from "../env.ts";
import type { RequestUrl } from "../http/url.ts";
import type { CookieJar } from "../session/cookies.ts";

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;

/** Whether a host is this machine, as the person at it named it. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/**
 * Scheme and host that the person sees. Behind a proxy that ends TLS the scheme is PUBLIC_URL's, where that
 * names this host.
 * @returns null where a session would travel unprotected: plain http on anything but this machine
 */
export function originOf({ scheme, host }: RequestUrl, config: Config): string | null {
  const known = config.PUBLIC_URL === undefined ? null : new URL(config.PUBLIC_URL);
  if (known?.protocol === "https:" && known.host === host.toLowerCase()) return known.origin;
  if (scheme === "https") return `https://${host}`;
  return isLoopback(host) ? `http://${host}` : null;
}

/** How cookies are named and kept for an origin. */
export const cookieJarOf = (origin: string): CookieJar => ({ secure: origin.startsWith("https:") });
