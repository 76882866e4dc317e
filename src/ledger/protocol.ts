/**
 * What isolates and ledger shards say to each other. A subject is what a change is about: a key's hash
 * (its first 128 bits), `account:ID`, `endpoint:PATH` or `endpoint:ID`.
 */
export type Subject = string;

/** Counted uses of one key on one endpoint in one hour. */
export interface Use {
  key_id: string;
  /** Empty when the request ended before an endpoint was known. */
  endpoint_id: string;
  /** First millisecond of the hour. */
  hour: number;
  /** `read`, `write`, or `denied:REASON`. */
  kind: string;
  count: number;
  /** Latest authenticated use among them, in milliseconds; null when none was authenticated. */
  last_used_at: number | null;
}

/** Uses handed over together. A number is never given to different uses; a retry repeats it. */
export interface UseBatch {
  /** Random id of the isolate. */
  isolate: string;
  number: number;
  uses: Use[];
}

export interface SyncRequest {
  /** The lease the isolate holds, so that only news needs to come back. */
  since: { epoch: string; seq: number } | null;
  uses: UseBatch | null;
}

export interface SyncReply {
  /** Random, drawn when the shard was created: numbers of another epoch mean nothing. */
  epoch: string;
  /** Number of the latest change. */
  seq: number;
  /** Entries read as of a lower number are not to be trusted: their fences may have been dropped. */
  floor: number;
  /** The number the fences below follow; null when they are all there are. */
  since: number | null;
  /** Subject and number of its latest change. */
  fences: [Subject, number][];
  /** Every subject with a change under way; always whole. */
  open: Subject[];
  /** Number of the latest batch of uses stored for this isolate; null when it sent none. */
  acknowledged: number | null;
}

/** What an isolate asks its relay: about every shard it uses, in one call. */
export interface RelayRequest {
  /** Its random id. */
  isolate: string;
  shards: [shard: number, request: SyncRequest][];
}

/** A relay's answer about one shard. */
export interface RelayedShard {
  shard: number;
  reply: SyncReply;
  /** How long ago the relay sent the question that this answers, in ms, by its own clock. */
  age: number;
}

/** What a relay asks a shard, on behalf of many isolates. */
export interface RelaySync {
  since: SyncRequest["since"];
  batches: UseBatch[];
}

export interface RelaySyncReply {
  reply: SyncReply;
  /** For each batch, its isolate and the number of the latest batch stored for that. */
  acknowledged: [isolate: string, number: number][];
}
