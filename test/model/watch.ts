import type { Found, Freshness, Kind } from "../../src/freshness/freshness.ts";
import type { World } from "../../src/freshness/world.ts";
import type { SyncReply, SyncRequest, UseBatch } from "../../src/ledger/protocol.ts";
import { hold } from "./promise.ts";
import { HOUR, LEASE, type Setting } from "./setting.ts";
import type { Owner } from "./sim.ts";

/** What one isolate may ask and keep, by what it was told: no more than it must. */
export class Watch {
  readonly #setting: Setting;
  readonly #broken: (promise: string) => void;
  /** By the isolate's clock, when the latest question was sent that a shard answered. */
  readonly #known = new Map<number, number>();
  /** Shards that it heard of, and those that it heard from themselves. */
  readonly #heard = new Set<number>();
  readonly #heardItself = new Set<number>();
  /** Latest batch that it was told is stored, by shard. */
  readonly #stored = new Map<number, number>();
  /** The batch that is under way, by shard, and when it was sent. */
  readonly #sent = new Map<number, { number: number; at: number }>();
  /** When a batch was first sent, by shard and number. */
  readonly #firstSent = new Map<string, number>();
  /** What D1 last said of a name. */
  readonly #read = new Map<string, unknown>();

  /** @param broken takes what is found where nothing can be thrown */
  constructor(setting: Setting, broken: (promise: string) => void) {
    this.#setting = setting;
    this.#broken = broken;
  }

  /** How old the isolate's lease of a shard is, at least; null when it has none. */
  age(shard: number, now: number): number | null {
    const known = this.#known.get(shard);
    return known === undefined ? null : now - known;
  }

  /**
   * A world in which what the isolate is told is noted, and what it says held against that.
   * @param isSteady whether its clock has never run back
   */
  world(world: World, clock: () => number, isSteady: () => boolean): World {
    const says = (shard: number, { since, uses }: SyncRequest, heard: Set<number>) => {
      if (since === null && heard.has(shard) && isSteady()) this.#broken("an isolate asks for all it knows");
      if (uses !== null) this.#judgeBatch(shard, uses, clock(), isSteady());
    };
    const { relay } = world;
    return {
      ...world,
      sync: async (shard, request) => {
        const at = clock();
        says(shard, request, this.#heardItself);
        try {
          const reply = await world.sync(shard, request);
          this.#told(shard, at, request, reply);
          this.#heardItself.add(shard);
          return reply;
        } catch (error) {
          this.#failed(shard, request);
          throw error;
        }
      },
      relay:
        relay &&
        (async (request) => {
          const at = clock();
          for (const [shard, asked] of request.shards) says(shard, asked, this.#heard);
          try {
            const answers = await relay(request);
            const questions = new Map(request.shards);
            for (const { shard, age, reply } of answers) {
              if (age < 0) this.#broken("a relay answers from a time to come");
              this.#told(shard, at - age, questions.get(shard) as SyncRequest, reply);
            }
            return answers;
          } catch (error) {
            for (const [shard, asked] of request.shards) this.#failed(shard, asked);
            throw error;
          }
        }),
    };
  }

  /** A kind that notes what D1 says. */
  kind(kind: Kind<unknown>): Kind<unknown> {
    return {
      ...kind,
      read: async (db, name) => {
        const value = await kind.read(db, name);
        this.#read.set(kind.cacheName(name), value);
        return value;
      },
    };
  }

  /**
   * Nobody asks without need, nor waits for a lease that could have been renewed before.
   * @param age of the lease when the request began, where that is certain
   * @param atOnce whether it was answered without any waiting
   */
  judgeAsking({ calls }: Owner, age: number | null, atOnce: boolean): void {
    for (const [what, n] of Object.entries(calls))
      hold(n === 1 || !/sync|KV get/.test(what), `one request asks twice: ${what}`);
    if (age === null || calls.ledger === undefined || age > LEASE) return;
    hold(atOnce, "a shard is asked although its lease is young");
    hold(age > (LEASE * (this.#setting.relays > 0 ? 3 : 2)) / 4, "a young lease is renewed");
  }

  /** What memory says of names that there are not, D1 said last. */
  judgeMemory(freshness: Freshness, kind: Kind<unknown>, name: string, found: Found<unknown>): void {
    if (found === "unavailable" || found.value !== null) return;
    hold(this.#read.get(kind.cacheName(name)) === null, "a name that is known is called unknown");
    if (found.tier === "d1")
      hold(freshness.remembered(kind, name) === undefined, "memory keeps what D1 says is gone");
  }

  #told(shard: number, at: number, asked: SyncRequest, reply: SyncReply): void {
    const { epoch, since, acknowledged, fences, floor } = reply;
    this.#stored.set(shard, Math.max(acknowledged ?? 0, this.#stored.get(shard) ?? 0));
    this.#heard.add(shard);
    this.#known.set(shard, Math.max(at, this.#known.get(shard) ?? at));
    if (since !== null && epoch !== asked.since?.epoch) this.#broken("a delta continues another epoch");
    if (fences.length > this.#setting.bounds.fences || fences.some(([, at]) => at <= floor))
      this.#broken("an isolate is told of fences that the floor speaks for");
  }

  #failed(shard: number, { uses }: SyncRequest): void {
    if (uses !== null && this.#sent.get(shard)?.number === uses.number) this.#sent.delete(shard);
  }

  /** A batch is no larger than it may be, and is not sent in vain. */
  #judgeBatch(shard: number, { number, uses }: UseBatch, now: number, isSteady: boolean): void {
    if (uses.length === 0 || uses.length > 1000) this.#broken(`a batch has ${uses.length} uses`);
    const first = this.#firstSent.get(`${shard} ${number}`) ?? now;
    this.#firstSent.set(`${shard} ${number}`, first);
    if (now - first > HOUR) this.#broken("a batch is sent though the shard may have forgotten its number");
    if (number <= (this.#stored.get(shard) ?? 0))
      this.#broken("an isolate hands over what it was told is stored");
    const before = this.#sent.get(shard);
    if (before?.number === number && now - before.at < 10_000 && isSteady)
      this.#broken("a batch is sent again while it is under way");
    this.#sent.set(shard, { number, at: now });
  }
}
