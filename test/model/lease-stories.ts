import { LEASE } from "./setting.ts";
import { KEY, RENAME, type Story, type Teller, where } from "./story.ts";

const ANOTHER = { sort: "key", which: 1 } as const;
const THIRD = { sort: "key", which: 2 } as const;

/**
 * An isolate's clock runs back while a strict request waits for its shard; the answer to a question from before
 * the change comes then.
 * @param meanwhile what befalls the shard between that question and the change
 */
async function fillsGap({ house, let: arrive, finish, pass }: Teller, meanwhile = () => {}): Promise<void> {
  const oldest = await house.request(0, 0, "no");
  await arrive(oldest, "sync");
  meanwhile();
  await finish(await house.request(0, 0, "no"));
  await finish(await house.change(KEY, RENAME));
  await pass(100);
  await finish(await house.request(0, 2, "get"));
  await pass(100);
  const finder = await house.request(0, 1, "ask");
  await arrive(finder, "sync", "sync, answer");
  const strict = await house.request(0, 0, "get");
  await arrive(strict, "sync");
  house.moveClock(0, -300);
  // Finds that elapsed time cannot be told any more, and forgets what the shard said.
  await arrive(finder, "KV get", "KV get, answer");
  await pass(450);
  await arrive(oldest, "sync, answer");
  await finish(strict);
}

/** Answers of a shard that overtake each other, or outlive what they continue. */
export const LEASE_STORIES: Record<string, Story> = {
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

  "an old answer fills the gap that a clock running back has left": (teller) => fillsGap(teller),

  "an answer from before a change was opened comes while a strict request waits for KV": async ({
    house,
    let: arrive,
    finish,
  }) => {
    await finish(await house.request(0, 0, "no"));
    const earlier = await house.request(0, 1, "get");
    await arrive(earlier, "sync");
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer", "INSERT INTO audit_log");
    dying.dead = true;
    const strict = await house.request(0, 0, "get");
    await arrive(strict, "sync", "sync, answer");
    await arrive(earlier, "sync, answer");
    await finish(strict);
  },

  "the answer to an earlier question comes after that to a later one": async ({
    house,
    let: arrive,
    finish,
    pass,
  }) => {
    await finish(await house.request(0, 0, "no"));
    const first = await house.request(0, 1, "get");
    await arrive(first, "sync");
    await pass(1500);
    await finish(await house.request(0, 2, "get"));
    await arrive(first, "sync, answer");
    await pass(1000);
    await finish(await house.request(0, 0, "no"));
    await finish(await house.request(0, 1, "no"));
  },

  "an old answer fills that gap while a strict request waits for KV": async ({
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
    const finder = await house.request(0, 1, "ask");
    await arrive(finder, "sync", "sync, answer");
    const strict = await house.request(0, 0, "ask");
    await arrive(strict, "sync", "sync, answer");
    house.moveClock(0, -300);
    await arrive(finder, "KV get", "KV get, answer");
    await pass(450);
    await arrive(oldest, "sync, answer");
    await finish(strict);
  },

  "an answer of a shard that is gone fills that gap": async (teller) => {
    const { house, finish } = teller;
    for (let n = 0; n < 2; n += 1) await finish(await house.change(ANOTHER, RENAME));
    await fillsGap(teller, () => house.wipe(0));
  },

  "a shard drops fences between two answers, and the later question's comes last": where(
    { bounds: { fences: 2, log: 1_000_000, page: 5000 } },
    async ({ house, let: arrive, finish, pass }) => {
      await finish(await house.request(0, 0, "no"));
      await finish(await house.change(KEY, RENAME));
      await pass(LEASE + 1);
      await finish(await house.request(0, 2, "get"));
      const first = await house.request(0, 1, "get");
      await pass(1500);
      const second = await house.request(0, 2, "get");
      await arrive(second, "sync");
      await finish(await house.change(ANOTHER, RENAME));
      await finish(await house.change(THIRD, RENAME));
      await arrive(first, "sync", "sync, answer");
      await arrive(second, "sync, answer");
      await finish(await house.request(0, 0, "no"));
      await finish(first);
      await finish(second);
      await pass(1000);
      await finish(await house.request(0, 0, "no"));
      await finish(await house.request(0, 1, "no"));
    },
  ),
};
