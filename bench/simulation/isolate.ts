import { Freshness, type Kind } from "../../src/freshness/freshness.ts";
import { keyKind, NODE_KIND, type PathNode } from "../../src/freshness/kinds.ts";
import type { World } from "../../src/freshness/world.ts";
import type { KeyRecord } from "../../src/keys/record.ts";
import type { RelayedShard, RelayRequest, SyncReply, SyncRequest } from "../../src/ledger/protocol.ts";
import type { Clock } from "./clock.ts";
import type { Counts } from "./counts.ts";
import type { SimulatedLedger } from "./ledger.ts";
import { hashOf, NODES } from "./records.ts";

/** One way to the location's cache, to KV and to D1's primary, in ms. */
const COLO = 2;
const KV = 10;
const D1 = 50;
const HOUR = 3_600_000;

/** D1 rows that one look-up of a key reads: the key and its account, each by an index. */
export const ROWS_PER_KEY = 2;
/** Rows that one look-up of a node of the endpoint tree reads. */
const ROWS_PER_NODE = 2;

/** What all isolates share. */
export interface Shared {
  clock: Clock;
  ledger: SimulatedLedger;
  /** What was written to KV since the start, by name. */
  kv: Map<string, string>;
  /** What KV holds from before; null when there is nothing. */
  kvBefore(name: string): string | null;
  kinds: { keys: Kind<KeyRecord>; nodes: Kind<PathNode> };
  random: () => number;
  counts: () => Counts;
  /** Told of every request that a live key was allowed, with the time it began. */
  onAllowed?: (hash: string, began: number) => void;
}

/** The kinds of src/freshness, but that D1 is a function. */
export function kindsOf(
  shards: number,
  read: (hash: string) => KeyRecord | null,
  rows: (rows: number) => void,
  clock: Clock,
): Shared["kinds"] {
  return {
    keys: {
      ...keyKind(shards),
      read: (_, hash) =>
        clock.call(D1, () => {
          rows(ROWS_PER_KEY);
          return read(hash);
        }),
    },
    nodes: {
      ...NODE_KIND,
      read: (_, path) =>
        clock.call(D1, () => {
          rows(ROWS_PER_NODE);
          return NODES.find((node) => node.path === path) ?? null;
        }),
    },
  };
}

/** One request's view of the platform: notes whether the request asked anything of it. */
class RequestWorld implements World {
  readonly #shared: Shared;
  readonly #relay: string | null;
  /** The location's own cache, which is not billed. */
  readonly #colo: Map<string, string> | null;
  #asked = false;
  coloPut: World["coloPut"];
  relay: World["relay"];
  db = {} as D1Database;

  constructor(shared: Shared, relay: string | null, colo: Map<string, string> | null) {
    this.#shared = shared;
    this.#colo = colo;
    if (colo !== null) this.coloPut = async (name, text) => void colo.set(name, text);
    this.#relay = relay;
    if (relay !== null) this.relay = this.#askRelay;
  }

  now(): number {
    return this.#shared.clock.now;
  }

  random(): number {
    return this.#shared.random();
  }

  /** Something billable is about to be asked. */
  note(): Counts {
    const counts = this.#shared.counts();
    if (!this.#asked) counts.asking += 1;
    this.#asked = true;
    this.#shared.clock.touch();
    return counts;
  }

  sync(shard: number, request: SyncRequest): Promise<SyncReply> {
    this.note();
    return this.#shared.ledger.sync(shard, request);
  }

  #askRelay = (request: RelayRequest): Promise<RelayedShard[]> => {
    this.note();
    return this.#shared.ledger.relay(this.#relay as string, request);
  };

  async kvGet(name: string): Promise<string | null> {
    const { clock, kv } = this.#shared;
    clock.touch();
    const near = this.#colo === null ? null : await clock.call(COLO, () => this.#colo?.get(name) ?? null);
    if (near !== null) return near;
    this.note().kvReads += 1;
    const text = await clock.call(KV, () => kv.get(name) ?? this.#shared.kvBefore(name));
    if (text !== null) this.#colo?.set(name, text);
    return text;
  }

  kvPut(name: string, text: string): Promise<void> {
    this.note().kvWrites += 1;
    return this.#shared.clock.call(KV, () => {
      this.#shared.kv.set(name, text);
    });
  }

  wait(ms: number): Promise<void> {
    return this.#shared.clock.wait(ms);
  }

  background(work: Promise<unknown>): void {
    work.catch((error) => {
      throw error;
    });
  }
}

/** An isolate with the real freshness code, asked the way src/gateway asks it. */
export class SimulatedIsolate {
  readonly #shared: Shared;
  readonly #freshness: Freshness;
  readonly #relay: string | null;
  readonly #colo: Map<string, string> | null;

  constructor(
    shared: Shared,
    options: {
      id: string;
      lease: number;
      maxBytes: number;
      relay: string | null;
      colo: Map<string, string> | null;
    },
  ) {
    this.#shared = shared;
    this.#colo = options.colo;
    this.#relay = options.relay;
    this.#freshness = new Freshness({
      lease: options.lease,
      grace: 60_000,
      isolate: options.id,
      maxBytes: options.maxBytes,
    });
  }

  /** What one request would be given, for callers that go their own way. */
  forRequest(): { freshness: Freshness; world: World } {
    return { freshness: this.#freshness, world: new RequestWorld(this.#shared, this.#relay, this.#colo) };
  }

  /** One request under a key: what the gateway looks up for it, and the use it counts. */
  request(key: number): void {
    const { kinds, clock } = this.#shared;
    const world = new RequestWorld(this.#shared, this.#relay, this.#colo);
    const counts = this.#shared.counts();
    counts.requests += 1;
    const now = clock.now;
    const hash = hashOf(key);
    const record = this.#freshness.peek(kinds.keys, hash, now, world);
    const warm =
      record !== undefined &&
      NODES.every(({ path }) => this.#freshness.peek(kinds.nodes, path, now, world) !== undefined);
    if (warm) {
      this.#answer(record, hash, now, world);
      return;
    }
    counts.waiting += 1;
    clock.touch();
    void this.#wait(hash, now, world);
  }

  async #wait(hash: string, began: number, world: RequestWorld): Promise<void> {
    const { kinds } = this.#shared;
    const freshness = this.#freshness;
    const found = await freshness.get(kinds.keys, hash, world);
    if (found === "unavailable") return this.#shared.counts().status("unavailable");
    if (found.value === null) return this.#shared.counts().status("unknown");
    for (const { path } of NODES) {
      if (freshness.peek(kinds.nodes, path, world.now(), world) !== undefined) continue;
      const node = await freshness.get(kinds.nodes, path, world);
      if (node === "unavailable") return this.#shared.counts().status("unavailable");
    }
    this.#answer(found.value, hash, began, world);
  }

  #answer(record: KeyRecord, hash: string, began: number, world: RequestWorld): void {
    this.#shared.counts().status(record.revoked_at === null ? "allowed" : "revoked");
    if (record.revoked_at === null) this.#shared.onAllowed?.(hash, began);
    this.#count(record, world.now(), world);
  }

  #count(record: KeyRecord, now: number, world: RequestWorld): void {
    this.#freshness.recordUse(
      this.#shared.kinds.keys.shard(record.hash),
      {
        key_id: record.id,
        endpoint_id: "chat",
        hour: now - (now % HOUR),
        kind: "write",
        count: 1,
        last_used_at: now,
      },
      world,
    );
  }
}
