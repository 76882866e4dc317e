import { House, KEYS, NAMES, Tally, type Target } from "./house.ts";
import { Broken } from "./promise.ts";
import type { Setting } from "./setting.ts";
import type { Fate } from "./sim.ts";

/**
 * A schedule is a list of whole numbers, each one thing that happens; the first says what house it happens
 * in. Any list is one, so that fast-check can shorten a failing one to what matters.
 */
export type Schedule = readonly number[];

/** Largest number in a schedule. */
export const MOST = 2 ** 31 - 1;

const FATES: Fate[][] = [
  ["lost", "refused", "after", "late", "repeat"],
  ["lost", "refused", "after", "late", "repeat"],
  ["late", "after"],
  ["late"],
  ["refused", "late"],
  ["lost", "repeat"],
];
const PAUSES = [
  [1, 5, 50, 300, 700, 999, 1000, 1001, 1500, 2000, 2500, 10_000, 31_000],
  [1, 300, 700, 999, 1000, 1001, 1500, 1900],
  [1, 5, 50],
  [1000, 2001, 31_000],
];
const SERVICES = ["d1", "ledger", "kv"] as const;

/** What a schedule is about: few things at once meet more often than many. */
const FOCUS: { names: number[]; targets: Target[] }[] = [
  ...KEYS.map((_, which) => ({
    names: [which],
    targets: [
      { sort: "key" as const, which },
      { sort: "key" as const, which },
      { sort: "account" as const, which: which % 2 },
    ],
  })),
  {
    names: [KEYS.length, KEYS.length + 1, KEYS.length + 2],
    targets: [0, 1, 2, 3, 4].map((which) => ({ sort: "endpoint", which })),
  },
  {
    names: Array.from({ length: NAMES }, (_, which) => which),
    targets: [
      ...[0, 1, 2, 3].map((which) => ({ sort: "key" as const, which })),
      ...[0, 1].map((which) => ({ sort: "account" as const, which })),
      ...[0, 1, 2, 3, 4].map((which) => ({ sort: "endpoint" as const, which })),
    ],
  },
];

/** What is likely in a schedule. */
interface Mood {
  names: number[];
  targets: Target[];
  fates: Fate[];
  /** One message in so many meets a fate; null: none does. */
  faultOdds: number | null;
  /** One message in so many is not the oldest. */
  disorder: number;
  pauses: number[];
  /** Before one pause in so many, what is under way may end. */
  rest: number;
  clocksMove: boolean;
  /** How many messages go their way at once, at most; 0: one by one. */
  flow: number;
  /** Messages astray arrive before the ledger has given their change up, after that, or while it tries to. */
  end: "before" | "after" | "amid";
}

/** As many choices as need be, out of one number (mulberry32). */
class Choices {
  #state: number;

  constructor(number: number) {
    this.#state = number | 0;
  }

  /** A whole number below `most`. */
  next(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % most;
  }

  of<T>(list: readonly T[]): T {
    return list[this.next(Math.max(1, list.length))] as T;
  }
}

function settingOf(number: number): { setting: Setting; mood: Mood } {
  const choices = new Choices(number);
  const setting: Setting = {
    shards: 1 + choices.next(3),
    isolates: 1 + choices.next(3),
    bounds: {
      fences: choices.of([2, 4, 1024]),
      log: choices.of([200, 2000, 1_000_000]),
      page: choices.of([1, 2, 5000]),
    },
    memory: 32 * 1024,
    coloCache: choices.next(4) === 0,
    relays: choices.of([0, 0, 1, 2]),
    offsets: [0, choices.of([0, 0, 3600_000, -3600_000]), choices.of([0, 900, -900])],
  };
  const mood = {
    ...choices.of([...FOCUS, FOCUS.at(-1) as (typeof FOCUS)[number]]),
    fates: choices.of(FATES),
    faultOdds: choices.of([null, 2, 5, 10, 30]),
    disorder: choices.of([1, 2, 10]),
    pauses: choices.of(PAUSES),
    rest: choices.of([1, 1, 2, 10]),
    clocksMove: choices.next(8) === 0,
    flow: choices.of([0, 6, 24]),
    end: choices.of(["before", "after", "amid"] as const),
  };
  return { setting, mood };
}

/** What the schedule's next number brings about. */
async function happen(house: House, mood: Mood, number: number): Promise<void> {
  const { sim } = house;
  const choices = new Choices(number);
  const what = choices.next(100);
  const slot = () => choices.next(house.isolates.length);
  const fire = (index: number, rare = 1) => {
    const fails = mood.faultOdds !== null && choices.next(mood.faultOdds * rare) === 0;
    return sim.fire(index, fails ? choices.of(mood.fates) : "ok");
  };
  if (what < 30) {
    await fire(choices.next(mood.disorder) === 0 ? choices.next(Math.max(1, sim.pending.length)) : sim.next);
  } else if (what < 46) {
    // One of those under way goes on while the others wait: few such turns make most of what can go wrong.
    const waiting = sim.pending.filter(({ astray }) => !astray).map(({ owner }) => owner);
    const actor = choices.of([...new Set(waiting)]);
    for (let n = choices.of([1, 2, 3, 4, 6, 8, 20]); n > 0; n -= 1) {
      await fire(sim.pending.findIndex(({ owner, astray }) => owner === actor && !astray));
    }
  } else if (what < 52) {
    for (let n = choices.next(1 + mood.flow); n >= 0; n -= 1) await fire(sim.next, 2);
  } else if (what < 54) {
    const astray = sim.pending.flatMap((message, index) => (message.astray ? [index] : []));
    await sim.fire(choices.of(astray) ?? -1, "ok");
  } else if (what < 72) {
    await house.request(slot(), choices.of(mood.names), choices.of(["no", "no", "no", "get", "ask"]));
  } else if (what < 80) {
    await house.change(choices.of(mood.targets), choices.next(10));
  } else if (what < 90) {
    if (choices.next(mood.rest) === 0) for (let n = 0; n < 60; n += 1) await sim.fire(sim.next, "ok");
    await sim.advance(choices.of(mood.pauses));
  } else if (what < 91) {
    house.killIsolate(slot());
  } else if (what < 94) {
    const alive = house.changes.filter(({ owner, result }) => !owner.dead && result === null);
    const change = alive[choices.next(Math.max(1, alive.length))];
    if (change !== undefined) change.owner.dead = true;
  } else if (what < 95) {
    choices.of([...house.hosts, ...house.relays, ...house.relays]).stop();
  } else if (what < 97) {
    if (choices.next(2) === 0)
      house.cut[choices.of(SERVICES)].add(
        choices.of(["all", house.isolates[slot()]?.id ?? "", ...house.relays.map(({ owner }) => owner.name)]),
      );
    else for (const cut of Object.values(house.cut)) cut.clear();
  } else if (what < 98) {
    const of = slot();
    if (mood.clocksMove) house.moveClock(of, choices.of([-100, -1000, -2500, -3_600_000, 500]));
  } else if (what < 99) {
    if (choices.next(3) === 0) house.wipe(choices.next(house.hosts.length));
    else house.kvLag = choices.next(4);
  } else {
    house.litter(choices.next(NAMES), choices.next(64));
  }
  if (house.failure !== null) throw house.failure;
}

/** No more faults: whatever is under way comes to its end. */
async function settle(house: House): Promise<void> {
  const { sim } = house;
  house.calm = true;
  house.kvLag = 0;
  for (const cut of Object.values(house.cut)) cut.clear();
  await deliver(house);
  const end = sim.now + 600_000;
  while (!house.isSettled()) {
    const next = sim.nextTimer();
    if (sim.now > end || next === null) throw new Broken("the ledger never settles");
    await sim.advance(Math.max(1, next - sim.now));
    await deliver(house);
  }
}

/** Everything that is under way arrives, but for what is astray. */
async function deliver(house: House): Promise<void> {
  const { sim } = house;
  for (let n = 0; sim.next >= 0; n += 1) {
    if (n > 20_000) throw new Broken("messages without end");
    await sim.fire(sim.next, "ok");
  }
  if (house.failure !== null) throw house.failure;
}

/** D1 is away while the ledger gives up what is open. */
async function giveUp(house: House): Promise<void> {
  house.cut.d1.add("all");
  for (let n = 0; n < 6; n += 1) {
    await deliver(house);
    await house.sim.advance(10_000);
  }
  await deliver(house);
  house.cut.d1.clear();
}

/** Every isolate is asked for everything. */
async function warm(house: House): Promise<void> {
  for (const slot of house.isolates.keys()) {
    for (let which = 0; which < NAMES; which += 1) {
      await house.request(slot, which, "no");
      await deliver(house);
    }
  }
}

/** What was astray arrives after all. */
async function arrive(house: House): Promise<void> {
  while (house.sim.pending.length > 0) await house.sim.fire(0, "ok");
}

/** Every name is served right, and from the cache; a new isolate has it from KV. */
async function checkCaches(house: House): Promise<void> {
  const ask = async (slot: number, which: number) => {
    const seen: { tier?: string; value?: unknown } = {};
    const before = { ...house.counters };
    await house.request(slot, which, "no", (found) => {
      if (found === "unavailable") throw new Broken("unavailable although all is well");
      Object.assign(seen, found);
    });
    await deliver(house);
    if (seen.tier === undefined) throw new Broken("no answer although all is well");
    const { d1, kv, ledger } = house.counters;
    return { ...seen, d1: d1 - before.d1, kv: kv - before.kv, ledger: ledger - before.ledger };
  };
  await house.sim.advance(16_000);
  await deliver(house);
  const isolates = house.isolates.length;
  for (let slot = 0; slot < isolates; slot += 1) {
    for (let which = 0; which < NAMES; which += 1) {
      await ask(slot, which);
      // Where uses were handed over a moment ago, the lease is young enough to trust, and due for renewal.
      await ask(slot, which);
      const again = await ask(slot, which);
      if (again.tier !== "memory" || again.d1 + again.kv + again.ledger > 0)
        throw new Broken(`name ${which} is not served from memory: ${JSON.stringify(again)}`);
    }
  }
  const first = house.addIsolate();
  for (let which = 0; which < NAMES; which += 1) await ask(first, which);
  const second = house.addIsolate();
  for (let which = 0; which < NAMES; which += 1) {
    const { value, tier } = await ask(second, which);
    const node = value as { self?: unknown; wildcard?: unknown; below?: boolean; taken?: boolean } | null;
    const empty = node === null || (node.self === null && !node.wildcard && !node.below && !node.taken);
    if (!empty && tier !== "kv") throw new Broken(`name ${which} is not served from KV but from ${tier}`);
  }
  for (let n = 0; n < 4; n += 1) {
    await house.sim.advance(1100);
    await deliver(house);
  }
}

/**
 * Runs a schedule to its end, then lets the house come to rest and looks at what is left.
 * @throws Broken when a promise of docs/architecture.md is broken
 */
export async function run(
  schedule: Schedule,
  tally = new Tally(),
  trace: string[] | null = null,
): Promise<void> {
  const { setting, mood } = settingOf(schedule[0] ?? 0);
  const house = new House(setting, tally);
  house.sim.trace = trace;
  const giveTimersBack = house.sim.takeTimers();
  Object.assign(globalThis, { caches: house.caches });
  try {
    await house.furnish();
    for (const number of schedule.slice(1)) await happen(house, mood, number);
    if (mood.end === "amid") await giveUp(house);
    if (mood.end === "after") await settle(house);
    if (mood.end !== "before") await warm(house);
    await arrive(house);
    await settle(house);
    await checkCaches(house);
    await settle(house);
    house.checkUses();
    house.checkAnswers();
    house.checkResults();
    house.checkHosts();
  } finally {
    giveTimersBack();
  }
}

/** A schedule from a seed, for runs without fast-check. */
export function scheduleOf(seed: number): Schedule {
  const choices = new Choices(seed);
  return Array.from({ length: 40 + choices.next(260) }, () => choices.next(MOST));
}
