import type { Subject } from "../ledger/protocol.ts";

/** Endpoints change rarely and are looked up together: their fences live in one shard. */
export const ENDPOINT_SHARD = 0;

/** The shard that owns a key, by its hash (hex) or the first 128 bits of it. */
export function shardOfKey(hash: string, shards: number): number {
  return Number.parseInt(hash.slice(0, 8), 16) % shards;
}

/** The shards a subject is fenced in: an account's, in all of them, since its keys are everywhere. */
export function shardsOf(subject: Subject, shards: number): number[] {
  if (subject.startsWith("account:")) return Array.from({ length: shards }, (_, shard) => shard);
  if (subject.startsWith("endpoint:")) return [ENDPOINT_SHARD];
  return [shardOfKey(subject, shards)];
}
