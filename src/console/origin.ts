import type { Config } from "../env.ts";
import type { RequestUrl } from "../http/url.ts";
import type { CookieJar } from "../session/cookies.ts";

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/;

/** Whether the host of a parsed URL is this machine, as the person at it named it. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Where a person is, as far as that may be shown the console. */
export type Whereabouts =
  /** Scheme and host that the person sees. */
  | { origin: string }
  /** The same page by https, where the request came by plain http. */
  | { elsewhere: string }
  /** A session would travel unprotected: plain http on anything but this machine. */
  | "plain_http";

/** Where a request came from. Its scheme is what the runtime says, unless TLS_PROXY says that PUBLIC_URL's is. */
export function whereaboutsOf(url: RequestUrl, config: Config): Whereabouts {
  const { scheme, host } = url;
  // As a URL writes it, and so as browsers do: lower case, without the scheme's own port.
  const seen = new URL(`${scheme}://${host}`);
  if (seen.protocol === "https:") return { origin: seen.origin };
  const known = config.PUBLIC_URL === undefined ? null : new URL(config.PUBLIC_URL);
  if (known?.protocol === "https:" && known.host === seen.host) {
    return config.TLS_PROXY ? { origin: known.origin } : { elsewhere: known.origin };
  }
  return isLoopback(seen.host) ? { origin: seen.origin } : "plain_http";
}

/** How cookies are named and kept for an origin. */
export const cookieJarOf = (origin: string): CookieJar => ({
  secure: origin.startsWith("https:"),
  host: new URL(origin).host,
});
