import type { KeyRecord } from "../../src/keys/record.ts";
import { Clock } from "./clock.ts";
import { type Bill, billOf, Counts } from "./counts.ts";
import { kindsOf, type Shared, SimulatedIsolate } from "./isolate.ts";
import { SimulatedLedger } from "./ledger.ts";
import { hashOf, NODES, recordOf } from "./records.ts";
import { Traffic } from "./traffic.ts";
import { randomOf } from "./zipf.ts";

export interface Scenario {
  /** Colos in the world, how many of them are simulated, and isolates in each. */
  colos: number;
  simulated: number;
  isolatesPerColo: number;
  /** Requests per second in the whole world. */
  rate: number;
  keys: number;
  /** Share of a key's requests in its own colo. */
  home: number;
  shards: number;
  /** Relays in the simulated part of the world; 0: none. */
  relays: number;
  /**
   * Hours for which each location's own cache has stood before KV, with the traffic of the scenario: what it
   * holds at the start is drawn by chance, as likely as it came by in that time. Null: there is no such cache.
   */
  coloCacheHours: number | null;
  /** Seconds before counting begins, and how long it goes on. */
  warmUp: number;
  seconds: number;
  lease?: number;
  flush?: number;
  /** Memory of an isolate's cache, in bytes. */
  maxBytes?: number;
  seed?: number;
}

export interface Result {
  requests: number;
  /** Share of requests that caused any billable operation, and that waited for one. */
  asking: number;
  waiting: number;
  bill: Bill;
  /** Calls a second on the busiest Durable Object, and which it was. */
  busiest: { name: string; perSecond: number };
  objects: number;
  d1QueriesPerSecond: number;
  statuses: Record<string, number>;
}

/** A location's cache: what was put there, and what it held at the start. */
class ColoCache extends Map<string, string> {
  readonly #before: (name: string) => string | null;

  constructor(before: (name: string) => string | null) {
    super();
    this.#before = before;
  }

  override get(name: string): string | undefined {
    return super.get(name) ?? this.#before(name) ?? undefined;
  }
}

/** A world that runs: what scenarios drive. */
export class Simulation {
  readonly clock = new Clock();
  readonly random: () => number;
  readonly isolates: SimulatedIsolate[][];
  readonly ledger: SimulatedLedger;
  readonly shared: Shared;
  readonly traffic: Traffic;
  counts = new Counts();
  /** Keys that are not as they were at the start; null: there is no such key. */
  readonly changed = new Map<string, KeyRecord | null>();
  readonly #scenario: Scenario;
  readonly #byHash = new Map<string, number>();
  #owed = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { colos, simulated, keys, home, shards, relays, isolatesPerColo } = scenario;
    const { lease = 2000, flush = 10_000, maxBytes = 32 * 1024 * 1024, seed = 1 } = scenario;
    this.random = randomOf(seed);
    const counts = () => this.counts;
    this.ledger = new SimulatedLedger(this.clock, { shards, lease, flush, counts });
    const read = (hash: string) => {
      const changed = this.changed.get(hash);
      if (changed !== undefined) return changed;
      const key = this.#byHash.get(hash);
      return key === undefined ? null : recordOf(key);
    };
    const rows = (n: number) => {
      this.counts.d1Queries += 1;
      this.counts.d1RowsRead += n;
    };
    this.shared = {
      clock: this.clock,
      ledger: this.ledger,
      kv: new Map(),
      kvBefore: (name) => this.#kvBefore(name),
      kinds: kindsOf(shards, read, rows, this.clock),
      random: this.random,
      counts,
    };
    this.traffic = new Traffic({ keys, colos, simulated, home, random: this.random });
    let number = 0;
    this.isolates = Array.from({ length: simulated }, (_, index) => {
      const colo = this.#coloCache(index);
      return Array.from({ length: isolatesPerColo }, () => {
        number += 1;
        const relay = relays === 0 ? null : `relay-${number % relays}`;
        return new SimulatedIsolate(this.shared, { id: `isolate ${number}`, lease, maxBytes, relay, colo });
      });
    });
  }

  /** A key exists from its first request on: D1 itself has no memory to spare here. */
  arrive(colo: number, key: number): void {
    this.#byHash.set(hashOf(key), key);
    const isolates = this.isolates[colo] as SimulatedIsolate[];
    (isolates[Math.floor(this.random() * isolates.length)] as SimulatedIsolate).request(key);
  }

  /** Time passes, with requests or with what `each` does at every millisecond instead. */
  async run(seconds: number, each = () => this.#requests()): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += 1) {
      each();
      await this.clock.tick();
    }
  }

  /** Entries live for a month in KV: every key that exists was put there by someone, long before the start. */
  #kvBefore(name: string): string | null {
    const { keys, nodes } = this.shared.kinds;
    const node = NODES.find(({ path }) => nodes.cacheName(path) === name);
    const hash = name.slice(name.lastIndexOf(":") + 1);
    const key = this.#byHash.get(hash);
    const value = node ?? (key === undefined || this.changed.has(hash) ? null : recordOf(key));
    if (value === null) return null;
    const shard = node === undefined ? keys.shard(hash) : nodes.shard(name);
    return JSON.stringify({ value, stamp: { epoch: this.ledger.epoch(shard), seq: 0 } });
  }

  #coloCache(colo: number): ColoCache | null {
    const { coloCacheHours, rate } = this.#scenario;
    if (coloCacheHours === null) return null;
    const seen = this.traffic.seenAfter(colo, rate * coloCacheHours * 3600, this.random);
    const { keys } = this.shared.kinds;
    return new ColoCache((name) => {
      const key = this.#byHash.get(name.slice(name.lastIndexOf(":") + 1));
      const isSeen = key === undefined || seen[key] === 1;
      return isSeen && name.startsWith(keys.cacheName("")) ? this.#kvBefore(name) : null;
    });
  }

  #requests(): void {
    this.#owed += (this.#scenario.rate * this.traffic.share) / 1000;
    for (; this.#owed >= 1; this.#owed -= 1) {
      const { colo, key } = this.traffic.next();
      this.arrive(colo, key);
    }
  }

  result(seconds: number): Result {
    const { counts } = this;
    const [name = "", calls = 0] = [...counts.calls].sort(([, a], [, b]) => b - a)[0] ?? [];
    return {
      requests: counts.requests,
      asking: counts.asking / counts.requests,
      waiting: counts.waiting / counts.requests,
      // Shards are awake for the whole world's requests, relays for those of their part of it.
      bill: billOf(counts, seconds, this.#scenario.relays + this.#scenario.shards * this.traffic.share),
      busiest: { name, perSecond: calls / seconds },
      objects: counts.calls.size,
      d1QueriesPerSecond: counts.d1Queries / seconds,
      statuses: Object.fromEntries(counts.statuses),
    };
  }
}

/** Runs a scenario: warms up, then counts. */
export async function simulate(scenario: Scenario): Promise<Result> {
  const simulation = new Simulation(scenario);
  await simulation.run(scenario.warmUp);
  simulation.counts = new Counts();
  await simulation.run(scenario.seconds);
  return simulation.result(scenario.seconds);
}
