import { CHANGE_STORIES } from "./change-stories.ts";
import { House, Tally } from "./house.ts";
import { ISOLATE_STORIES } from "./isolate-stories.ts";
import { LEASE_STORIES } from "./lease-stories.ts";
import { LEDGER_STORIES } from "./ledger-stories.ts";
import { RELAY_STORIES } from "./relay-stories.ts";
import type { Setting } from "./setting.ts";
import type { Story } from "./story.ts";

/** The rare interleavings that random schedules come by too seldom, each against one thing left out. */
export const STORIES: Record<string, Story> = {
  ...CHANGE_STORIES,
  ...LEASE_STORIES,
  ...ISOLATE_STORIES,
  ...LEDGER_STORIES,
  ...RELAY_STORIES,
};

const USUAL: Setting = {
  ...{ shards: 1, relays: 0, isolates: 2, offsets: [0, 0], memory: 32 * 1024, coloCache: false },
  bounds: { fences: 1024, log: 1_000_000, page: 5000 },
};

/**
 * Tells a story.
 * @param exact whether a message that is not there is an error; in a mutant it may well be missing
 * @throws Broken when it ends badly
 */
export async function tell(story: Story, exact = true): Promise<void> {
  const house = new House({ ...USUAL, ...story.setting }, new Tally());
  const giveTimersBack = house.sim.takeTimers();
  Object.assign(globalThis, { caches: house.caches });
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
          const index = sim.pending.findIndex(
            (m) => m.owner === owner && !m.astray && m.label.includes(text),
          );
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
