import type { Env } from "../env.ts";
import type { RelayedShard, RelayRequest, SyncReply, SyncRequest } from "../ledger/protocol.ts";
import { coloGet, coloPut } from "./colo-cache.ts";
import type { Patience } from "./patience.ts";
import type { RelayPlace } from "./relay-choice.ts";

/**
 * Everything freshness touches outside itself, as one request sees it. The Worker's is below; the model
 * test has its own.
 */
export interface World {
  /** Milliseconds. Stands still while a Worker computes. */
  now(): number;
  /** Between 0 and 1. */
  random(): number;
  sync(shard: number, request: SyncRequest): Promise<SyncReply>;
  /** Asks the isolate's relay instead, where there is one. */
  relay?: ((request: RelayRequest) => Promise<RelayedShard[]>) | undefined;
  /** From KV, or from whatever nearer cache stands before it. */
  kvGet(name: string): Promise<string | null>;
  kvPut(name: string, text: string): Promise<void>;
  /** Keeps what D1 said in the nearer cache, where there is one. */
  coloPut?: ((name: string, text: string) => Promise<void>) | undefined;
  /** The primary database, for `Kind.read`. */
  db: D1Database;
  wait(ms: number): Promise<void>;
  /** Lets something finish after the response. */
  background(work: Promise<unknown>): void;
}

/** KV entries may live long: an entry's age says nothing, its number does. Thirty days, in seconds. */
const KV_TTL = 30 * 24 * 3600;

/** The name of a ledger shard's Durable Object. */
export const shardName = (shard: number) => `shard-${shard}`;

/**
 * The platform, as seen by one request.
 * @param patience the isolate's
 * @param relay the isolate's relay, where there is one
 * @param coloCache whether the location's own cache stands before KV
 */
export function worldOf(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  patience: Patience,
  relay: RelayPlace | null = null,
  coloCache = false,
): World {
  const kvGet = (name: string) => patience.answerOf("kv", env.KEYS.get(name, "text"));
  return {
    relay:
      relay === null ? undefined : (request) => patience.answerOf(relay.name, askRelay(env, relay, request)),
    now: () => Date.now(),
    random: () => Math.random(),
    sync: (shard, request) => {
      const name = shardName(shard);
      const reply = env.LEDGER.getByName(name).sync(request) as unknown as Promise<SyncReply>;
      return patience.answerOf(name, reply);
    },
    kvGet: coloCache ? (name) => nearestGet(name, kvGet, context) : kvGet,
    coloPut: coloCache ? coloPut : undefined,
    kvPut: (name, text) => env.KEYS.put(name, text, { expirationTtl: KV_TTL }),
    db: env.DB,
    wait: (ms) => scheduler.wait(ms),
    background: (work) => context.waitUntil(work.catch(() => undefined)),
  };
}

async function nearestGet(
  name: string,
  kvGet: (name: string) => Promise<string | null>,
  context: Pick<ExecutionContext, "waitUntil">,
): Promise<string | null> {
  const near = await coloGet(name);
  if (near !== null) return near;
  const text = await kvGet(name);
  if (text !== null) context.waitUntil(coloPut(name, text).catch(() => undefined));
  return text;
}

function askRelay(env: Env, { name, hint }: RelayPlace, request: RelayRequest): Promise<RelayedShard[]> {
  const relay = env.LEDGER.getByName(name, { locationHint: hint });
  return relay.relay(request) as unknown as Promise<RelayedShard[]>;
}
