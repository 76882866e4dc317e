import type { Subject, Use } from "../ledger/protocol.ts";
import { isCurrent, type Lease, renewed, type Stamp } from "./lease.ts";
import { Memory } from "./memory.ts";
import { Uses } from "./uses.ts";
import type { World } from "./world.ts";

/** One sort of thing that is cached: how to name, place, read and recognise it. */
export interface Kind<T> {
  /** Its name in memory and KV. */
  cacheName(name: string): string;
  /** The shard that fences it. */
  shard(name: string): number;
  /** Reads it on the primary, with what its changes are fenced under; null when there is no such thing. */
  read(db: D1Database, name: string): Promise<{ value: T; subjects: Subject[] } | null>;
  /** Whether a value out of KV really is the thing of that name; KV is not trusted. */
  recognises(value: unknown, name: string): value is T;
  /** Whether a value may be written to KV, which costs money. */
  worthKv(value: T): boolean;
}

/** Where an answer came from. */
export type Tier = "memory" | "kv" | "d1";

export type Found<T> = { value: T | null; tier: Tier } | "unavailable";

/** A cached thing and as of which state of its shard it was read. */
interface Entry {
  value: unknown;
  stamp: Stamp;
  subjects: Subject[];
}

export interface FreshnessOptions {
  /** How long a lease lasts, in ms. */
  lease: number;
  /** How long caches serve without ledger and D1, in ms. */
  grace: number;
  /** Random id of this isolate. */
  isolate: string;
  maxBytes: number;
}

/** How long a background renewal is taken to be under way, in ms. */
const RENEWAL = 1000;

/** How long uses wait for company before they are handed over, in ms. */
const FLUSH_AFTER = 1000;

/** An unknown name remembered, at most for a lease. */
interface Absence {
  until: number;
}

/**
 * How an isolate knows keys and endpoints quickly and never for too long (docs/architecture.md). It keeps
 * values, never promises: one request must not wait for another's I/O.
 */
export class Freshness {
  readonly uses: Uses;
  readonly #leases = new Map<number, Lease>();
  readonly #renewing = new Map<number, number>();
  readonly #memory: Memory<Entry>;
  readonly #absent = new Memory<Absence>(256 * 1024);
  readonly #options: FreshnessOptions;
  #flushBy = 0;

  constructor(options: FreshnessOptions) {
    this.#options = options;
    this.#memory = new Memory(options.maxBytes);
    this.uses = new Uses(options.isolate);
  }

  /**
   * What is in force, without any I/O, or undefined when that takes asking.
   * @param began when the request arrived
   */
  peek<T>(kind: Kind<T>, name: string, began: number, world: World): T | undefined {
    const shard = kind.shard(name);
    const lease = this.#trusted(shard, began, world);
    if (lease === null) return undefined;
    const entry = this.#memory.get(kind.cacheName(name));
    if (entry === undefined || !isCurrent(lease, entry.stamp, entry.subjects)) return undefined;
    if (began - lease.sentAt > this.#options.lease / 2) this.#renewSoon(shard, began, world);
    return entry.value as T;
  }

  /** What is in memory, in force or not: good for how to word an answer, never for a decision. */
  remembered<T>(kind: Kind<T>, name: string): T | undefined {
    return this.#memory.get(kind.cacheName(name))?.value as T | undefined;
  }

  /**
   * What is in force: from memory, KV or D1, whichever first can be trusted.
   * @param strict trust nothing that was asked before this request began
   * @returns "unavailable" when no trustworthy answer can be had
   */
  async get<T>(kind: Kind<T>, name: string, world: World, { strict = false } = {}): Promise<Found<T>> {
    const began = world.now();
    const cacheName = kind.cacheName(name);
    const shard = kind.shard(name);
    if (!strict) {
      const warm = this.peek(kind, name, began, world);
      if (warm !== undefined) return { value: warm, tier: "memory" };
      const absence = this.#absent.get(cacheName);
      if (absence !== undefined && world.now() < absence.until) return { value: null, tier: "memory" };
    }

    const syncing = strict || this.#trusted(shard, began, world) === null ? this.sync(shard, world) : null;
    // Memory may only lack a lease; KV is worth a read when memory has nothing that could become current.
    const kvRead =
      this.#memory.get(cacheName) === undefined || syncing === null ? this.#readKv(kind, name, world) : null;
    const synced = syncing === null || (await syncing);

    const cached = () => {
      const lease = strict ? this.#leases.get(shard) : this.#trusted(shard, began, world);
      const entry = this.#memory.get(cacheName);
      return lease && entry && isCurrent(lease, entry.stamp, entry.subjects) ? entry : null;
    };
    let tier: Tier = "memory";
    let entry = synced ? cached() : null;
    let kvStale = false;
    if (entry === null) {
      const fromKv = await (kvRead ?? (synced ? this.#readKv(kind, name, world) : null));
      if (fromKv !== null) {
        // Older than memory's copy or not current: it must not displace what is there.
        const lease = this.#leases.get(shard);
        if (lease !== undefined && isCurrent(lease, fromKv.entry.stamp, fromKv.entry.subjects)) {
          this.#memory.set(cacheName, fromKv.entry, fromKv.bytes);
          tier = "kv";
        } else {
          kvStale = true;
        }
      }
      entry = synced ? cached() : null;
    }
    if (entry !== null) return { value: entry.value as T, tier };

    // The lease's number from *before* the read is sent: a change that commits meanwhile fences it.
    const lease = this.#leases.get(shard);
    const stamp: Stamp | null = lease === undefined ? null : { epoch: lease.epoch, seq: lease.seq };
    const readAt = world.now();
    let read: Awaited<ReturnType<typeof kind.read>>;
    try {
      read = await kind.read(world.db, name);
    } catch {
      // D1 is away. Cached state serves only while the ledger is away as well: were it there, it would
      // have said that this state is current.
      return synced ? "unavailable" : this.#graceful<T>(shard, cacheName, strict, world);
    }
    if (read === null) {
      this.#memory.delete(cacheName);
      this.#absent.set(cacheName, { until: readAt + this.#options.lease }, 200);
      return { value: null, tier: "d1" };
    }
    if (stamp !== null) {
      const fresh: Entry = { ...read, stamp };
      const text = JSON.stringify(fresh);
      this.#remember(cacheName, fresh, text.length * 2 + 200);
      // A stale entry in KV is mostly one whose replacement is still on its way there: of the many
      // isolates that see it, few need to write (KV takes one write a second and name).
      const usable = lease !== undefined && isCurrent(lease, stamp, read.subjects);
      if (usable && kind.worthKv(read.value) && (!kvStale || world.random() < 0.1)) {
        world.background(world.kvPut(cacheName, text));
      }
    }
    return { value: read.value, tier: "d1" };
  }

  /** Keeps an entry, unless one read later is there already. */
  #remember(cacheName: string, entry: Entry, bytes: number): void {
    const there = this.#memory.get(cacheName);
    if (there !== undefined && there.stamp.epoch === entry.stamp.epoch && there.stamp.seq > entry.stamp.seq)
      return;
    this.#memory.set(cacheName, entry, bytes);
  }

  /** Ledger and D1 are both away: the last known state serves for a while, unless it was known to be off. */
  #graceful<T>(shard: number, cacheName: string, strict: boolean, world: World): Found<T> {
    const lease = this.#leases.get(shard);
    const entry = this.#memory.get(cacheName);
    if (strict || lease === undefined || entry === undefined) return "unavailable";
    const age = world.now() - lease.sentAt;
    if (age < 0 || age > this.#options.grace || !isCurrent(lease, entry.stamp, entry.subjects))
      return "unavailable";
    return { value: entry.value as T, tier: "memory" };
  }

  async #readKv<T>(
    kind: Kind<T>,
    name: string,
    world: World,
  ): Promise<{ entry: Entry; bytes: number } | null> {
    try {
      const text = await world.kvGet(kind.cacheName(name));
      if (text === null) return null;
      const entry = JSON.parse(text) as Entry;
      const sound =
        typeof entry?.stamp?.epoch === "string" &&
        Number.isSafeInteger(entry.stamp.seq) &&
        Array.isArray(entry.subjects) &&
        kind.recognises(entry.value, name);
      return sound ? { entry, bytes: text.length * 2 + 200 } : null;
    } catch {
      return null; // away, or corrupted: D1 knows
    }
  }

  /** The shard's lease if it may still be trusted by a request that began then. */
  #trusted(shard: number, began: number, world: World): Lease | null {
    const lease = this.#leases.get(shard);
    if (lease === undefined) return null;
    if (world.now() < lease.sentAt) {
      // The clock ran back: elapsed time cannot be told any more.
      this.#leases.delete(shard);
      return null;
    }
    return began - lease.sentAt <= this.#options.lease ? lease : null;
  }

  /** Renews a lease behind the requests, so that a busy isolate never waits for one. */
  #renewSoon(shard: number, now: number, world: World): void {
    // A deadline, not a flag: the request that renews may die.
    if ((this.#renewing.get(shard) ?? Number.NEGATIVE_INFINITY) > now) return;
    this.#renewing.set(shard, now + RENEWAL);
    world.background(this.sync(shard, world));
  }

  /** Asks the shard for news and hands over uses. @returns whether the lease is as new as this call */
  async sync(shard: number, world: World): Promise<boolean> {
    const held = this.#leases.get(shard);
    const sentAt = world.now();
    try {
      const reply = await world.sync(shard, {
        since: held === undefined ? null : { epoch: held.epoch, seq: held.seq },
        uses: this.uses.take(shard, sentAt),
      });
      this.uses.acknowledge(shard, reply.acknowledged);
      const lease = renewed(this.#leases.get(shard) ?? null, reply, sentAt);
      if (lease === null || lease.sentAt < sentAt) return false;
      this.#leases.set(shard, lease);
      return true;
    } catch {
      this.uses.failed(shard);
      return false;
    }
  }

  /**
   * Counts a use, and sees to it that it is handed over about a second later: with the next renewal, or by
   * itself. Costs the request nothing and cannot fail it.
   */
  recordUse(shard: number, use: Use, world: World): void {
    this.uses.add(shard, use);
    const now = world.now();
    // A deadline, not a flag: the request whose timer it is may die.
    if (now < this.#flushBy) return;
    this.#flushBy = now + FLUSH_AFTER + RENEWAL;
    world.background(
      world.wait(FLUSH_AFTER).then(() => {
        this.#flushBy = 0;
        return this.flush(world);
      }),
    );
  }

  /** Hands over every use that waits. */
  async flush(world: World): Promise<void> {
    await Promise.all(this.uses.pending().map((shard) => this.sync(shard, world)));
  }
}
