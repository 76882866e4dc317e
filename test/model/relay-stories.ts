import { RelayedUses } from "../../src/ledger/relayed-uses.ts";
import type { RelayHost } from "./hosts.ts";
import { KEYS } from "./house.ts";
import { hold } from "./promise.ts";
import { HOUR, LEASE } from "./setting.ts";
import { KEY, RENAME, type Story, type Teller, where } from "./story.ts";

const relayOf = ({ house }: Teller) => (house.relays[0] as RelayHost).owner;

/** What can go wrong where a relay stands between isolates and a shard. */
const STORIES: Record<string, Story> = {
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

  "an isolate uses keys of three shards": where({ shards: 3 }, async (teller) => {
    const { house, rest, pass } = teller;
    for (const which of [0, 1, 2]) {
      await house.request(0, which, "no");
      await rest();
    }
    for (let n = 0; n < 6; n += 1) {
      await pass(1000);
      await rest();
    }
    await pass(LEASE + 1);
    const calls = async (which: number) => (await house.request(0, which, "no")).calls.ledger ?? 0;
    for (const which of [0, 1, 2]) {
      hold((await calls(which)) === (which === 0 ? 1 : 0), "a relay is asked for one shard at a time");
      await rest();
    }
    for (let n = 0; n < 6; n += 1) {
      await pass(1000);
      await rest();
    }
    await pass(2 * LEASE);
    for (const which of [0, 1, 2]) await house.request(0, which, "no");
    await rest();
    // Their uses take a renewal along.
    await pass(1000);
    await rest();
    await pass(1800);
    const renewals = [await calls(0), await calls(1), await calls(2)];
    hold(renewals.reduce((sum, n) => sum + n) === 1, "each shard's lease is renewed apart");
  }),

  "a relay's answer of the same millisecond comes while a strict request waits for KV": async (teller) => {
    const { house, let: arrive, rest, pass, finish } = teller;
    await house.request(0, 0, "no");
    await rest();
    await pass(LEASE + 1);
    await rest();
    await pass(LEASE + 1);
    const slow = await house.request(0, 1, "no");
    await arrive(slow, "relay 0 sync");
    await finish(relayOf(teller));
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer", "INSERT INTO audit_log");
    dying.dead = true;
    const strict = await house.request(0, 0, "get");
    await arrive(strict, "shard 0 sync", "shard 0 sync, answer");
    await arrive(slow, "relay 0 sync, answer");
    await finish(strict);
  },

  "a change stays open, and a relay is asked": async ({ house, let: arrive, rest, pass }) => {
    await house.request(0, 0, "no");
    await rest();
    const dying = await house.change(KEY, RENAME);
    await arrive(dying, "open", "open c0, answer", "INSERT INTO audit_log");
    dying.dead = true;
    await pass(LEASE + 1);
    await house.request(0, 0, "no");
    await rest();
  },

  "uses go with another question before a relay's time": async ({ house, rest, finish, pass }) => {
    await house.request(0, 0, "no");
    await rest();
    await finish(await house.request(0, KEYS.length, "get"));
    await pass(1000);
    hold(house.sim.pending.length === 0, "a relay is asked for nothing");
  },

  "an isolate's batch reaches the shard by another way, again and again": async () => {
    const uses = new RelayedUses();
    const use = { key_id: "k", endpoint_id: "", hour: 0, kind: "read", count: 1, last_used_at: null };
    const batch = (isolate: string, number: number) => ({ isolate, number, uses: Array(1000).fill(use) });
    for (let number = 1; number <= 60; number += 1) uses.add(batch("i", number), 0);
    uses.add(batch("j", 1), 0);
    const passedOn = uses.next(0).map(({ isolate, number }) => `${isolate} ${number}`);
    hold(passedOn.join() === "i 60,j 1", "a relay counts batches that it does not hold");
  },

  "a relay has heard of very many isolates": async () => {
    const uses = new RelayedUses();
    uses.stored("first", 1);
    for (let n = 0; n < 9_999; n += 1) uses.stored(`isolate ${n}`, 1);
    uses.stored("first", 2);
    uses.stored("last", 1);
    hold(uses.acknowledged("isolate 0") === null, "a relay remembers isolates without end");
    hold(uses.acknowledged("first") === 2, "a relay forgets an isolate of a moment ago");
  },

  "a relay cannot reach its shard": async (teller) => {
    const { house, rest, pass } = teller;
    await house.request(0, 0, "no");
    await rest();
    house.cut.ledger.add(relayOf(teller).name);
    await pass(2 * LEASE);
    let tier = "none";
    await house.request(0, 0, "no", (found) => {
      tier = found === "unavailable" ? found : found.tier;
    });
    await rest();
    hold(tier === "memory", "nobody asks the shard where the relay cannot");
  },

  "a shard answers late, and the relay before it": async (teller) => {
    const { house, let: arrive, rest, finish, pass } = teller;
    // A node: what is told here needs no uses.
    const node = KEYS.length + 1;
    await house.request(0, node, "no");
    await rest();
    await pass(100);
    const strict = await house.request(0, node + 1, "get");
    await arrive(strict, "shard 0 sync");
    await pass(1600);
    const renewing = await house.request(0, node, "no");
    await arrive(renewing, "relay 0 sync");
    await finish(relayOf(teller));
    await finish(renewing);
    await finish(strict);
    await pass(700);
    await house.request(0, node, "no");
    await rest();
  },

  "a relay answers late, and another answer of it before that": async (teller) => {
    const { house, rest, pass, let: arrive, finish } = teller;
    const first = await house.request(0, 0, "no");
    await rest();
    await pass(1000);
    // Its use is stored, and the answer is slow.
    await arrive(first, "relay 0 sync");
    await finish(relayOf(teller));
    await pass(1001);
    const second = await house.request(0, 0, "no");
    await arrive(second, "relay 0 sync");
    await finish(relayOf(teller));
    await finish(second);
    await pass(100);
    // The second's use is on its way when the first gives up.
    await house.request(0, 1, "get");
    await pass(950);
    await house.request(0, 2, "get");
    await rest();
  },

  "a relay cannot be reached for a moment": async (teller) => {
    const { house, rest, pass } = teller;
    await house.request(0, 0, "no");
    await rest();
    for (let n = 0; n < 8; n += 1) {
      await pass(1000);
      await rest();
    }
    const before = house.handedOver;
    await house.request(0, 0, "no");
    await rest();
    await pass(1000);
    for (;;) {
      const { sim } = house;
      const index = sim.pending.findIndex(({ label }) => label.startsWith("relay 0 sync"));
      if (index < 0) break;
      await sim.fire(index, "refused");
    }
    for (let n = 0; n < 3; n += 1) {
      await rest();
      await pass(1000);
    }
    await rest();
    hold(house.handedOver > before, "uses wait for a relay that cannot be reached");
  },

  "a relay's clock runs back": async (teller) => {
    const { house, rest, pass, finish } = teller;
    const relay = house.relays[0] as RelayHost;
    await house.request(0, 0, "no");
    await rest();
    relay.offset -= 10_000;
    await pass(LEASE + 1);
    house.cut.ledger.add(relayOf(teller).name);
    await house.request(0, 0, "no");
    await rest();
    house.cut.ledger.clear();
    await pass(LEASE + 1);
    const owner = await house.request(0, 0, "no");
    await rest();
    hold(owner.calls.ledger === 1, "a relay whose clock ran back asks no more");
    await finish(await house.change(KEY, RENAME));
    await pass(LEASE + 1);
    await house.request(0, 0, "no");
    await rest();
  },

  "a shard cannot be reached by its relay, for long": async (teller) => {
    const { house, rest, pass } = teller;
    const relay = house.relays[0] as RelayHost;
    // Its name is another one once it runs.
    relay.running;
    house.cut.ledger.add(relay.owner.name);
    const uses = Array.from({ length: 1000 }, (_, n) => ({
      ...{ key_id: `k${n}`, endpoint_id: "", hour: house.sim.now - (house.sim.now % HOUR) },
      ...{ kind: "read", count: 1, last_used_at: null },
    }));
    const hand = async (isolate: string, batch: typeof uses) => {
      void relay.running.sync({
        isolate,
        shards: [[0, { since: null, uses: { isolate, number: 1, uses: batch } }]],
      });
      await rest();
    };
    for (let n = 0; n < 60; n += 1) await hand(`busy ${n}`, uses);
    house.cut.ledger.clear();
    for (let n = 0; n < 11; n += 1) {
      await pass(1000);
      await hand("another", []);
    }
    const taken = house.handedOver;
    hold(taken >= 40_000, "a relay passes on too little");
    hold(taken <= 50_000, "a relay keeps uses without end");
    await hand("fresh", uses);
    await pass(3000);
    await hand("another", []);
    hold(house.handedOver === taken + 1000, "a relay that was full takes no more");
    house.cut.ledger.add(relay.owner.name);
    await pass(1000);
    await hand("late", uses);
    await pass(HOUR + 1);
    house.cut.ledger.clear();
    await hand("another", []);
    hold(house.handedOver === taken + 1000, "a relay passes on what the shard may have forgotten");
  },
};

export const RELAY_STORIES: Record<string, Story> = Object.fromEntries(
  Object.entries(STORIES).map(([name, story]) => [name, where({ relays: 1, ...story.setting }, story)]),
);
