import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STORIES, tell } from "./directed.ts";
import { Tally } from "./house.ts";
import { MOST, run, type Schedule } from "./schedule.ts";

/** Random schedules; `npm run test:model:nightly` sets 100,000. */
const RUNS = Number(process.env.MODEL_SCHEDULES ?? 2000);
/** Set to the seed that a failure reports, to see it again. */
const SEED = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };

const schedules: fc.Arbitrary<Schedule> = fc.array(fc.noBias(fc.nat({ max: MOST })), {
  minLength: 40,
  maxLength: 300,
  size: "max",
});

/** The architecture page's properties, over the real code of src/freshness, src/ledger and src/store. */
describe("the freshness protocol", () => {
  it.each(Object.entries(STORIES))("holds when %s", (_, story) => tell(story));

  it(`holds in ${RUNS} random schedules`, { timeout: Math.max(120_000, RUNS * 30) }, async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(schedules, (schedule) => run(schedule, tally)),
      { numRuns: RUNS, endOnFailure: false, ...SEED },
    );
    // The schedules came by everything that the properties are about.
    const ways = [
      ...["memory", "kv", "d1", "grace", "unavailable", "strict memory", "strict kv", "strict d1"],
      ...["change committed", "change refused", "change unavailable"],
      ...["alarms", "alarm failed", "batches repeated", "shards created anew", "relayed"],
    ];
    for (const way of ways) expect(tally.counts.get(way) ?? 0, way).toBeGreaterThan(0);
  });
});
