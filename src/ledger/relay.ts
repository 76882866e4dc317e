import { type Lease, renewed } from "../freshness/lease.ts";
import type {
  RelayedShard,
  RelayRequest,
  RelaySync,
  RelaySyncReply,
  SyncReply,
  SyncRequest,
} from "./protocol.ts";
import { RelayedUses } from "./relayed-uses.ts";

/** What a relay touches outside itself. The Durable Object's is in ledger.ts; the model test has its own. */
export interface RelayWorld {
  /** Milliseconds. */
  now(): number;
  /** Asks a shard; rejects in bounded time. */
  sync(shard: number, request: RelaySync): Promise<RelaySyncReply>;
}

/**
 * Stands between a region's isolates and the ledger's shards: it keeps a copy of what each shard last said,
 * answers from it, and says how old it is. So a shard is asked by a few relays, however many isolates there
 * are, and an isolate asks once for all shards. Nothing is durable here (docs/architecture.md, "Relays").
 */
export class Relay {
  readonly #world: RelayWorld;
  readonly #maxAge: number;
  readonly #copies = new Map<number, Lease>();
  /** One question to each shard at a time; in a Durable Object requests may share a promise. */
  readonly #asking = new Map<number, Promise<void>>();
  readonly #uses = new Map<number, RelayedUses>();
  #questions = 0;

  /** @param maxAge copies older than this are renewed before they answer, in ms */
  constructor(world: RelayWorld, maxAge: number) {
    this.#world = world;
    this.#maxAge = maxAge;
  }

  /** Answers for every shard of which there is a copy, however old, and passes uses on. */
  async sync({ isolate, shards }: RelayRequest): Promise<RelayedShard[]> {
    for (const [shard, { uses }] of shards) {
      if (uses !== null) this.#usesOf(shard).add(uses, this.#world.now());
    }
    await Promise.all(shards.map(([shard]) => this.#renew(shard)));
    // Read after the isolate's question arrived, so that the copy is at least as old as this says.
    const now = this.#world.now();
    return shards.flatMap(([shard, { since }]) => {
      const copy = this.#copies.get(shard);
      if (copy === undefined || now < copy.asked.at) return [];
      const acknowledged = this.#usesOf(shard).acknowledged(isolate);
      return [{ shard, reply: replyFrom(copy, since, acknowledged), age: now - copy.asked.at }];
    });
  }

  /** Sees to it that the copy is young, if the shard can be reached. */
  async #renew(shard: number): Promise<void> {
    const copy = this.#copies.get(shard);
    const age = copy === undefined ? null : this.#world.now() - copy.asked.at;
    if (age !== null && age >= 0 && age <= this.#maxAge) return;
    let asking = this.#asking.get(shard);
    if (asking === undefined) {
      asking = this.#ask(shard).finally(() => this.#asking.delete(shard));
      this.#asking.set(shard, asking);
    }
    await asking;
  }

  async #ask(shard: number): Promise<void> {
    const held = this.#copies.get(shard);
    const uses = this.#usesOf(shard);
    this.#questions += 1;
    const asked = { at: this.#world.now(), order: this.#questions };
    try {
      const { reply, acknowledged } = await this.#world.sync(shard, {
        since: held === undefined ? null : { epoch: held.epoch, seq: held.seq },
        batches: uses.next(asked.at),
      });
      for (const [isolate, number] of acknowledged) uses.stored(isolate, number);
      const copy = renewed(held ?? null, reply, asked);
      if (copy !== null) this.#copies.set(shard, copy);
    } catch {
      // The copy stays, as old as it is: its age tells the isolates what it is worth.
    }
  }

  #usesOf(shard: number): RelayedUses {
    let uses = this.#uses.get(shard);
    if (uses === undefined) {
      uses = new RelayedUses();
      this.#uses.set(shard, uses);
    }
    return uses;
  }
}

/** What the shard would have answered when the copy was made. */
function replyFrom(
  { epoch, seq, floor, fences, open }: Lease,
  known: SyncRequest["since"],
  acknowledged: number | null,
): SyncReply {
  const since = known?.epoch === epoch ? known.seq : null;
  const news = since === seq ? [] : [...fences].filter(([, at]) => at > (since ?? -1));
  return { epoch, seq, floor, since, fences: news, open: [...open], acknowledged };
}
