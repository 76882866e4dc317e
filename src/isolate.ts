import { ownHostsOf } from "./endpoints/origin.ts";
import { type Config, type Env, parseConfig } from "./env.ts";
import type { Kind } from "./freshness/freshness.ts";
import { Freshness } from "./freshness/freshness.ts";
import { keyKind } from "./freshness/kinds.ts";
import { Patience } from "./freshness/patience.ts";
import { type RelayPlace, relayPlace } from "./freshness/relay-choice.ts";
import { UnknownKeys } from "./journey/unknown-keys.ts";
import { createKeyFormat, type KeyFormat } from "./keys/format.ts";
import type { KeyRecord } from "./keys/record.ts";
import { Assertions } from "./signing/assertion.ts";
import { Signer } from "./signing/signer.ts";

/** Memory for cached key records and endpoints, in bytes; an isolate has 128 MB in all. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** What an isolate keeps between requests: values only, never a promise or a connection. */
export interface Isolate {
  config: Config;
  /** Host names the gateway is reached under, as far as its configuration tells. */
  ownHosts: readonly string[];
  keyFormat: KeyFormat;
  keys: Kind<KeyRecord>;
  freshness: Freshness;
  patience: Patience;
  /** The relay that this isolate asks, chosen by where its first request arrived; null where there is none. */
  relayFor(request: Request): RelayPlace | null;
  signer: Signer;
  assertions: Assertions;
  unknownKeys: UnknownKeys;
}

let isolate: Isolate | undefined;
let builtFor: Env | undefined;

/**
 * The isolate's state, built at its first request.
 * @throws ConfigError naming each wrong variable or secret
 */
export function isolateOf(env: Env): Isolate {
  if (isolate !== undefined && builtFor === env) return isolate;
  const config = parseConfig(env);
  const signer = new Signer(config);
  const id = crypto.randomUUID();
  let relay: RelayPlace | null = null;
  isolate = {
    config,
    ownHosts: ownHostsOf(config),
    keyFormat: createKeyFormat({ prefixes: config.KEY_PREFIX, tagSecrets: config.KEY_TAG_SECRETS }),
    keys: keyKind(config.LEDGER_SHARDS),
    freshness: new Freshness({
      lease: config.LEASE_SECONDS * 1000,
      grace: config.GRACE_SECONDS * 1000,
      isolate: id,
      maxBytes: CACHE_BYTES,
    }),
    patience: new Patience(() => Date.now()),
    relayFor: (request) => {
      if (config.LEDGER_RELAYS > 0) relay ??= relayPlace(config.LEDGER_RELAYS, id, request.cf ?? {});
      return relay;
    },
    signer,
    assertions: new Assertions(signer),
    unknownKeys: new UnknownKeys(),
  };
  builtFor = env;
  return isolate;
}
