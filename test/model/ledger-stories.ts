import type { Host } from "./hosts.ts";
import type { House } from "./house.ts";
import { hold } from "./promise.ts";
import { FLUSH, HOUR } from "./setting.ts";
import type { Owner } from "./sim.ts";
import { KEY, RENAME, type Story, type Teller, where } from "./story.ts";

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

  "a shard is restarted again and again": async (teller) => {
    await use(teller);
    for (let n = 0; n < 4; n += 1) {
      await teller.pass(4000);
      if (n < 3) await teller.finish(host(teller).owner);
      host(teller).stop();
      host(teller).running;
    }
    await teller.finish(host(teller).owner);
    hold(written(teller.house) > 0, "a start puts the alarm off");
  },

  "D1 refuses, and answers again": async (teller) => {
    const { house, pass, finish } = teller;
    const failures = () => house.tally.counts.get("alarm failed") ?? 0;
    await use(teller);
    house.cut.d1.add("all");
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(failures() === 1, "an alarm that failed is not reported");
    house.cut.d1.clear();
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(failures() === 1, "an alarm that did well is reported");
    hold(written(house) === 1, "a flush that failed is not repeated");
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

  "more rows wait than are cheap, and then traffic stops": async (teller) => {
    const { house, finish, pass } = teller;
    handOver(teller, "busy", 1, { rows: 500 });
    await pass(FLUSH - 1000);
    handOver(teller, "busy", 2, { rows: 500 });
    await pass(1000);
    await finish(host(teller).owner);
    hold(written(house) === 0, "rows are written though traffic goes on");
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 1000, "uses wait though traffic has stopped");
  },

  "more rows wait than are cheap, traffic stops, and the ledger's clock runs back": async (teller) => {
    handOver(teller, "busy", 1, { rows: 500 });
    host(teller).offset -= HOUR;
    await teller.pass(FLUSH);
    await teller.finish(host(teller).owner);
    hold(written(teller.house) === 500, "uses wait for a clock that ran back");
  },

  "rows are cheap by the many uses they stand for, but not after a restart": async (teller) => {
    const { house, finish, pass } = teller;
    let number = 0;
    const go = async (rows: number, count: number) => {
      handOver(teller, "busy", ++number, { rows, count });
      await pass(FLUSH - 1000);
      handOver(teller, "busy", ++number);
      await pass(1000);
      await finish(host(teller).owner);
    };
    await go(200, 2000);
    hold(written(house) === 400_001, "many uses do not pay for their rows");
    await go(300, 1);
    hold(written(house) === 400_001, "uses pay for rows twice");
    host(teller).stop();
    await go(300, 1);
    hold(written(house) === 400_001, "uses pay for rows again after a restart");
  },

  "the ledger's clock runs back after a flush, and traffic goes on": async (teller) => {
    await use(teller);
    await teller.pass(FLUSH);
    await teller.finish(host(teller).owner);
    host(teller).offset -= HOUR;
    for (let n = 0; n < 15; n += 1) {
      await use(teller);
      await teller.finish(host(teller).owner);
    }
    hold(written(teller.house) > 5, "uses wait for a clock that ran back");
  },

  "traffic goes on over an hour's end, in more rows than are cheap": async (teller) => {
    const { house, finish, pass } = teller;
    const before = house.sim.now - (house.sim.now % HOUR);
    const flushes = () => flushesOf(host(teller));
    let number = 0;
    const go = async () => {
      handOver(teller, "busy", ++number, { rows: 200 });
      await pass(FLUSH);
      handOver(teller, "busy", ++number, { rows: 200 });
      await finish(host(teller).owner);
    };
    for (let n = 0; n < 4; n += 1) await go();
    hold(flushes() === 0, "an hour is written before all of it has been handed over");
    for (let n = 0; n < 90 && flushes() === 0; n += 1) await go();
    await go();
    const hours = new Set(house.usage().map(({ hour }) => hour));
    hold(hours.has(before), "an hour that is over is not written while traffic goes on");
    hold(hours.size === 1, "an hour is written before it is over");
    hold(flushes() === 1, "an hour that is over is written more than once");
  },

  "traffic of two shards goes on over an hour's end": where({ shards: 2 }, async (teller) => {
    const { house, pass, rest } = teller;
    const written = new Map<Host, number>();
    for (let n = 1; n < 100 && written.size < 2; n += 1) {
      for (const to of house.hosts) handOver(teller, "busy", 2 * n, { rows: 150, to });
      await pass(FLUSH);
      for (const to of house.hosts) handOver(teller, "busy", 2 * n + 1, { rows: 150, to });
      await rest();
      for (const to of house.hosts) if (flushesOf(to) > 0 && !written.has(to)) written.set(to, n);
    }
    hold(new Set(written.values()).size === 2, "shards do not take turns");
  }),

  "an hour that is about to be forgotten is added to while a flush is under way": async (teller) => {
    const { house, finish, pass } = teller;
    const at = house.sim.now;
    await use(teller);
    await pass(FLUSH);
    await finish(host(teller).owner);
    // The hour ended ten seconds after the story began, and two hours later it is forgotten.
    await pass(2 * HOUR - FLUSH - 10_000);
    await use(teller, 2);
    await pass(FLUSH + 500);
    await finishUntil(teller, FLUSHING);
    await pass(4500);
    handOver(teller, "late", 1, { at });
    await pass(4500);
    await finish(host(teller).owner);
    await pass(2 * FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 3, "uses are forgotten that D1 does not have");
    const last = house.lastUsed().find(({ key_id }) => key_id === "key_1");
    hold(last?.last_used_at === at, "a last use is forgotten that D1 does not have");
  },

  "a request is denied": async (teller) => {
    handOver(teller, "busy", 1, { isDenied: true });
    hold(host(teller).running.lastUsed("key_1") === null, "a denial is a use");
  },

  "uses of an hour long past arrive": async (teller) => {
    const { house, finish, pass } = teller;
    const at = house.sim.now;
    handOver(teller, "early", 1, { at, count: 5 });
    await pass(5 * HOUR);
    await finish(host(teller).owner);
    await use(teller);
    await pass(FLUSH);
    await finish(host(teller).owner);
    handOver(teller, "late", 1, { at, count: 3 });
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 9, "uses of an hour that is forgotten are lost");
  },

  "a day and more go by": where({ bounds: { fences: 1024, log: 1, page: 5000 } }, async (teller) => {
    const { house, finish, pass } = teller;
    const days = 1 + 4 / 24;
    const began = house.sim.now;
    handOver(teller, "early", 1, { key: "key_0", at: began });
    await pass(FLUSH);
    await finish(host(teller).owner);
    await pass(days * 24 * HOUR);
    house.insert(OLD);
    handOver(teller, "next", 1);
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(!house.usage().some(({ hour }) => hour === 0), "usage is kept for ever");
    hold(host(teller).running.lastUsed("key_0") === null, "memory keeps a last use that D1 has");
    hold(host(teller).running.lastUsed("key_1") !== null, "memory does not keep a last use");
    for (let number = 2; number < 20; number += 1) handOver(teller, "next", number);
    const pages = JSON.stringify(host(teller).select("SELECT body FROM use_pages"));
    hold(pages.includes("next"), "nothing is folded");
    hold(!pages.includes("early"), "the number of a batch is kept for ever");
    hold(!pages.includes(`${began - (began % HOUR)}`), "counts are kept that D1 has");
  }),

  "more rows than go into one statement": async (teller) => {
    const { house, finish, pass } = teller;
    for (let number = 1; number <= 4; number += 1)
      handOver(teller, "busy", number, {
        rows: 5000,
        key: `key_${"x".repeat(60)}${number}`,
        isOneKey: false,
      });
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(written(house) === 20_000, "a flush writes only a piece");
  },

  "D1 has usage of very long ago": async (teller) => {
    const { house, finish, pass } = teller;
    const old = () => house.usage().some(({ hour }) => hour === 0);
    house.insert(OLD);
    await use(teller);
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(!old(), "usage is kept for ever");
    const { d1 } = house.counters;
    await use(teller);
    await pass(FLUSH);
    await finish(host(teller).owner);
    hold(house.counters.d1 === d1 + 1, "what is old is looked for at every flush");
  },
};

/** Uses on many endpoints, each another row, handed over as they are. */
const handOver = (
  teller: Teller,
  isolate: string,
  number: number,
  {
    to = host(teller),
    at = teller.house.sim.now,
    rows = 1,
    count = 1,
    key = "key_1",
    isOneKey = true,
    isDenied = false,
  } = {},
) =>
  to.running.sync({
    since: null,
    uses: {
      isolate,
      number,
      uses: Array.from({ length: rows }, (_, n) => ({
        ...{ key_id: isOneKey ? key : `${key} ${n}`, endpoint_id: `e${n}` },
        ...{ hour: at - (at % HOUR), kind: "read" },
        ...{ count, last_used_at: isDenied ? null : at },
      })),
    },
  });

/** How often a shard wrote to D1. */
const flushesOf = ({ owner }: Host) =>
  Object.entries(owner.calls)
    .filter(([label]) => label.startsWith(FLUSHING))
    .reduce((sum, [, n]) => sum + n, 0);

/** Usage of very long ago. */
const OLD = "INSERT INTO key_usage (key_id, hour, endpoint_id, kind, count) VALUES ('k', 0, '', 'read', 1)";

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
