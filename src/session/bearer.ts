import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTPayload } from "jose";
import type { Denial } from "../denial.ts";
import type { Config } from "../env.ts";
import { oncePerConfig } from "../once-per-config.ts";
import { notConfigured, type Reader } from "./reader.ts";
import { type TrustedIssuer, verifyToken } from "./token.ts";

/** `Authorization: Bearer` with a token of any OpenID Connect issuer. */
export const readBearer: Reader = async (request, config) => {
  const token = /^Bearer +(.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return token === undefined ? null : verifyBearer(token, config);
};

/** The claims of a token of the configured issuer. */
export async function verifyBearer(token: string, config: Config): Promise<JWTPayload | Denial> {
  // An API key has no dots; it must not even make a misconfiguration known.
  if (token.split(".").length !== 3) return { code: "missing_access_token", reason: "not_a_token" };
  const issuer = trustedIssuer(config);
  return Array.isArray(issuer) ? notConfigured(issuer) : verifyToken(token, issuer);
}

/** The configured issuer, or the names of the variables that are missing. Keys given inline win over a URL. */
const trustedIssuer = oncePerConfig((config: Config): TrustedIssuer | string[] => {
  const { SESSION_ISSUER: issuer, SESSION_AUDIENCE: audience, SESSION_JWKS, SESSION_JWKS_URL } = config;
  const keys = SESSION_JWKS
    ? createLocalJWKSet(SESSION_JWKS as JSONWebKeySet)
    : SESSION_JWKS_URL && createRemoteJWKSet(new URL(SESSION_JWKS_URL));
  if (issuer && audience && keys) return { issuer, audience, keys };
  return [
    ...(issuer ? [] : ["SESSION_ISSUER"]),
    ...(audience ? [] : ["SESSION_AUDIENCE"]),
    ...(keys ? [] : ["SESSION_JWKS or SESSION_JWKS_URL"]),
  ];
});
