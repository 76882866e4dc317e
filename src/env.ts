import * as z from "zod";
import { PREFIX_RULE, PREFIX_WORD } from "./keys/format.ts";
import { parseTagSecrets, type TagSecrets } from "./keys/tag.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { signingKeySet } from "./signing/signing-keys.ts";

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

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

const onOff = z.enum(["on", "off"]).transform((value) => value === "on");

const whole = (least: number, most: number) =>
  z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(z.number().min(least).max(most));

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The text itself may be a secret: the message must not repeat it.
    context.addIssue({ code: "custom", message: "must be JSON" });
    return z.NEVER;
  }
});

const jwkSet = json.pipe(z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) }));

const httpUrl = z
  .string()
  .regex(/^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?$/, "must be an http(s) URL without query or fragment");

/** Plain http only on this machine, for tests. */
const httpsOrLoopback = httpUrl.regex(
  /^https:|^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?(?:\/|$)/,
  "must be an https URL",
);

/** Hosts alone: no scheme, no path, and no port, since the request's is not looked at. */
const hosts = list.pipe(
  z.array(
    z
      .string()
      .regex(/^(?:[\w.-]+|\[[\da-f:.]+\])$/i, "must be host names, without https://, port or path")
      .toLowerCase(),
  ),
);

const emails = list.pipe(
  z.array(
    z
      .string()
      .regex(/^(?!.*@.*@)[\x21-\x7e]+@[\x21-\x7e]+$/, "must be e-mail addresses, separated by commas")
      .toLowerCase(),
  ),
);

const tagSecrets = z.string().transform((text, context): TagSecrets => {
  try {
    return parseTagSecrets(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

/** Every variable and secret Postern reads, with its default. Unset and empty mean the same. */
export const VARIABLES = z.object({
  KEY_PREFIX: list
    .pipe(z.array(z.string().regex(PREFIX_WORD, PREFIX_RULE)).min(1, "at least one prefix is required"))
    .default(["pst"])
    .describe("Prefix words of native keys; the first marks new keys, later ones stay valid"),
  KEY_TAG_SECRETS: tagSecrets.describe(
    "Secret. JSON map from a letter to a tag secret; the last one tags new keys",
  ),
  LEGACY_KEYS: onOff.default(false).describe("Whether keys of any other shape are looked up: on or off"),
  HOSTNAMES: hosts.default([]).describe("Host names the gateway answers to; others are 421. Empty: any"),
  PUBLIC_URL: httpUrl.optional().describe("The gateway's own URL; issuer of its tokens"),
  CLIENT_IP_HEADER: z
    .string()
    .toLowerCase()
    .optional()
    .describe("Header in which the platform reports the client's address; unset: none is trusted"),
  INSECURE_ORIGIN_HOSTS: list
    .default([])
    .describe("Origin hosts exempt from the https and address rules; local edition only"),
  LEASE_SECONDS: whole(1, 60).default(2).describe("How long a cached decision may be trusted without asking"),
  GRACE_SECONDS: whole(0, 3600)
    .default(60)
    .describe("How long caches serve while ledger and D1 are both away"),
  LEDGER_SHARDS: whole(1, 64).default(4).describe("Number of ledger shards; fixed at first deploy"),
  LEDGER_RELAYS: whole(0, 64)
    .default(0)
    .describe("Relays in each region between isolates and ledger shards; 0: isolates ask the shards"),
  COLO_CACHE: onOff
    .default(false)
    .describe("Whether Cloudflare's cache in each location stands before KV: on or off"),
  FLUSH_SECONDS: whole(1, 300)
    .default(10)
    .describe("How often a ledger shard writes uses to D1; where that takes many rows, once an hour"),
  USAGE_RETENTION_DAYS: whole(1, 3650).default(400).describe("How long usage counts are kept"),
  SESSION_ISSUER: z.string().optional().describe("Issuer of session tokens"),
  SESSION_AUDIENCE: z.string().optional().describe("Audience of session tokens"),
  SESSION_JWKS_URL: httpUrl.optional().describe("Where the session issuer publishes its keys"),
  SESSION_JWKS: jwkSet.optional().describe("The session issuer's public keys themselves, as a JWK set"),
  SESSION_ACCOUNT_CLAIM: z.string().default("account_id").describe("Claim that names the account"),
  SESSION_ROLE_CLAIM: z.string().default("role").describe("Claim that names the role, or a list of roles"),
  SESSION_SECRETS: tagSecrets
    .optional()
    .describe(
      "Secret. JSON map from a letter to a secret that signs the console's cookies; the last one signs",
    ),
  OIDC_ISSUER: httpsOrLoopback
    .optional()
    .describe("OpenID Connect issuer that signs people in to the console"),
  OIDC_CLIENT_ID: z.string().optional().describe("The console's client id at that issuer"),
  OIDC_CLIENT_SECRET: z
    .string()
    .optional()
    .describe("Secret. The console's client secret; unset for a public client"),
  OIDC_SCOPE: z
    .string()
    .regex(/^openid(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, "must be a list of scopes that begins with openid")
    .default("openid email profile")
    .describe("Scopes that the console asks the issuer for"),
  OIDC_TRUST_EMAILS: onOff
    .default(false)
    .describe("Whether addresses count that the OIDC issuer does not say are verified: on or off"),
  TLS_PROXY: onOff
    .default(false)
    .describe("Whether a proxy of yours ends TLS: plain http for PUBLIC_URL's host was https; on or off"),
  LOCAL_SIGN_IN: onOff
    .default(false)
    .describe("Whether the console takes a session token in a link; on loopback only: on or off"),
  ACCESS_TEAM_DOMAIN: z
    .string()
    // Plain http only on this machine, for tests.
    .regex(
      /^https:\/\/[^/\s]+$|^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?$/,
      "must be https://TEAM.cloudflareaccess.com",
    )
    .optional()
    .describe("Cloudflare Access team domain, as a URL"),
  ACCESS_AUDIENCE: z.string().optional().describe("Cloudflare Access application audience tag"),
  ADMIN_EMAILS: emails.default([]).describe("E-mail addresses of the first admins"),
  SECRET_SCANNING_KEYS_URL: httpUrl
    .default("https://api.github.com/meta/public_keys/secret_scanning")
    .describe("Where the secret-scanning partner publishes the keys it signs its reports with"),
  SIGNING_KEYS: json
    .pipe(signingKeySet)
    .optional()
    .describe("Secret. Private JWK set; the first key of an algorithm signs, all are published"),
  EXEC_TOKEN_ALG: z
    .enum(["ES256", "RS256"])
    .default("ES256")
    .describe("Algorithm of Kubernetes exec tokens: ES256 or RS256"),
  REQUEST_LOG: onOff.default(true).describe("Whether each request writes a log line: on or off"),
});

export type Config = z.infer<typeof VARIABLES>;

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
  const result = VARIABLES.safeParse(given);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
  throw new ConfigError(`Wrong configuration: ${wrong.join("; ")}`);
}
