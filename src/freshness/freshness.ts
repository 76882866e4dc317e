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
  /** Reads it on the primary, never on a replica; null when there is no such thing. */
  read(db: D1Database, name: string): Promise<T | null>;
  /** What its changes are fenced under. */
  subjects(value: T, name: string): Subject[];
  /** Whether a value out of KV really is the thing of that name; KV is not trusted. */
  recognises(value: unknown, name: string): value is T;
  /** Whether a value may be written to KV, which costs money. */
  worthKv(value: T): boolean;
}

/** Where an answer came from; under grace, from memory without anyone vouching for it. */
export type Tier = "memory" | "kv" | "d1" | "grace";

export type Found<T> = { value: T | null; tier: Tier } | "unavailable";

/**
 * Which shards were asked, and the order of the question that each answered: a lease of that order or a
 * later one will do. Null where none came; then only D1 will.
 */
export type Asked = ReadonlyMap<number, number | null>;

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

/** Attempts of one flush; what is left then goes with the next request. `waitUntil` ends after 30 s. */
const FLUSH_TRIES = 20;

/** After so many attempts the next request takes over, if there is one. */
const HANDOVER = 8;

/** Bytes of bookkeeping per entry, roughly. */
const OVERHEAD = 200;

/**
 * How an isolate knows keys and endpoints quickly and never for too long (docs/architecture.md). It keeps
 * values, never promises: one request must not wait for another's I/O.
 */
export class Freshness {
  readonly uses: Uses;
  /** What requests are decided under; from a relay or from the shard itself, whichever is younger. */
  readonly #leases = new Map<number, Lease>();
  /** What shards said themselves, by the order of the questions: all that a strict request may trust. */
  readonly #direct = new Map<number, Lease>();
  /** When the background renewal of a shard began. */
  readonly #renewing = new Map<number, number>();
  readonly #memory: Memory<Entry>;
  /** Unknown names, each with the time its D1 read began. */
  readonly #absent = new Memory<number>(256 * 1024);
  readonly #options: FreshnessOptions;
  #syncs = 0;
  #flushing: number | null = null;

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
    const entry = this.#current(kind.cacheName(name), lease);
    if (lease === null || entry === null) return undefined;
    // A relay is near, and its answers are some way into their lease when they come.
    const due = world.relay === undefined ? 1 / 2 : 3 / 4;
    if (began - lease.asked.at > this.#options.lease * due) this.#renewSoon(shard, world);
    return entry.value as T;
  }

  /** What is in memory, in force or not: good for what a look-up may cost, never for a decision. */
  remembered<T>(kind: Kind<T>, name: string): T | undefined {
    return this.#memory.get(kind.cacheName(name))?.value as T | undefined;
  }

  /**
   * Asks shards anew, for a request that must not be decided on anything known before it (spec 8, strict):
   * its answer, given to `get` as `strict`, saves asking once for each thing looked up.
   */
  async ask(shards: readonly number[], world: World): Promise<Asked> {
    const unique = [...new Set(shards)];
    const orders = await Promise.all(unique.map((shard) => this.sync(shard, world)));
    return new Map(unique.map((shard, i) => [shard, orders[i] ?? null]));
  }

  /**
   * What is in force: from memory, KV or D1, whichever first can be trusted.
   * @param strict trust nothing that was asked before this request began; either the answer of `ask`,
   *   called since, or true to ask now
   * @returns "unavailable" when no trustworthy answer can be had
   */
  async get<T>(
    kind: Kind<T>,
    name: string,
    world: World,
    { strict = false }: { strict?: boolean | Asked } = {},
  ): Promise<Found<T>> {
    const began = world.now();
    const cacheName = kind.cacheName(name);
    const shard = kind.shard(name);
    if (strict === false) {
      const warm = this.peek(kind, name, began, world);
      if (warm !== undefined) return { value: warm, tier: "memory" };
      if (this.#isAbsent(cacheName, world)) return { value: null, tier: "memory" };
    }

    // Ask the shard, where need be. KV is read meanwhile, unless memory may only lack a lease.
    const asking =
      strict === true
        ? this.sync(shard, world)
        : strict === false && this.#trusted(shard, began, world) === null
          ? this.#renew([shard], world)
          : null;
    const ahead =
      asking !== null && this.#memory.get(cacheName) === undefined ? this.#readKv(kind, name, world) : null;
    const asked = await asking;
    /** Order of the oldest question whose answer is good enough; null when there is no good answer. */
    const since = strict === true ? asked : strict === false ? 0 : (strict.get(shard) ?? null);
    const lease = () => (since === null ? null : this.#trusted(shard, began, world, since));

    const inMemory = this.#current(cacheName, lease());
    if (inMemory !== null) return { value: inMemory.value as T, tier: "memory" };
    let kvIsStale = false;
    if (lease() !== null) {
      const fromKv = await (ahead ?? this.#readKv(kind, name, world));
      this.#take(cacheName, fromKv, lease());
      // Memory may hold more than KV had: another request may have read D1 meanwhile.
      const entry = this.#current(cacheName, lease());
      if (entry !== null) return { value: entry.value as T, tier: "kv" };
      kvIsStale = fromKv !== null;
    }

    // The lease's number from *before* the read is sent: a change that commits meanwhile fences it. Any
    // lease will do for that, however old.
    const { epoch, seq } = this.#leases.get(shard) ?? { epoch: null, seq: 0 };
    const readAt = world.now();
    let value: T | null;
    try {
      value = await kind.read(world.db, name);
    } catch {
      // D1 is away. Cached state that no lease vouches for serves only while the ledger is away as well:
      // a ledger that answers would have vouched for it, were it current.
      if (strict !== false || asking === null || asked !== null) return "unavailable";
      this.#take(cacheName, await ahead, this.#leases.get(shard) ?? null);
      return this.#graceful(shard, cacheName, world);
    }
    if (value === null) {
      this.#memory.delete(cacheName);
      this.#absent.set(cacheName, readAt, OVERHEAD);
      return { value: null, tier: "d1" };
    }
    this.#absent.delete(cacheName);
    if (epoch !== null) {
      const entry: Entry = { value, stamp: { epoch, seq }, subjects: kind.subjects(value, name) };
      const text = JSON.stringify({ value, stamp: entry.stamp });
      this.#remember(cacheName, entry, sizeOf(text));
      // A stale entry in KV is mostly one whose replacement is still on its way there: of the many
      // isolates that see it, few need to write (KV takes one write a second and name). What is fenced
      // already, or open, would be of no use to anyone.
      const latest = this.#leases.get(shard);
      const isUseful = latest !== undefined && isCurrent(latest, entry.stamp, entry.subjects);
      if (isUseful && kind.worthKv(value)) {
        if (world.coloPut !== undefined) world.background(world.coloPut(cacheName, text));
        if (!kvIsStale || world.random() < 0.1) world.background(world.kvPut(cacheName, text));
      }
    }
    return { value, tier: "d1" };
  }

  /** What memory holds of a name, if it is current under that lease. */
  #current(cacheName: string, lease: Lease | null): Entry | null {
    const entry = this.#memory.get(cacheName);
    return lease !== null && entry !== undefined && isCurrent(lease, entry.stamp, entry.subjects)
      ? entry
      : null;
  }

  /** Keeps what KV had, if it is of any use: it must not stand in the way of what D1 will say. */
  #take(cacheName: string, fromKv: { entry: Entry; bytes: number } | null, lease: Lease | null): void {
    if (fromKv === null || lease === null) return;
    const { entry, bytes } = fromKv;
    if (isCurrent(lease, entry.stamp, entry.subjects)) this.#remember(cacheName, entry, bytes);
  }

  /** Keeps an entry, unless memory has one that was read later. */
  #remember(cacheName: string, entry: Entry, bytes: number): void {
    const there = this.#memory.get(cacheName)?.stamp;
    if (there !== undefined && there.epoch === entry.stamp.epoch && there.seq > entry.stamp.seq) return;
    this.#memory.set(cacheName, entry, bytes);
  }

  /** Whether D1 did not know a name, asked less than a lease ago. */
  #isAbsent(cacheName: string, world: World): boolean {
    const readAt = this.#absent.get(cacheName);
    return readAt !== undefined && isWithin(world.now() - readAt, this.#options.lease);
  }

  /** Ledger and D1 are both away: the last known state serves for a while, unless it was known to be off. */
  #graceful<T>(shard: number, cacheName: string, world: World): Found<T> {
    const lease = this.#leases.get(shard);
    if (lease === undefined || !isWithin(world.now() - lease.asked.at, this.#options.grace))
      return "unavailable";
    const entry = this.#current(cacheName, lease);
    return entry === null ? "unavailable" : { value: entry.value as T, tier: "grace" };
  }

  async #readKv<T>(
    kind: Kind<T>,
    name: string,
    world: World,
  ): Promise<{ entry: Entry; bytes: number } | null> {
    try {
      const text = await world.kvGet(kind.cacheName(name));
      if (text === null) return null;
      const { value, stamp } = JSON.parse(text) as { value: unknown; stamp: Stamp };
      if (typeof stamp.epoch !== "string" || !Number.isSafeInteger(stamp.seq)) return null;
      if (!kind.recognises(value, name)) return null;
      return { entry: { value, stamp, subjects: kind.subjects(value, name) }, bytes: sizeOf(text) };
    } catch {
      return null; // away, or corrupted: D1 knows
    }
  }

  /**
   * The shard's lease if a request that began then may still trust it.
   * @param since order of the oldest question that will do
   */
  #trusted(shard: number, began: number, world: World, since = 0): Lease | null {
    const leases = since > 0 ? this.#direct : this.#leases;
    const lease = leases.get(shard);
    if (lease === undefined) return null;
    const { at, order } = lease.asked;
    if (world.now() < at) {
      // The clock ran back: elapsed time cannot be told any more.
      leases.delete(shard);
      return null;
    }
    return began - at <= this.#options.lease && order >= since ? lease : null;
  }

  /** Renews a lease behind the requests, so that a busy isolate never waits for one. */
  #renewSoon(shard: number, world: World): void {
    // A time, not a flag: the request that renews may die.
    const now = world.now();
    const begun = this.#renewing.get(shard);
    if (begun !== undefined && isWithin(now - begun, RENEWAL)) return;
    this.#renewing.set(shard, now);
    world.background(this.#renew([shard], world));
  }

  /**
   * Renews leases, through the relay where there is one: in one call with every other lease that is held.
   * @returns null when the first shard's lease came out no younger than a lease's length
   */
  async #renew(shards: readonly number[], world: World): Promise<number | null> {
    if (world.relay === undefined) {
      const orders = await Promise.all(shards.map((shard) => this.sync(shard, world)));
      return orders[0] ?? null;
    }
    const at = world.now();
    const [first] = shards;
    const asked = [...new Set([...shards, ...this.#leases.keys(), ...this.uses.pending()])].map((shard) => {
      const held = this.#leases.get(shard);
      this.#renewing.set(shard, at);
      return { shard, since: held && { epoch: held.epoch, seq: held.seq }, uses: this.uses.take(shard, at) };
    });
    try {
      const answers = await world.relay({
        isolate: this.#options.isolate,
        shards: asked.map(({ shard, since, uses }) => [shard, { since: since ?? null, uses }]),
      });
      for (const { shard, reply, age } of answers) {
        this.uses.acknowledge(shard, reply.acknowledged);
        // As old as the relay's own question. Such leases are ordered by their age alone.
        const lease = renewed(this.#leases.get(shard) ?? null, reply, { at: at - age, order: at - age });
        if (lease !== null) this.#leases.set(shard, lease);
      }
    } catch {
      for (const { shard, uses } of asked) if (uses !== null) this.uses.failed(shard, uses.number);
    }
    const lease = first === undefined ? undefined : this.#leases.get(first);
    if (first === undefined || (lease !== undefined && isWithin(at - lease.asked.at, this.#options.lease)))
      return 0;
    return this.sync(first, world);
  }

  /**
   * Asks the shard for news and hands over uses.
   * @returns the question's order, once it is answered; null when no answer came
   */
  async sync(shard: number, world: World): Promise<number | null> {
    const held = this.#direct.get(shard);
    this.#syncs += 1;
    const asked = { at: world.now(), order: this.#syncs };
    const uses = this.uses.take(shard, asked.at);
    try {
      const reply = await world.sync(shard, {
        since: held === undefined ? null : { epoch: held.epoch, seq: held.seq },
        uses,
      });
      this.uses.acknowledge(shard, reply.acknowledged);
      const lease = renewed(this.#direct.get(shard) ?? null, reply, asked);
      if (lease === null) return null;
      this.#direct.set(shard, lease);
      this.#adopt(shard, lease);
      return asked.order;
    } catch {
      if (uses !== null) this.uses.failed(shard, uses.number);
      return null;
    }
  }

  /** Takes what a shard said itself for every request, unless a relay's answer is younger. */
  #adopt(shard: number, lease: Lease): void {
    const held = this.#leases.get(shard);
    if (held === undefined || held.asked.at <= lease.asked.at)
      this.#leases.set(shard, { ...lease, asked: { at: lease.asked.at, order: lease.asked.at } });
  }

  /**
   * Counts a use, and sees to it that it is handed over about a second later: with the next renewal, or by
   * itself. Costs the request nothing and cannot fail it.
   */
  recordUse(shard: number, use: Use, world: World): void {
    this.uses.add(shard, use);
    // A time, not a flag: the request whose timer it is may die.
    const now = world.now();
    if (this.#flushing !== null && isWithin(now - this.#flushing, 2 * FLUSH_AFTER)) return;
    this.#flushing = now;
    world.background(this.#flushSoon(world));
  }

  async #flushSoon(world: World): Promise<void> {
    for (let tries = 0; tries < FLUSH_TRIES; tries += 1) {
      await world.wait(FLUSH_AFTER);
      if (tries >= HANDOVER && this.#flushing !== null) return;
      // From here on, another request may wait for what comes after this.
      this.#flushing = null;
      await this.flush(world);
      if (this.uses.pending().length === 0) return;
      if (this.#flushing !== null) return;
      if (tries + 1 < HANDOVER) this.#flushing = world.now();
    }
  }

  /** Hands over every use that waits, or as many of them as go into one batch for each shard. */
  async flush(world: World): Promise<void> {
    const shards = this.uses.pending();
    if (shards.length > 0) await this.#renew(shards, world);
  }
}

/** Whether a time lies between none and `most` ms back; a clock that ran back makes it negative. */
const isWithin = (elapsed: number, most: number) => elapsed >= 0 && elapsed <= most;

/** Bytes that a value takes in memory, roughly, by its JSON. */
const sizeOf = (text: string) => text.length * 2 + OVERHEAD;
