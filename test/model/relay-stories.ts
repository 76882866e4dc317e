import { LEASE, type RelayHost } from "./house.ts";
import { KEY, RENAME, type Story, type Teller } from "./story.ts";

const relayOf = ({ house }: Teller) => (house.relays[0] as RelayHost).owner;

/** What can go wrong where a relay stands between isolates and a shard. Told with one relay. */
export const RELAY_STORIES: Record<string, Story> = {
  "a relay is answered late": async (teller) => {
    const { house, let: arrive, finish, rest, pass } = teller;
    for (const isolate of [0, 1]) {
      await house.request(isolate, 0, "no");
      await rest();
    }
    // Until no use is on its way any more.
    for (let n = 0; n < 6; n += 1) {
      await pass(1000);
      await rest();
    }
    const slow = await house.request(0, 0, "no");
    await arrive(slow, "relay 0 sync");
    await arrive(relayOf(teller), "shard 0 sync");
    await finish(await house.change(KEY, RENAME));
    await pass(1000);
    await finish(relayOf(teller));
    await finish(slow);
    await house.request(1, 0, "no");
    await rest();
    await pass(LEASE - 999);
    for (const isolate of [1, 0]) {
      await house.request(isolate, 0, "no");
      await rest();
    }
  },

  "a strict request comes while the relay's copy is young": async (teller) => {
    const { house, finish, rest } = teller;
    await house.request(0, 0, "no");
    await rest();
    await finish(await house.change(KEY, RENAME));
    await house.request(1, 0, "get");
    await rest();
    await house.request(0, 0, "ask");
    await rest();
  },

  "a relay dies with uses on their way": async (teller) => {
    const { house, rest, pass } = teller;
    await house.request(0, 0, "no");
    await rest();
    await pass(1000);
    house.relays[0]?.stop();
    await rest();
    for (let n = 0; n < 14; n += 1) {
      await pass(1000);
      await rest();
    }
    for (let n = 0; n < 3; n += 1) {
      await pass(10_000);
      await rest();
    }
    house.checkUses();
  },
};
