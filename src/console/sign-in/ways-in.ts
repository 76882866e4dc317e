import type { Config } from "../../env.ts";
import { oidcClient } from "../../session/oidc.ts";
import { notConfigured } from "../../session/reader.ts";
import { isLoopback } from "../origin.ts";

/** How people can sign in here. */
export interface WaysIn {
  /** Host of the OpenID Connect issuer, or null. */
  oidc: string | null;
  access: boolean;
  local: boolean;
  any: boolean;
}

/**
 * Whether the link that a local gateway prints is taken: where it is switched on, and on this machine alone.
 * Behind a proxy, a loopback host would be no more than what the client says.
 */
export function takesLocalLinks(config: Config, origin: string): boolean {
  const { LOCAL_SIGN_IN, TLS_PROXY, SESSION_SECRETS } = config;
  return LOCAL_SIGN_IN && !TLS_PROXY && SESSION_SECRETS !== undefined && isLoopback(new URL(origin).host);
}

/** The ways in that are set up. */
export function waysIn(config: Config, origin: string): WaysIn {
  const client = oidcClient(config);
  if (Array.isArray(client)) notConfigured(client);
  const oidc = client && !Array.isArray(client) ? new URL(client.issuer).host : null;
  const access = config.ACCESS_TEAM_DOMAIN !== undefined && config.ACCESS_AUDIENCE !== undefined;
  const local = takesLocalLinks(config, origin);
  return { oidc, access, local, any: oidc !== null || access || local };
}
