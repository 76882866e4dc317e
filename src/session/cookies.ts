/** A cookie's value among a request's; null when it is absent, or there twice. */
export function readCookie(headers: Headers, name: string): string | null {
  const values = (headers.get("cookie") ?? "").split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    return pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  // Twice means that somebody else set one, on a parent domain or an inner path: neither is believed.
  return values.length === 1 && values[0] !== "" ? values[0]! : null;
}

/** How this host's cookies are named and kept. */
export interface CookieJar {
  /** Whether the page came by https; only then do browsers take `__Host-` and `Secure`. */
  secure: boolean;
  /** Host and port of the page. */
  host: string;
}

/** The full name of a cookie: `__Host-` keeps other hosts of the domain from setting it (RFC 6265bis 4.1.3.2). */
export function cookieName({ secure }: CookieJar, name: string): string {
  return `${secure ? "__Host-" : ""}${name}`;
}

/**
 * A `Set-Cookie` that scripts cannot read and other sites' posts do not carry.
 * @param maxAge seconds; 0 clears
 */
export function setCookie(jar: CookieJar, name: string, value: string, maxAge: number): string {
  const secure = jar.secure ? "; Secure" : "";
  return `${cookieName(jar, name)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
}
