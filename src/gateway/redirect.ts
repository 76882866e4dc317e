import type { Endpoint } from "../endpoints/endpoint.ts";

/** What a `Location` is judged against. */
export interface RedirectContext {
  url: string;
  endpoint: Endpoint;
  publicBase: string;
  originBase: string;
}

/**
 * The `Location` a client may see: below the endpoint's own origin it is rewritten to the gateway, in the
 * form it came in (absolute or relative); anywhere else is null, unless the endpoint lets redirects pass.
 */
export function locationForClient(location: string, context: RedirectContext): string | null {
  const { endpoint, publicBase, originBase } = context;
  let target: URL;
  try {
    target = new URL(location, context.url);
  } catch {
    return endpoint.redirects === "pass" ? location : null;
  }
  const base = new URL(originBase);
  const basePath = base.pathname.replace(/\/$/, "");
  const below = target.pathname === basePath || target.pathname.startsWith(`${basePath}/`);
  if (target.origin === base.origin && below) {
    const rewritten = publicBase + target.pathname.slice(basePath.length) + target.search + target.hash;
    return /^[a-z][a-z0-9+.-]*:|^\/\//i.test(location)
      ? rewritten
      : new URL(rewritten).href.slice(new URL(rewritten).origin.length);
  }
  return endpoint.redirects === "pass" ? location : null;
}
