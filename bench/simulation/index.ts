/**
 * `node bench/simulation/index.ts [PATTERN OF NAMES]`: what Postern costs at scale, from its own code under a
 * virtual clock. Each world is looked at in three runs: some of its locations request by request, for what
 * requests ask and how long caches take to fill; its ledger as a whole, for the load of the busiest object;
 * one of its shards over an hour, for what usage tracking writes. Writes bench/results/simulation.json.
 */
import { readResults, writeResults } from "../results.ts";
import { attack, massRevocation } from "./attacks.ts";
import { type Bill, billOfUnits } from "./counts.ts";
import { BARE_BILL, PRICES } from "./prices.ts";
import { COLOS, KEYS, WARM_HOURS, WORLDS, type World } from "./scenarios.ts";
import { type Result, type Scenario, simulate } from "./simulate.ts";
import { simulateUsage, type UsageResult } from "./usage.ts";

const only = process.argv[2] ?? "";

const usages = new Map<string, UsageResult>();
async function usageOf(world: World): Promise<UsageResult> {
  const name = `${world.shape} ${world.rate}`;
  const known = usages.get(name);
  if (known !== undefined) return known;
  const direct = world.shape === "direct";
  const scenario = {
    keys: KEYS,
    rate: world.rate,
    shards: world.shards,
    callers: direct ? world.isolates : world.relays,
    callsPerSecond: direct ? 1 : 0.5,
  };
  // Until every shard has written an hour's uses, by a part of a shard; a whole one for what is stored by the call.
  const part = Math.min(1, 1 / Math.ceil(((world.rate / world.shards) * world.usage.seconds) / 12e6));
  const { uses, d1RowsWritten } = await simulateUsage({ ...scenario, part, skip: 960, ...world.usage });
  const { ledgerRowsWritten } = await simulateUsage({ ...scenario, seconds: 40 });
  const found = { uses, d1RowsWritten, ledgerRowsWritten };
  usages.set(name, found);
  return found;
}

const sliceOf = (world: World): Scenario => ({
  colos: COLOS,
  keys: KEYS,
  rate: world.rate,
  home: world.home,
  shards: world.shards,
  relays: world.relays === 0 ? 0 : Math.max(1, Math.round((world.relays * world.slice.simulated) / COLOS)),
  coloCacheHours: world.shape === "relays" ? WARM_HOURS : null,
  ...world.slice,
});

/** Every relay, or every isolate where there are none, for a few seconds on a few keys: all busy. */
const ledgerOf = (world: World): Scenario => {
  const isolatesPerColo = world.relays === 0 ? world.isolates / COLOS : Math.ceil((8 * world.relays) / COLOS);
  return {
    colos: COLOS,
    simulated: COLOS,
    isolatesPerColo,
    keys: 1000,
    home: 0,
    rate: (world.rate / world.isolates) * isolatesPerColo * COLOS,
    shards: world.shards,
    relays: world.relays,
    coloCacheHours: 0,
    warmUp: 5,
    seconds: 10,
  };
};

function billWith(slice: Result, usage: UsageResult): Bill {
  const { perMillion } = slice.bill;
  return billOfUnits(
    {
      ...perMillion,
      d1RowsWritten: usage.d1RowsWritten * 1e6,
      ledgerRowsWritten: usage.ledgerRowsWritten * 1e6,
    },
    1e6,
  );
}

interface Row {
  name: string;
  world: World;
  slice: Result;
  whole: Result;
  usage: UsageResult;
  bill: Bill;
  busiest: Result["busiest"];
}

/** What an earlier run found, where this one looks at a part only. */
const before = only === "" ? null : readResults<{ rows: Row[]; attacks: object }>("simulation");
const rows: Row[] = before?.rows ?? [];
for (const world of WORLDS) {
  const name = `${world.isolates} isolates, ${world.rate} req/s, ${world.name}, ${world.shape}`;
  if (!new RegExp(only).test(name)) continue;
  const began = performance.now();
  const slice = await simulate(sliceOf(world));
  const whole = await simulate(ledgerOf(world));
  const usage = await usageOf(world);
  const bill = billWith(slice, usage);
  const busiest = slice.busiest.perSecond > whole.busiest.perSecond ? slice.busiest : whole.busiest;
  const row = { name, world, slice, whole, usage, bill, busiest };
  const at = rows.findIndex((each) => each.name === name);
  if (at === -1) rows.push(row);
  else rows[at] = row;
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${name}: ${(slice.asking * 100).toFixed(2)} % ask, bill × ${bill.againstBare.toFixed(3)}, busiest ${busiest.name} ${busiest.perSecond.toFixed(0)}/s (${seconds} s)`,
  );
}

// KV asked once per request: what a Worker without caches of its own pays.
const kvPerRequest = (BARE_BILL + PRICES.kvReads) / BARE_BILL;

async function runAttacks(): Promise<object> {
  const calm = { ...sliceOf(WORLDS[5] as World), simulated: 3, warmUp: 5, seconds: 10, rate: 0 };
  return {
    forged: await attack("forged", calm, { requests: 100_000, perSecond: 10_000 }),
    legacy: await attack("legacy", calm, { requests: 100_000, perSecond: 10_000 }),
    hotKey: await simulate({ ...sliceOf(WORLDS[5] as World), keys: 1, warmUp: 10, seconds: 60, home: 0 }),
    revocation: await massRevocation(
      { ...sliceOf(WORLDS[5] as World), warmUp: 300, seconds: 60 },
      { keys: 10_000, atOnce: 100 },
    ),
  };
}

const attacks = before?.attacks ?? (await runAttacks());
console.log(JSON.stringify(attacks, null, 1));
writeResults("simulation", "npm run bench:simulation", { rows, kvPerRequest, attacks, prices: PRICES });
