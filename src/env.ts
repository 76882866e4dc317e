import * as z from "zod/mini";
import { PREFIX_RULE, PREFIX_WORD } from "./keys/format.ts";
import { parseTagSecrets, type TagSecrets } from "./keys/tag.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { must, refuse, words } from "./refusal.ts";
import { NO_JWK_SET, signingKeySet } from "./signing/signing-keys.ts";

/** What wrangler.toml binds, plus variables and secrets as the platform hands them over: all text. */
export interface Env {
  /** Cache of key records and endpoint nodes. Eventually consistent; harmless when stale. */
  KEYS: KVNamespace;
  /** The truth. */
  DB: D1Database;
  LEDGER: DurableObjectNamespace<Ledger>;
  /** Limits unknown legacy keys per client address. */
  LEGACY_LIMITER: RateLimit;
  ANALYTICS?: AnalyticsEngineDataset;
  [variable: string]: unknown;
}

const list = z.pipe(
  z.string(),
  z.transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
);

const onOff = z.pipe(
  z.enum(["on", "off"]),
  z.transform((value) => value === "on"),
);

const whole = (least: number, most: number) =>
  z.pipe(
    z.pipe(z.string().check(z.regex(/^\d+$/, "must be a whole number")), z.transform(Number)),
    z.number().check(z.minimum(least), z.maximum(most)),
  );

const json = z.pipe(
  z.string(),
  z.transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      // The text itself may be a secret: the message must not repeat it.
      return refuse(context, { message: "must be JSON" });
    }
  }),
);

const NO_PUBLIC_KEY = "must hold a public key: kty RSA, EC or OKP";

const jwkSet = z.pipe(
  json,
  z.object(
    {
      // Keys of a type that is not known are passed over (RFC 7517 section 5).
      keys: z
        .array(z.looseObject({}, NO_JWK_SET), NO_JWK_SET)
        .check(
          must((keys) => keys.some(({ kty }) => ["RSA", "EC", "OKP"].includes(kty as string)), NO_PUBLIC_KEY),
        ),
    },
    NO_JWK_SET,
  ),
);

const httpUrl = z
  .string()
  .check(
    z.regex(/^https?:\/\/[^/?#\s@]+(\/[^?#\s]*)?$/, "must be an http(s) URL without user, query or fragment"),
  );

/** Plain http only on this machine, for tests. */
const httpsOrLoopback = httpUrl.check(
  z.regex(/^https:|^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?(?:\/|$)/, "must be an https URL"),
);

/** Hosts alone: no scheme, no path, and no port, since the request's is not looked at. */
const hosts = z.pipe(
  list,
  z.array(
    z
      .string()
      .check(
        z.regex(
          /^(?:\w[\w-]*(?:\.\w[\w-]*)*|\[[\da-f:.]+\])$/i,
          "must be host names, without https://, port or path",
        ),
        z.toLowerCase(),
      ),
  ),
);

const emails = z.pipe(
  list,
  z.array(
    z
      .string()
      .check(
        z.regex(/^(?!.*@.*@)[\x21-\x7e]+@[\x21-\x7e]+$/, "must be e-mail addresses, separated by commas"),
        z.toLowerCase(),
      ),
  ),
);

const tagSecrets = z.pipe(
  z.string(),
  z.transform((text, context): TagSecrets => {
    try {
      return parseTagSecrets(text);
    } catch (error) {
      return refuse(context, { message: (error as Error).message });
    }
  }),
);

/** Every variable and secret Postern reads, with its default. Unset and empty mean the same. */
export const VARIABLES = z.object({
  KEY_PREFIX: z._default(
    z.pipe(
      list,
      z
        .array(z.string().check(z.regex(PREFIX_WORD, PREFIX_RULE)))
        .check(z.minLength(1, "at least one prefix is required")),
    ),
    ["pst"],
  ),
  KEY_TAG_SECRETS: tagSecrets,
  LEGACY_KEYS: z._default(onOff, false),
  HOSTNAMES: z._default(hosts, []),
  PUBLIC_URL: z.optional(httpUrl),
  CLIENT_IP_HEADER: z.optional(
    z.string().check(z.regex(/^[\w-]+$/, "must be a header name"), z.toLowerCase()),
  ),
  INSECURE_ORIGIN_HOSTS: z._default(hosts, []),
  LEASE_SECONDS: z._default(whole(1, 60), 2),
  GRACE_SECONDS: z._default(whole(0, 3600), 60),
  LEDGER_SHARDS: z._default(whole(1, 64), 4),
  LEDGER_RELAYS: z._default(whole(0, 64), 0),
  COLO_CACHE: z._default(onOff, false),
  FLUSH_SECONDS: z._default(whole(1, 300), 10),
  USAGE_RETENTION_DAYS: z._default(whole(1, 3650), 400),
  SESSION_ISSUER: z.optional(z.string()),
  SESSION_AUDIENCE: z.optional(z.string()),
  SESSION_JWKS_URL: z.optional(httpsOrLoopback),
  SESSION_JWKS: z.optional(jwkSet),
  SESSION_ACCOUNT_CLAIM: z._default(z.string(), "account_id"),
  SESSION_ROLE_CLAIM: z._default(z.string(), "role"),
  SESSION_SECRETS: z.optional(tagSecrets),
  OIDC_ISSUER: z.optional(httpsOrLoopback),
  OIDC_CLIENT_ID: z.optional(z.string()),
  OIDC_CLIENT_SECRET: z.optional(z.string()),
  OIDC_SCOPE: z._default(
    z
      .string()
      .check(
        z.regex(
          /^openid(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
          "must be a list of scopes that begins with openid",
        ),
      ),
    "openid email profile",
  ),
  OIDC_TRUST_EMAILS: z._default(onOff, false),
  TLS_PROXY: z._default(onOff, false),
  LOCAL_SIGN_IN: z._default(onOff, false),
  ACCESS_TEAM_DOMAIN: z.optional(
    z.string().check(
      // Plain http only on this machine, for tests.
      z.regex(
        /^https:\/\/[^/\s]+$|^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?$/,
        "must be https://TEAM.cloudflareaccess.com",
      ),
    ),
  ),
  ACCESS_AUDIENCE: z.optional(z.string()),
  ADMIN_EMAILS: z._default(emails, []),
  SECRET_SCANNING_KEYS_URL: z._default(
    httpsOrLoopback,
    "https://api.github.com/meta/public_keys/secret_scanning",
  ),
  SIGNING_KEYS: z.optional(z.pipe(json, signingKeySet)),
  EXEC_TOKEN_ALG: z._default(z.enum(["ES256", "RS256"]), "ES256"),
  REQUEST_LOG: z._default(onOff, true),
});

export type Config = z.infer<typeof VARIABLES>;

/** What each is, for docs/configuration.md; the Worker itself carries none of this. */
export const DESCRIPTIONS: Record<keyof Config, string> = {
  KEY_PREFIX: "Prefix words of native keys; the first marks new keys, later ones stay valid",
  KEY_TAG_SECRETS: "Secret. JSON map from a letter to a tag secret; the last one tags new keys",
  LEGACY_KEYS: "Whether keys of any other shape are looked up: on or off",
  HOSTNAMES: "Host names the gateway answers to; others are 421. Empty: any",
  PUBLIC_URL: "The gateway's own URL; issuer of its tokens",
  CLIENT_IP_HEADER: "Header in which the platform reports the client's address; unset: none is trusted",
  INSECURE_ORIGIN_HOSTS: "Origin hosts exempt from the https and address rules; local edition only",
  LEASE_SECONDS: "How long a cached decision may be trusted without asking",
  GRACE_SECONDS: "How long caches serve while ledger and D1 are both away",
  LEDGER_SHARDS: "Number of ledger shards; fixed at first deploy",
  LEDGER_RELAYS: "Relays in each region between isolates and ledger shards; 0: isolates ask the shards",
  COLO_CACHE: "Whether Cloudflare's cache in each location stands before KV: on or off",
  FLUSH_SECONDS: "How often a ledger shard writes uses to D1; where that takes many rows, once an hour",
  USAGE_RETENTION_DAYS: "How long usage counts are kept",
  SESSION_ISSUER: "Issuer of session tokens",
  SESSION_AUDIENCE: "Audience of session tokens",
  SESSION_JWKS_URL: "Where the session issuer publishes its keys",
  SESSION_JWKS: "The session issuer's public keys themselves, as a JWK set",
  SESSION_ACCOUNT_CLAIM: "Claim that names the account",
  SESSION_ROLE_CLAIM: "Claim that names the role, or a list of roles",
  SESSION_SECRETS:
    "Secret. JSON map from a letter to a secret that signs the console's cookies; the last one signs",
  OIDC_ISSUER: "OpenID Connect issuer that signs people in to the console",
  OIDC_CLIENT_ID: "The console's client id at that issuer",
  OIDC_CLIENT_SECRET: "Secret. The console's client secret; unset for a public client",
  OIDC_SCOPE: "Scopes that the console asks the issuer for",
  OIDC_TRUST_EMAILS: "Whether addresses count that the OIDC issuer does not say are verified: on or off",
  TLS_PROXY: "Whether a proxy of yours ends TLS: plain http for PUBLIC_URL's host was https; on or off",
  LOCAL_SIGN_IN: "Whether the console takes a session token in a link; on loopback only: on or off",
  ACCESS_TEAM_DOMAIN: "Cloudflare Access team domain, as a URL",
  ACCESS_AUDIENCE: "Cloudflare Access application audience tag",
  ADMIN_EMAILS: "E-mail addresses of the first admins",
  SECRET_SCANNING_KEYS_URL: "Where the secret-scanning partner publishes the keys it signs its reports with",
  SIGNING_KEYS: "Secret. Private JWK set; the first key of an algorithm signs, all are published",
  EXEC_TOKEN_ALG: "Algorithm of Kubernetes exec tokens: ES256 or RS256",
  REQUEST_LOG: "Whether each request writes a log line: on or off",
};

/** Names of every variable and secret, for the local edition and the docs. */
export const VARIABLE_NAMES = Object.keys(VARIABLES.shape) as (keyof Config)[];

/** A variable or secret is missing or malformed; the message names it and never repeats its value. */
export class ConfigError extends Error {}

/**
 * Reads variables and secrets from whatever holds them (a Worker's `env`, a process environment).
 * @throws ConfigError naming every wrong one.
 */
export function parseConfig(source: Record<string, unknown>): Config {
  const given: Record<string, unknown> = {};
  for (const name of VARIABLE_NAMES) {
    const value = source[name];
    if (value !== undefined && value !== "") given[name] = value;
  }
  const result = VARIABLES.safeParse(given, { error: words });
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`);
  throw new ConfigError(`Wrong configuration: ${wrong.join("; ")}`);
}
