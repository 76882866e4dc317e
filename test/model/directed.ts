import { Broken, type Host, House, LEASE, Tally } from "./house.ts";
import { ISOLATE_STORIES } from "./isolate-stories.ts";
import { LEDGER_STORIES } from "./ledger-stories.ts";
import { RELAY_STORIES } from "./relay-stories.ts";
import type { Owner } from "./sim.ts";
import { KEY, RENAME, type Story, type Teller } from "./story.ts";

const DELETE = 0;
/** One endpoint at two places, and the node of the second. */
const AT_X = { sort: "endpoint", which: 3 } as const;
const AT_V2 = { sort: "endpoint", which: 4 } as const;
const NODE_V2 = 6;

const waits = ({ house }: Teller, owner: Owner, text: string) =>
  house.sim.pending.some((message) => message.owner === owner && message.label.includes(text));

/** The rare interleavings that random schedules come by too seldom, each against one thing left out. */
export const STORIES: Record<string, Story> = {
  ...ISOLATE_STORIES,
  ...LEDGER_STORIES,
  ...RELAY_STORIES,

  "two changes of one key overlap": async ({ house, let: arrive, finish, pass }) => {
    const first = await house.change(KEY, RENAME);
    await arrive(first, "open", "open c0, answer", "INSERT INTO audit_log", "audit_log (id, at, outcome,");
    const second = await house.change(KEY, RENAME);
    await arrive(second, "open", "open c1, answer");
    await finish(first);
    await finish(await house.request(0, 0, "no"));
    await finish(second);
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "a read is answered after the lease learnt of a change": async ({ house, let: arrive, finish, pass }) => {
    const slow = await house.request(0, 0, "no");
    await arrive(slow, "sync", "KV get", "sync, answer", "KV get, answer", "SELECT k.id");
    await finish(await house.change(KEY, RENAME));
    await finish(await house.request(0, 0, "get"));
    await finish(slow);
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "a lease is answered late": async ({ house, let: arrive, finish, pass }) => {
    await finish(await house.request(0, 0, "no"));
    await pass(LEASE + 1);
    const slow = await house.request(0, 0, "no");
    await arrive(slow, "sync");
    await finish(await house.change(KEY, RENAME));
    await pass(LEASE - 100);
    await finish(slow);
    await pass(LEASE - 100);
    await finish(await house.request(0, 0, "no"));
  },

  "an old answer fills the gap that a clock running back has left": async ({
    house,
    let: arrive,
    finish,
    pass,
  }) => {
    const oldest = await house.request(0, 0, "no");
    await arrive(oldest, "sync");
    await finish(await house.request(0, 0, "no"));
    await finish(await house.change(KEY, RENAME));
    await pass(100);
    await finish(await house.request(0, 2, "get"));
    await pass(100);
    const asker = await house.request(0, 1, "ask");
    await arrive(asker, "sync", "sync, answer");
    const strict = await house.request(0, 0, "get");
    await arrive(strict, "sync");
    house.moveClock(0, -300);
    // Finds that elapsed time cannot be told any more, and forgets what the shard said.
    await arrive(asker, "KV get", "KV get, answer");
    await pass(450);
    await arrive(oldest, "sync, answer");
    await finish(strict);
  },

  "an unknown key is created while its read is under way": async ({ house, let: arrive, finish, pass }) => {
    const slow = await house.request(0, 3, "no");
    await arrive(slow, "sync", "KV get", "sync, answer", "KV get, answer", "SELECT k.id");
    await finish(await house.change({ sort: "key", which: 3 }, RENAME));
    await pass(LEASE - 100);
    await finish(slow);
    await pass(LEASE - 100);
    await finish(await house.request(0, 3, "no"));
  },

  "a Worker dies and its batch arrives after the ledger gave it up": async (teller) => {
    const { house, let: arrive, delay, late, finish, pass } = teller;
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer");
    await delay(dying, "INSERT INTO audit_log");
    dying.dead = true;
    await pass(31_000);
    await finish((house.hosts[0] as Host).owner);
    await pass(31_000);
    await finish((house.hosts[0] as Host).owner);
    await finish(await house.request(0, 0, "no"));
    await late();
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "a slow Worker's batch arrives after the ledger gave it up": async (teller) => {
    const { house, let: arrive, finish, pass } = teller;
    const slow = await house.change(KEY, RENAME);
    // Each step as slow as may be: the third attempt to commit is on its way when the ledger loses patience.
    await arrive(slow, "open");
    await pass(2900);
    await arrive(slow, "open c0, answer");
    for (const wait of [7100, 2900, 7100, 2900, 7100]) {
      await pass(wait);
      await finish((house.hosts[0] as Host).owner);
    }
    await finish(slow);
    if (house.changes[0]?.result !== "unavailable") throw new Broken("a change given up is called a success");
  },

  "D1 is away when the ledger gives up a change": async (teller) => {
    const { house, let: arrive, delay, late, finish, pass } = teller;
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer");
    await delay(dying, "INSERT INTO audit_log");
    dying.dead = true;
    house.cut.d1.add("all");
    for (let n = 0; n < 4; n += 1) {
      await pass(10_000);
      await finish((house.hosts[0] as Host).owner);
    }
    house.cut.d1.clear();
    await finish(await house.request(0, 0, "no"));
    await late();
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "no attempt to commit is answered, and one arrives late": async (teller) => {
    const { house, let: arrive, delay, late, finish, pass } = teller;
    const change = await house.change(KEY, RENAME);
    await arrive(change, "open", "open c0, answer");
    for (let n = 0; n < 3; n += 1) await delay(change, "INSERT INTO audit_log");
    for (const text of ["close", "close c0, answer"])
      if (waits(teller, change, text)) await arrive(change, text);
    await finish(await house.request(0, 0, "no"));
    await late();
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "a strict request begins in the millisecond of one that asked before the change": async ({
    house,
    let: arrive,
    finish,
  }) => {
    await finish(await house.request(0, 0, "no"));
    const before = await house.request(0, 0, "get");
    await arrive(before, "sync");
    await finish(await house.change(KEY, RENAME));
    const after = await house.request(0, 0, "get");
    await finish(before);
    await finish(after);
  },

  "an attempt to make an endpoint arrives after the endpoint was deleted again": async ({
    house,
    let: arrive,
    delay,
    late,
    finish,
    pass,
  }) => {
    const slow = await house.change(AT_V2, RENAME);
    await arrive(slow, "open", "open c0, answer");
    await delay(slow, "INSERT INTO audit_log");
    await finish(slow);
    await finish(await house.change(AT_V2, DELETE));
    await finish(await house.request(0, NODE_V2, "no"));
    await late();
    await pass(LEASE + 1);
    await finish(await house.request(0, NODE_V2, "no"));
  },

  "an endpoint is deleted and made anew elsewhere while a change of the old one is under way": async ({
    house,
    finish,
    pass,
  }) => {
    await finish(await house.change(AT_X, RENAME));
    const slow = await house.change(AT_X, RENAME);
    await finish(await house.change(AT_X, DELETE));
    await finish(await house.change(AT_V2, RENAME));
    await finish(await house.request(0, NODE_V2, "no"));
    await finish(slow);
    await pass(LEASE + 1);
    await finish(await house.request(0, NODE_V2, "no"));
  },
};

/**
 * Tells a story.
 * @param exact whether a message that is not there is an error; in a mutant it may well be missing
 * @throws Broken when it ends badly
 */
export async function tell(story: Story, exact = true): Promise<void> {
  const relays = Object.values(RELAY_STORIES).includes(story) ? 1 : 0;
  const house = new House({ shards: 1, relays, isolates: 2, maxFences: 1024, offsets: [0, 0] }, new Tally());
  const giveTimersBack = house.sim.takeTimers();
  const { sim } = house;
  const check = () => {
    if (house.failure !== null) throw house.failure;
  };
  try {
    await house.furnish();
    await story({
      house,
      let: async (owner, ...texts) => {
        for (const text of texts) {
          const index = sim.pending.findIndex((m) => m.owner === owner && m.label.includes(text));
          if (index < 0 && exact) throw new Error(`${owner.name} has no message "${text}"`);
          await sim.fire(index, "ok");
          check();
        }
      },
      delay: async (owner, text) => {
        await sim.fire(
          sim.pending.findIndex((m) => m.owner === owner && !m.astray && m.label.includes(text)),
          "late",
        );
        check();
      },
      late: async () => {
        for (;;) {
          const index = sim.pending.findIndex(({ astray }) => astray);
          if (index < 0) break;
          await sim.fire(index, "ok");
        }
        check();
      },
      finish: async (owner) => {
        for (;;) {
          const index = sim.pending.findIndex((m) => m.owner === owner && !m.astray);
          if (index < 0) break;
          await sim.fire(index, "ok");
          check();
        }
      },
      rest: async () => {
        while (sim.next >= 0) await sim.fire(sim.next, "ok");
        check();
      },
      pass: (ms) => sim.advance(ms),
    });
    check();
    house.checkResults();
  } finally {
    giveTimersBack();
  }
}
