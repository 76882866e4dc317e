/** A fault put into the source by replacing exact text. */
export interface Mutant {
  name: string;
  /** File, text, replacement; the text must occur exactly once. */
  patches: [file: string, text: string, replacement: string][];
}

export const one = (name: string, file: string, text: string, replacement: string): Mutant => ({
  name,
  patches: [[file, text, replacement]],
});

export const CHANGE = "src/freshness/change.ts";
export const FRESHNESS = "src/freshness/freshness.ts";
export const LEASE = "src/freshness/lease.ts";
export const KINDS = "src/freshness/kinds.ts";
export const USES = "src/freshness/uses.ts";
export const PATIENCE = "src/freshness/patience.ts";
export const WORLD = "src/freshness/world.ts";
export const COLO = "src/freshness/colo-cache.ts";
export const MEMORY = "src/freshness/memory.ts";
export const SHARDS = "src/freshness/shards.ts";
export const CORE = "src/ledger/core.ts";
export const SHARD = "src/ledger/shard.ts";
export const STORE = "src/ledger/use-store.ts";
export const RELAY = "src/ledger/relay.ts";
export const RELAYED_USES = "src/ledger/relayed-uses.ts";
export const WRITE = "src/store/write.ts";
export const AUDIT = "src/store/audit.ts";
export const USAGE = "src/store/usage.ts";
export const ENDPOINTS = "src/store/endpoints.ts";
export const RETRY = "src/store/retry.ts";
