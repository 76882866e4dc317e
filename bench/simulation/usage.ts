import type { Use, UseBatch } from "../../src/ledger/protocol.ts";
import { Clock } from "./clock.ts";
import { Counts } from "./counts.ts";
import { SimulatedLedger } from "./ledger.ts";
import { randomOf, Weighted } from "./zipf.ts";

const HOUR = 3_600_000;

export interface UsageScenario {
  keys: number;
  /** Requests per second in the whole world. */
  rate: number;
  shards: number;
  /** Looks at this part of a shard's keys and requests; what is counted by the call cannot be told then. */
  part?: number;
  /** Callers that bring uses to each shard: relays, or isolates where there are none. */
  callers: number;
  /** How often each caller comes, per second. */
  callsPerSecond: number;
  seconds: number;
  /** Seconds before counting begins: until the hour's first flush is over. */
  skip?: number;
}

export interface UsageResult {
  uses: number;
  /** Rows per request. */
  d1RowsWritten: number;
  ledgerRowsWritten: number;
}

/**
 * What usage tracking writes, over an hour or so: one real shard out of many with its share of keys and of
 * requests, since what it writes depends on how often keys come again.
 */
export async function simulateUsage(scenario: UsageScenario): Promise<UsageResult> {
  const { keys, rate, shards, callers, callsPerSecond, seconds, part = 1, skip = 0 } = scenario;
  const clock = new Clock(0);
  let counts = new Counts();
  const ledger = new SimulatedLedger(clock, { shards: 1, lease: 2000, flush: 10_000, counts: () => counts });
  const random = randomOf(7);
  const mine = Array.from({ length: keys }, (_, key) => key).filter(
    (key) => (Math.imul(key + 1, 0x85ebca6b) >>> 0) % Math.round(shards / part) === 0,
  );
  const traffic = new Weighted(
    mine,
    mine.map((key) => 1 / (key + 1)),
  );
  const numbers = new Int32Array(callers);
  const waiting: Use[][] = Array.from({ length: callers }, () => []);
  const perMs = (rate / shards / 1000) * part;
  const every = 1000 / callsPerSecond;
  let owed = 0;
  const bring = (caller: number) => {
    const uses = waiting[caller] as Use[];
    if (uses.length === 0) return;
    waiting[caller] = [];
    counts.requests += uses.length;
    numbers[caller] = (numbers[caller] as number) + 1;
    const batch: UseBatch = { isolate: `caller ${caller}`, number: numbers[caller] as number, uses };
    ledger.shard(0).syncRelay({ since: null, batches: [batch] });
    clock.touch();
  };
  for (let ms = 0; ms < (skip + seconds) * 1000; ms += 1) {
    if (ms === skip * 1000) counts = new Counts();
    for (owed += perMs; owed >= 1; owed -= 1) {
      const now = clock.now;
      (waiting[Math.floor(random() * callers)] as Use[]).push({
        key_id: `key_${String(traffic.draw(random())).padStart(21, "0")}`,
        endpoint_id: "chat",
        hour: now - (now % HOUR),
        kind: "write",
        count: 1,
        last_used_at: now,
      });
    }
    for (let caller = ms % every; caller < callers; caller += every) bring(caller);
    await clock.tick();
  }
  return {
    uses: counts.requests,
    d1RowsWritten: counts.d1RowsWritten / counts.requests,
    ledgerRowsWritten: counts.ledgerRowsWritten / counts.requests,
  };
}
