import { KEYS, LEASE } from "./house.ts";
import { hold, KEY, RENAME, type Story, type Teller } from "./story.ts";

/** A request that runs to its end alone; gives where its answer came from, and what it asked for. */
async function asked({ house, finish }: Teller, which = 0) {
  const before = { ...house.counters };
  let tier = "none";
  const owner = await house.request(0, which, "no", (found) => {
    tier = found === "unavailable" ? found : found.tier;
  });
  const atOnce = tier !== "none";
  await finish(owner);
  const { d1, kv, ledger } = house.counters;
  return { tier, atOnce, d1: d1 - before.d1, kv: kv - before.kv, ledger: ledger - before.ledger };
}

/** What an isolate does without, and what it believes. */
export const ISOLATE_STORIES: Record<string, Story> = {
  "a lease is past its half": async (teller) => {
    const { pass } = teller;
    await asked(teller);
    await pass(LEASE / 2 + 100);
    const { atOnce, ledger } = await asked(teller);
    hold(atOnce, "a busy isolate waits for its lease");
    hold(ledger === 1, "a lease past its half is not renewed");
    await pass(LEASE / 2 + 100);
    hold((await asked(teller)).atOnce, "a busy isolate waits for its lease");
  },

  "a change is open while its key is used": async (teller) => {
    const { house, let: arrive } = teller;
    await arrive(await house.change(KEY, RENAME), "open");
    for (let n = 0; n < 2; n += 1) {
      const { tier, kv } = await asked(teller);
      hold(tier === "d1" && kv <= 1, "what nobody may use is written to KV");
    }
  },

  "a key was changed, and is used again": async (teller) => {
    await teller.finish(await teller.house.change(KEY, RENAME));
    hold((await asked(teller)).tier === "d1", "a changed key is not read anew");
    hold((await asked(teller)).tier === "memory", "a key whose change is over is not cached");
  },

  "ledger and D1 go away": async (teller) => {
    await asked(teller);
    await teller.pass(LEASE + 1);
    teller.house.cut.ledger.add("all");
    teller.house.cut.d1.add("all");
    hold((await asked(teller)).tier === "grace", "what is cached does not serve under grace");
  },

  "KV holds an old record under a number that is none": async (teller) => {
    const { house, finish, pass } = teller;
    await asked(teller);
    const old = house.inKv(0);
    hold(old !== null, "nothing is written to KV");
    await finish(await house.change(KEY, RENAME));
    house.putKv(0, (old as string).replace(/"seq":\d+/, '"seq":"x"'));
    house.killIsolate(0);
    await pass(LEASE + 1);
    await asked(teller);
  },

  "KV holds an old record under a number yet to come": async (teller) => {
    const { house, finish, pass } = teller;
    await asked(teller);
    const old = house.inKv(0);
    await finish(await house.change(KEY, RENAME));
    house.putKv(0, (old as string).replace(/"seq":\d+/, '"seq":9000000000000000'));
    house.killIsolate(0);
    await pass(LEASE + 1);
    await asked(teller);
  },

  "an unknown key is created, and the isolate's clock runs back": async (teller) => {
    const { house, finish, pass } = teller;
    const unknown = KEYS.length - 1;
    await asked(teller, unknown);
    house.moveClock(0, -3_600_000);
    await finish(await house.change({ sort: "key", which: unknown }, RENAME));
    await pass(LEASE + 1);
    hold((await asked(teller, unknown)).tier === "d1", "an absence outlasts a clock that ran back");
  },
};
