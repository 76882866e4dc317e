import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey } from "jose";
import * as oauth from "oauth4webapi";
import type { Config } from "../env.ts";
import { oncePerConfig } from "../once-per-config.ts";
import { verifyToken } from "./token.ts";

/** The console as a client of an OpenID Connect issuer. */
export interface OidcClient {
  issuer: string;
  id: string;
  secret: string | undefined;
  scope: string;
}

/** The client that is configured, the names of the variables that are missing, or null where none is set. */
export function oidcClient(config: Config): OidcClient | string[] | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: id, OIDC_CLIENT_SECRET: secret, OIDC_SCOPE: scope } = config;
  if (!issuer && !id && !secret) return null;
  if (issuer && id && config.SESSION_SECRETS) return { issuer, id, secret, scope };
  return [
    ...(issuer ? [] : ["OIDC_ISSUER"]),
    ...(id ? [] : ["OIDC_CLIENT_ID"]),
    ...(config.SESSION_SECRETS ? [] : ["SESSION_SECRETS"]),
  ];
}

/** What a browser keeps while its person is away at the issuer. */
export interface PendingSignIn {
  state: string;
  nonce: string;
  verifier: string;
  redirect_uri: string;
  return_to: string;
}

/**
 * Why a sign-in came to nothing: the issuer could not be reached, it refused, or what came back does not
 * hold. `reason` is for the log and never quotes a code or a token.
 */
export class SignInError extends Error {
  readonly kind: "unreachable" | "refused" | "invalid";
  /** The `error` of the authorization response, where the issuer refused. */
  readonly reason: string;

  constructor(kind: SignInError["kind"], reason: string) {
    super(`sign-in ${kind}: ${reason}`);
    this.kind = kind;
    this.reason = reason;
  }
}

/** How long an isolate goes by what the issuer says of itself, in ms. */
const METADATA_AGE = 10 * 60_000;

/** Longest wait for one call to the issuer, in ms. */
const PATIENCE = 5000;

interface Known {
  server: oauth.AuthorizationServer;
  keys: JWTVerifyGetKey;
  until: number;
}

/** Values alone are kept between requests, never a promise (see `Isolate`). */
const memory = oncePerConfig((): { known: Known | null } => ({ known: null }));

/** What the issuer says of itself (OpenID Connect Discovery 1.0). */
async function discover(config: Config, client: OidcClient, now: number): Promise<Known> {
  const kept = memory(config);
  if (kept.known !== null && kept.known.until > now) return kept.known;
  const issuer = new URL(client.issuer);
  const server = await asking(async () =>
    oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options(client))),
  );
  if (server.jwks_uri === undefined) throw new SignInError("invalid", "the issuer publishes no keys");
  kept.known = { server, keys: createRemoteJWKSet(new URL(server.jwks_uri)), until: now + METADATA_AGE };
  return kept.known;
}

/** Where to send the browser, and what it must bring back (RFC 6749 section 4.1, RFC 7636, OpenID Connect Core 3.1.2). */
export async function beginSignIn(
  config: Config,
  client: OidcClient,
  { redirect_uri, return_to }: Pick<PendingSignIn, "redirect_uri" | "return_to">,
  now: number,
): Promise<{ location: string; pending: PendingSignIn }> {
  const { server } = await discover(config, client, now);
  if (server.authorization_endpoint === undefined) {
    throw new SignInError("invalid", "the issuer has no authorization endpoint");
  }
  const pending = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
    redirect_uri,
    return_to,
  };
  const location = new URL(server.authorization_endpoint);
  const parameters = {
    client_id: client.id,
    redirect_uri,
    response_type: "code",
    scope: client.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value);
  return { location: location.href, pending };
}

/**
 * Exchanges the code that the browser brought back for claims. State, `iss`, nonce, issuer, audience,
 * lifetime and signature have then been checked.
 * @throws SignInError
 */
export async function finishSignIn(
  config: Config,
  client: OidcClient,
  answer: URLSearchParams,
  pending: PendingSignIn,
  now: number,
): Promise<JWTPayload> {
  const { server, keys } = await discover(config, client, now);
  const self: oauth.Client = { client_id: client.id };
  const tokens = await asking(async () => {
    const parameters = oauth.validateAuthResponse(server, self, answer, pending.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      self,
      authentication(server, client),
      parameters,
      pending.redirect_uri,
      pending.verifier,
      options(client),
    );
    return oauth.processAuthorizationCodeResponse(server, self, response, {
      expectedNonce: pending.nonce,
      requireIdToken: true,
    });
  });
  // TLS vouches for a token that comes from the issuer directly; every JWT is checked all the same.
  const trusted = { issuer: server.issuer, audience: client.id, keys };
  const claims = await verifyToken(tokens.id_token!, trusted);
  if (!("exp" in claims)) {
    const away = "code" in claims && claims.code === "state_unavailable";
    throw new SignInError(away ? "unreachable" : "invalid", "the ID token does not verify");
  }
  const joined = joinClaims(claims, await moreClaims(config, server, client, tokens, claims), config);
  if (joined.email_verified === false) {
    console.error(
      JSON.stringify({ message: "sign-in with an address that the issuer does not call verified" }),
    );
  }
  return joined;
}

/**
 * The claims of both places, the ID token's before the userinfo endpoint's; but the address and whether it is
 * verified both from one: what the other says is about an address of its own. An issuer that says nothing
 * vouches for nothing, and people may have typed in the address of an admin; OIDC_TRUST_EMAILS takes its word
 * all the same.
 */
export function joinClaims(
  idToken: JWTPayload,
  userinfo: JWTPayload,
  { OIDC_TRUST_EMAILS: trusted }: Pick<Config, "OIDC_TRUST_EMAILS">,
): JWTPayload {
  const { email, email_verified: said } = Object.hasOwn(idToken, "email") ? idToken : userinfo;
  const unsaid = email !== undefined && said === undefined;
  return { ...userinfo, ...idToken, email, email_verified: unsaid && !trusted ? false : said };
}

/** Many issuers put no address into the ID token: then it is asked for (OpenID Connect Core 5.3). */
async function moreClaims(
  config: Config,
  server: oauth.AuthorizationServer,
  client: OidcClient,
  tokens: oauth.TokenEndpointResponse,
  claims: JWTPayload,
): Promise<JWTPayload> {
  const wanted = ["email", config.SESSION_ACCOUNT_CLAIM, config.SESSION_ROLE_CLAIM];
  if (server.userinfo_endpoint === undefined || wanted.every((name) => Object.hasOwn(claims, name)))
    return {};
  const self: oauth.Client = { client_id: client.id };
  return asking(async () => {
    const response = await oauth.userInfoRequest(server, self, tokens.access_token, options(client));
    return (await oauth.processUserInfoResponse(server, self, claims.sub!, response)) as JWTPayload;
  });
}

/**
 * Where somebody signs out of the issuer as well (OpenID Connect RP-Initiated Logout 1.0); null where it has
 * no such place, or cannot be asked.
 */
export async function issuerSignOut(config: Config, client: OidcClient, now: number): Promise<string | null> {
  try {
    const { server } = await discover(config, client, now);
    if (server.end_session_endpoint === undefined) return null;
    const url = new URL(server.end_session_endpoint);
    url.searchParams.set("client_id", client.id);
    return url.href;
  } catch {
    return null;
  }
}

/** How the client proves who it is, by what the issuer takes; the default is Basic (OpenID Connect Core 9). */
function authentication(server: oauth.AuthorizationServer, { secret }: OidcClient): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic")
    ? oauth.ClientSecretBasic(secret)
    : oauth.ClientSecretPost(secret);
}

/** Plain http only where the issuer itself is on plain http, which env.ts allows on this machine alone. */
function options({ issuer }: OidcClient) {
  return {
    signal: AbortSignal.timeout(PATIENCE),
    [oauth.allowInsecureRequests]: issuer.startsWith("http:"),
  };
}

/** Runs a step with the issuer; what goes wrong in it becomes a `SignInError`. */
async function asking<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof SignInError) throw error;
    if (error instanceof oauth.AuthorizationResponseError) throw new SignInError("refused", error.error);
    if (error instanceof oauth.ResponseBodyError)
      throw new SignInError("invalid", `token endpoint: ${error.error}`);
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
      const status = (error.cause as { status?: unknown } | undefined)?.status;
      const away = typeof status === "number" && status >= 500;
      throw new SignInError(away ? "unreachable" : "invalid", error.message);
    }
    throw new SignInError("unreachable", error instanceof Error ? error.name : "unknown");
  }
}
