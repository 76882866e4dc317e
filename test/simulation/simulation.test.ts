import { describe, expect, it } from "vitest";
import { attack, massRevocation } from "../../bench/simulation/attacks.ts";
import { type Scenario, simulate } from "../../bench/simulation/simulate.ts";
import { simulateUsage } from "../../bench/simulation/usage.ts";

/** A small world whose isolates are as busy as those of the large ones in docs/performance.md. */
const WORLD: Scenario = {
  colos: 4,
  simulated: 4,
  isolatesPerColo: 8,
  rate: 3200,
  keys: 4000,
  home: 0.9,
  shards: 8,
  relays: 2,
  coloCacheHours: 1,
  warmUp: 40,
  seconds: 20,
};

// Counts, not times: what the code asks of the platform under a virtual clock.
describe("at scale", () => {
  it("few requests cause any billable operation, and no object is asked too often", async () => {
    const { asking, busiest, statuses, bill, requests } = await simulate(WORLD);
    expect(Object.keys(statuses)).toEqual(["allowed"]);
    expect(requests).toBeGreaterThan(60_000);
    expect(asking).toBeLessThan(0.02);
    // Sixteen isolates to a relay, each about once a second; two relays to a shard, each twice.
    expect(busiest.name).toMatch(/^relay-/);
    expect(busiest.perSecond).toBeLessThan(32);
    expect(bill.perMillion.ledgerCalls).toBeLessThan(30_000);
    expect(bill.perMillion.kvReads).toBeLessThan(1000);
    expect(bill.perMillion.d1RowsRead).toBe(0);
  });

  it("without relays every isolate asks every shard", async () => {
    const { busiest } = await simulate({ ...WORLD, relays: 0, warmUp: 5, seconds: 5 });
    expect(busiest.name).toMatch(/^shard-/);
    expect(busiest.perSecond).toBeGreaterThan(20);
  });

  it("usage tracking writes to D1 as rows are worth it, and to storage by the call", async () => {
    const usage = await simulateUsage({
      keys: 50_000,
      rate: 1000,
      shards: 1,
      callers: 4,
      callsPerSecond: 0.5,
      seconds: 60,
    });
    // Some 30,000 keys used, each of which is three rows in D1; two rows of storage for each call.
    expect(usage.d1RowsWritten).toBeLessThan(0.03);
    expect(usage.ledgerRowsWritten).toBeLessThan(0.01);
  });
});

describe("under attack", () => {
  const calm = { ...WORLD, rate: 0, warmUp: 0 };

  it("forged native keys cost no operation at all", async () => {
    expect(await attack("forged", calm, { requests: 2000, perSecond: 1000 })).toEqual({
      requests: 2000,
      kvReads: 0,
      kvWrites: 0,
      d1Queries: 0,
      ledgerCalls: 0,
      limiterCalls: 0,
      answers: { invalid_api_key: 2000 },
    });
  });

  it("unknown legacy keys are looked up a hundred times a minute in each location, and for each isolate's first", async () => {
    const { d1Queries, kvWrites, answers } = await attack("legacy", calm, {
      requests: 4000,
      perSecond: 1000,
    });
    // Every isolate looks up the keys that come before the first has proved unknown.
    expect(d1Queries).toBeLessThan(4 * 100 + 32 * 10);
    expect(kvWrites).toBe(0);
    expect(answers.rate_limited).toBeGreaterThan(3000);
  });

  it("no key is allowed for longer than a lease after its revocation, however many are revoked at once", async () => {
    const result = await massRevocation({ ...WORLD, warmUp: 10, seconds: 20 }, { keys: 2000, atOnce: 100 });
    expect(result).toMatchObject({ revoked: 2000, late: 0 });
    expect(result.statuses.revoked).toBeGreaterThan(1000);
    expect(result.statuses.unavailable).toBeUndefined();
  });
});
