import { FLUSH, type Host, type House } from "./house.ts";
import type { Owner } from "./sim.ts";
import { hold, KEY, RENAME, type Story, type Teller } from "./story.ts";

/** How long an alarm may be overdue before it counts as lost, in ms. */
const LOST = 60_000;

const host = ({ house }: Teller) => house.hosts[0] as Host;

/** Uses of all keys that D1 has. */
const written = (house: House) => house.usage().reduce((sum, { count }) => sum + count, 0);

/** A key is used, and the ledger has the use. */
async function use(teller: Teller, which = 0): Promise<void> {
  await teller.finish(await teller.house.request(0, which, "no"));
  await teller.pass(1000);
  await teller.house.sim.run(teller.house.sim.nobody, () => undefined);
  for (const owner of waiting(teller)) if (owner !== host(teller).owner) await teller.finish(owner);
}

/** Whoever has messages under way. */
const waiting = ({ house }: Teller): Owner[] => [
  ...new Set(house.sim.pending.filter(({ astray }) => !astray).map(({ owner }) => owner)),
];

/** What can go wrong between an isolate, its ledger shard, the shard's alarm and D1. */
export const LEDGER_STORIES: Record<string, Story> = {
  "an alarm is due while keys are used without end": async (teller) => {
    for (let n = 0; n < 4; n += 1) await use(teller);
    await teller.pass(FLUSH);
    // Due, and not run yet.
    for (let n = 0; n < 4; n += 1) await use(teller);
    await teller.finish(host(teller).owner);
    hold(written(teller.house) > 0, "traffic puts the alarm off");
  },

  "keys are used more often than uses are written": async (teller) => {
    for (let n = 0; n < 30; n += 1) {
      await use(teller);
      await teller.finish(host(teller).owner);
    }
    hold(written(teller.house) >= 15, "traffic puts the alarm off");
  },

  "nothing is left to do": async (teller) => {
    await use(teller);
    for (let n = 0; n < 4; n += 1) {
      await teller.pass(FLUSH);
      await teller.rest();
    }
    hold(written(teller.house) === 1, "a use was not written");
    hold(host(teller).alarmAt === null, "the alarm runs on although there is nothing to do");
  },

  "the platform loses an alarm": async (teller) => {
    await use(teller);
    host(teller).loseAlarm();
    await teller.pass(LOST + FLUSH);
    await use(teller);
    await teller.pass(FLUSH);
    await teller.rest();
    hold(written(teller.house) === 2, "a lost alarm is waited for");
  },

  "the platform loses an alarm, and the ledger's clock runs back": async (teller) => {
    await use(teller);
    host(teller).loseAlarm();
    host(teller).offset -= 3_600_000;
    await use(teller);
    await teller.pass(FLUSH);
    await teller.rest();
    hold(written(teller.house) === 2, "an alarm an hour off is waited for");
  },

  "a shard with work starts without an alarm": async (teller) => {
    await use(teller);
    host(teller).loseAlarm();
    host(teller).alarmAt = null;
    host(teller).stop();
    await teller.finish(await teller.house.request(1, 0, "get"));
    await teller.pass(FLUSH);
    await teller.finish(host(teller).owner);
    hold(written(teller.house) > 0, "a shard that starts with work sets no alarm");
  },

  "a flush arrives after a later one": async (teller) => {
    const { house, delay, finish, pass, late } = teller;
    await use(teller);
    await pass(FLUSH);
    await finishUntil(teller, "INSERT INTO key_usage");
    await delay(host(teller).owner, "INSERT INTO key_usage");
    await finish(host(teller).owner);
    await use(teller);
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 2, "a flush that failed is not repeated");
    const [before] = house.lastUsed();
    await late();
    hold(written(house) === 2, "D1's counts move back");
    hold(house.lastUsed()[0]?.last_used_at === before?.last_used_at, "D1's last used moves back");
  },

  "a key is used while a flush is under way": async (teller) => {
    const { house, let: arrive, finish, pass } = teller;
    await use(teller);
    await pass(FLUSH);
    await finishUntil(teller, "INSERT INTO key_usage");
    await arrive(host(teller).owner, "INSERT INTO key_usage");
    await use(teller);
    const [, at] = house.uses.at(-1) ?? [];
    await finish(host(teller).owner);
    await pass(2 * FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 2, "a use that came during a flush counts as written");
    hold(house.lastUsed()[0]?.last_used_at === at, "a last use that came during a flush counts as written");
  },

  "a key is used twice before its uses are handed over": async (teller) => {
    const { house, finish, pass, rest } = teller;
    await finish(await house.request(0, 0, "no"));
    await pass(400);
    await finish(await house.request(0, 0, "no"));
    const [, at] = house.uses.at(-1) ?? [];
    await pass(1000);
    await rest();
    await pass(FLUSH);
    await rest();
    hold(house.lastUsed()[0]?.last_used_at === at, "the earlier of two uses counts as the last");
  },

  "the request that hands uses over dies": async (teller) => {
    const { house, let: arrive, finish, pass, rest } = teller;
    const dying = await house.request(0, 0, "no");
    await finish(dying);
    await pass(1000);
    await arrive(dying, "sync");
    dying.dead = true;
    await pass(12_000);
    await finish(await house.request(0, 0, "get"));
    await rest();
    await pass(1000);
    await rest();
    for (let n = 0; n < 2; n += 1) {
      await pass(FLUSH);
      await rest();
    }
    hold(written(house) === 2, "an unanswered batch is never sent again");
  },

  "a change is under way when the alarm runs": async (teller) => {
    const { house, let: arrive, finish, pass } = teller;
    await use(teller);
    await pass(FLUSH - 3000);
    const slow = await house.change(KEY, RENAME);
    await arrive(slow, "open", "open c0, answer");
    await pass(3500);
    await finish(host(teller).owner);
    await finish(slow);
    hold(house.changes[0]?.result === "committed", "a change of two seconds ago is given up");
  },

  "D1 takes no uses while a Worker is dead": async (teller) => {
    const { house, let: arrive, delay, finish, pass } = teller;
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer");
    dying.dead = true;
    for (let n = 0; n < 6; n += 1) {
      await use(teller);
      await pass(FLUSH);
      const failing = () =>
        house.sim.pending.some(({ label, astray }) => !astray && label.includes(FLUSHING));
      await finishUntil(teller, FLUSHING);
      if (failing()) await delay(host(teller).owner, FLUSHING);
      await finish(host(teller).owner);
    }
    hold(host(teller).running.sync({ since: null, uses: null }).open.length === 0, "a change stays open");
  },
};

const FLUSHING = "INSERT INTO key_usage";

/** The shard's alarm goes on until it is about to send this. */
async function finishUntil(teller: Teller, text: string): Promise<void> {
  const { sim } = teller.house;
  for (;;) {
    const { owner } = host(teller);
    const index = sim.pending.findIndex((message) => message.owner === owner && !message.astray);
    if (index < 0 || sim.pending[index]?.label.includes(text)) return;
    await sim.fire(index, "ok");
  }
}
