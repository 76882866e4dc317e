import type { Bounds } from "../../src/ledger/core.ts";

export const LEASE = 2000;
export const GRACE = 12_000;
/** FLUSH_SECONDS here, in ms. */
export const FLUSH = 10_000;
export const HOUR = 3_600_000;

/** What a house is like. */
export interface Setting {
  shards: number;
  /** Relays that isolates ask instead of the shards; 0: none. */
  relays: number;
  isolates: number;
  bounds: Bounds;
  /** Whether the location's cache stands before KV. */
  coloCache: boolean;
  /** What an isolate's memory may take, in bytes. */
  memory: number;
  /** Ahead or behind, per isolate, in ms. */
  offsets: number[];
}
