import { createRemoteJWKSet } from "jose";
import type { Config } from "../env.ts";
import { oncePerConfig } from "../once-per-config.ts";
import { notConfigured, type Reader } from "./reader.ts";
import { type TrustedIssuer, verifyToken } from "./token.ts";

/**
 * Cloudflare Access: the token that Access adds to each request it lets through. Its issuer is the team
 * domain, its keys are at `/cdn-cgi/access/certs` (Cloudflare One docs, "Validate JWTs").
 */
export const readAccess: Reader = async (request, config) => {
  const token = request.headers.get("cf-access-jwt-assertion");
  if (token === null) return null;
  const team = trustedTeam(config);
  // Not in use: then the header is one that anybody may send, and means nothing.
  if (team === null) return null;
  return Array.isArray(team) ? notConfigured(team) : verifyToken(token, team);
};

const trustedTeam = oncePerConfig((config: Config): TrustedIssuer | string[] | null => {
  const { ACCESS_TEAM_DOMAIN: issuer, ACCESS_AUDIENCE: audience } = config;
  if (!issuer && !audience) return null;
  if (!issuer) return ["ACCESS_TEAM_DOMAIN"];
  if (!audience) return ["ACCESS_AUDIENCE"];
  return { issuer, audience, keys: createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`)) };
});
