import { keySubject } from "../../src/store/keys.ts";
import { KEYS, NODES } from "./house.ts";
import { Broken, hold } from "./promise.ts";
import { LEASE } from "./setting.ts";
import type { Owner } from "./sim.ts";
import { KEY, RENAME, type Story, type Teller, where } from "./story.ts";

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

/** Parts of a key's record and of a node that a decision needs; only times are numbers. */
const PARTS = {
  0: [
    ...["id", "account_id", "name", "prefix", "environment", "account_suspended", "enabled", "legacy"],
    ...[
      "expires_at",
      "revoked_at",
      "permissions",
      "permissions.graphql",
      "permissions.inference",
      "permissions.kubernetes_exec",
    ],
  ],
  [KEYS.length + 1]: ["below", "taken", "self", "self.id", "self.path", "self.origin", "self.protocol"],
};

/** What is under way for that one. */
const under = ({ house }: Teller, owner: Owner) =>
  house.sim.pending.filter((message) => message.owner === owner).map(({ label }) => label);

/** A key is used every second: each time its shard is asked, and once more for the uses that wait. */
async function useWhileAway({ house, rest, pass }: Teller, then: (owner: Owner) => Promise<void>) {
  house.cut.ledger.add("all");
  const owners: Owner[] = [];
  const began = house.sim.now;
  for (let n = 0; n < 30; n += 1) {
    const owner = await house.request(0, 0, "no");
    owners.push(owner);
    await then(owner);
    await rest();
    await pass(began + (n + 1) * 1000 - house.sim.now);
  }
  const calls = owners.reduce((sum, { calls }) => sum + (calls.ledger ?? 0), 0);
  hold(
    calls >= 58 && calls <= 62,
    `a shard that is away is asked ${calls} times in 30 s, of one request each`,
  );
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
    const again = await asked(teller);
    hold(again.atOnce, "a busy isolate waits for its lease");
    hold(again.ledger === 1, "a renewal of long ago is taken to be under way");
  },

  "many requests come while a lease is being renewed": async (teller) => {
    const { house, pass } = teller;
    await asked(teller);
    await pass(LEASE / 2 + 100);
    const many = [];
    for (let n = 0; n < 5; n += 1) many.push(await house.request(0, 0, "no"));
    const syncs = many.flatMap((owner) => under(teller, owner)).filter((label) => label.includes("sync"));
    hold(syncs.length === 1, "every request renews the lease");
  },

  "KV is read while the shard is asked, and for nothing else": async (teller) => {
    const { house, finish, pass } = teller;
    const cold = await house.request(0, 0, "no");
    hold(under(teller, cold).length === 2, "KV waits for the shard");
    await finish(cold);
    await pass(LEASE + 1);
    hold((await asked(teller)).kv === 0, "KV is read though memory has it");
    house.cut.ledger.add("all");
    const strict = await house.request(0, 1, "ask");
    await finish(strict);
    hold(strict.calls["KV get"] === undefined, "KV is read though nobody can vouch for it");
  },

  "a service does not answer": async ({ house, pass }) => {
    const isolate = house.isolates[0] as (typeof house.isolates)[number];
    const { sim } = house;
    const never = () => new Promise<never>(() => undefined);
    /** How long an answer of a service is waited for, in ms. */
    const wait = async (answer: Promise<unknown>, service = "a") => {
      const began = sim.now;
      let ended = Number.NaN;
      const note = () => {
        ended = sim.now;
      };
      await sim.run(isolate.owner, () => {
        isolate.patience.answerOf(service, answer).then(note, note);
      });
      await pass(3000);
      return ended - began;
    };
    hold((await wait(never())) === 2000, "a service that hangs is not waited for as long as it may take");
    hold((await wait(never())) === 500, "what was waited for in vain is waited for as long again");
    hold((await wait(Promise.resolve())) === 0, "an answer is not passed on");
    hold((await wait(never())) === 2000, "a service that answers again is not believed");
    hold((await wait(never(), "b")) === 2000, "one service that hangs is held against another");
    for (let n = 0; n < 2; n += 1) {
      hold((await wait(never())) === 500, "what was waited for in vain is waited for as long again");
    }
    const [first, second] = await Promise.all([wait(never()), wait(never())]);
    hold(first === 2000, "a service that hung once is never waited for again");
    hold(second === 500, "everybody waits again at the same time");
    hold((await wait(Promise.reject(new Error("no")), "c")) === 0, "a refusal is waited for");
    hold((await wait(never(), "c")) === 2000, "a refusal is taken for a silence");
    await wait(never(), "d");
    house.moveClock(0, -60_000);
    hold((await wait(never(), "d")) === 2000, "what will be is held against a service");
  },

  "two isolates are in one location": where({ coloCache: true }, async (teller) => {
    const { house, finish } = teller;
    await asked(teller);
    const neighbour = await house.request(1, 0, "no");
    await finish(neighbour);
    hold(neighbour.calls["KV get"] === undefined, "KV is asked for what is near");
    await asked(teller, 1);
    house.forgetNear();
    for (const expected of [1, undefined]) {
      house.killIsolate(1);
      const next = await house.request(1, 1, "no");
      await finish(next);
      hold(next.calls["KV get"] === expected, "what was fetched is not kept near");
    }
    house.killIsolate(1);
    house.isNearAway = true;
    const next = await house.request(1, 1, "no");
    await finish(next);
    hold(next.calls["KV get"] === 1, "KV is not asked where the location's cache is away");
  }),

  "uses go with another question before their time": async ({ house, rest, finish, pass }) => {
    await house.request(0, 0, "no");
    await rest();
    await finish(await house.request(0, KEYS.length, "get"));
    await pass(1000);
    hold(house.sim.pending.length === 0, "a shard is asked for nothing");
  },

  "D1 answers before any shard does": async ({ house, finish }) => {
    house.cut.ledger.add("all");
    await finish(await house.request(0, 0, "no"));
    house.cut.ledger.clear();
    const next = await house.request(0, 0, "no");
    hold(next.calls["KV get"] === 1, "what no lease vouches for is kept");
    await finish(next);
  },

  "many isolates find a stale entry in KV": async (teller) => {
    const { house, finish } = teller;
    await asked(teller);
    const old = house.inKv(0);
    await finish(await house.change(KEY, RENAME));
    house.luck = 0.5;
    await finish(await house.request(0, 0, "get"));
    hold(house.inKv(0) === old, "every isolate writes over a stale entry");
    house.luck = 0.05;
    await finish(await house.request(1, 0, "get"));
    hold(house.inKv(0) !== old, "no isolate writes over a stale entry");
  },

  "ledger and D1 go away, and KV has it": async (teller) => {
    const { house, pass, finish } = teller;
    await finish(await house.request(1, 0, "no"));
    await asked(teller, 1);
    await pass(LEASE + 1);
    house.cut.ledger.add("all");
    house.cut.d1.add("all");
    hold((await asked(teller)).tier === "grace", "what KV has does not serve under grace");
  },

  "KV holds under a name what is no record": async (teller) => {
    const { house } = teller;
    for (const [which, value] of [
      [0, { hash: KEYS[0]?.hash }],
      [KEYS.length + 1, { path: NODES[1] }],
    ] as const) {
      await asked(teller, which);
      const { stamp } = JSON.parse(house.inKv(which) ?? "{}");
      house.putKv(which, JSON.stringify({ value, stamp }));
      house.killIsolate(0);
      await asked(teller, which);
    }
  },

  "KV holds a record of which a part is wrong": async (teller) => {
    const { house, pass } = teller;
    for (const [which, parts] of Object.entries(PARTS)) {
      await asked(teller, Number(which));
      const text = house.inKv(Number(which));
      if (text === null) throw new Broken("what is worth it is not written to KV");
      for (const path of parts) {
        const record = JSON.parse(text);
        const names = path.split(".");
        const last = names.pop() as string;
        names.reduce((part, name) => part[name], record.value)[last] = path.endsWith("_at") ? "x" : 7.5;
        house.putKv(Number(which), JSON.stringify(record));
        house.killIsolate(0);
        hold(
          (await asked(teller, Number(which))).tier === "d1",
          `${path} of a record in KV is not looked at`,
        );
        await pass(10);
      }
    }
  },

  "memory is full": where({ memory: 2600 }, async (teller) => {
    const { house } = teller;
    const { freshness } = house.isolates[0] as (typeof house.isolates)[number];
    await asked(teller, 0);
    for (const which of [1, 2, 4, 5, 6]) {
      await asked(teller, which);
      hold((await asked(teller, 0)).tier === "memory", "what is used all the time makes way");
    }
    const size = () =>
      house.names
        .map(({ kind, name }) => JSON.stringify(freshness.remembered(kind, name) ?? "").length * 2)
        .reduce((sum, bytes) => sum + bytes);
    hold(size() >= 1000, "memory keeps next to nothing");
    for (let n = 0; n < 20; n += 1) {
      const { d1 } = await asked(teller, n % 3);
      hold(size() <= 2600, "memory takes more than it may");
      hold(
        (await asked(teller, n % 3)).tier === "memory" && d1 === 0,
        "what is new makes way for what is old",
      );
    }
    for (let n = 0; n < 9; n += 1) {
      await teller.finish(await house.change(KEY, RENAME));
      await teller.pass(LEASE + 1);
      await asked(teller);
    }
    for (const which of [1, 0]) await asked(teller, which);
    for (const which of [1, 0])
      hold((await asked(teller, which)).tier === "memory", "what replaces something counts twice");
  }),

  "memory is too small for a record": where({ memory: 500 }, async (teller) => {
    hold((await asked(teller)).tier === "d1", "a record is not read");
    hold((await asked(teller)).tier === "d1", "what memory cannot hold is believed");
  }),

  "D1 fails for a moment": async (teller) => {
    const { house, finish } = teller;
    for (const which of [0, KEYS.length]) {
      let tier = "none";
      const owner = await house.request(0, which, "no", (found) => {
        tier = found === "unavailable" ? found : found.tier;
      });
      await teller.let(owner, ...(which === 0 ? ["sync", "sync, answer"] : []), "KV get", "KV get, answer");
      await teller.delay(owner, "SELECT");
      await finish(owner);
      hold(tier === "d1", "D1 is asked but once");
    }
  },

  "a key is gone from D1": async ({ house, finish, pass }) => {
    const { id, hash } = KEYS[0] as (typeof KEYS)[number];
    await finish(await house.request(0, 0, "no"));
    const gone = {
      subjects: [keySubject(hash)],
      guard: { sql: "true", values: [] },
      statements: [{ sql: "DELETE FROM keys WHERE id = ?", values: [id] }],
    };
    await finish(await house.make(async () => [gone]));
    await pass(LEASE + 1);
    await finish(await house.request(0, 0, "no"));
  },

  "the request that hands uses over dies, and the clock runs back": async ({
    house,
    let: arrive,
    finish,
    pass,
  }) => {
    const dying = await house.request(0, 0, "no");
    await finish(dying);
    await pass(1000);
    await arrive(dying, "sync");
    dying.dead = true;
    const before = house.counters.repeated;
    house.moveClock(0, -3_600_000);
    await finish(await house.request(0, 0, "get"));
    hold(house.counters.repeated === before + 1, "a batch waits for a clock that ran back");
  },

  "a batch of uses is refused": async ({ house, pass, rest, finish }) => {
    await finish(await house.request(0, 0, "no"));
    await pass(1000);
    await house.sim.fire(house.sim.next, "refused");
    await pass(1000);
    await rest();
    hold(house.handedOver === 1, "a batch that was refused waits");
  },

  "keys are used while uses are being handed over": async (teller) => {
    const { house, pass, finish } = teller;
    for (let n = 0; n < 3; n += 1) {
      await finish(await house.request(0, 0, "no"));
      await pass(100);
    }
    await pass(1000);
    hold(house.sim.pending.length === 1, "every use has a timer of its own");
  },

  "the request dies that was to hand uses over": async ({ house, pass, rest, finish }) => {
    const dying = await house.request(0, 0, "no");
    await finish(dying);
    dying.dead = true;
    await pass(2500);
    await finish(await house.request(0, 0, "no"));
    await pass(1000);
    await rest();
    hold(house.handedOver === 2, "a timer that died is waited for");
  },

  "keys are used while the ledger is away": async (teller) => {
    const { rest, pass } = teller;
    await useWhileAway(teller, async () => {
      await rest();
      await pass(500);
    });
  },

  "keys are used while uses are handed over in vain": (teller) => useWhileAway(teller, teller.finish),

  "an isolate cannot hand its uses over for long": async (teller) => {
    const { house, pass, rest, finish } = teller;
    await finish(await house.request(0, 0, "no"));
    house.cut.ledger.add("all");
    for (let n = 0; n < 3; n += 1) {
      await pass(1000);
      await rest();
    }
    await pass(3_600_000);
    const again = await house.request(0, 0, "no");
    await finish(again);
    for (let n = 0; n < 40; n += 1) {
      await pass(1000);
      await rest();
    }
    hold((again.calls.ledger ?? 0) <= 22, "a request hands uses over without end");
    house.cut.ledger.clear();
    await finish(await house.request(0, 0, "no"));
    await pass(1000);
    await rest();
  },

  "an isolate has more uses than go into a batch, and than it may keep": async ({ house }) => {
    const { uses } = (house.isolates[0] as (typeof house.isolates)[number]).freshness;
    const use = { endpoint_id: "", hour: 0, kind: "denied:x", count: 1, last_used_at: null };
    for (let n = 0; n < 20_100; n += 1) uses.add(0, { key_id: `k${n}`, ...use });
    uses.add(0, { key_id: "k20099", ...use });
    const handed = [];
    for (let batch = uses.take(0, 0); batch !== null && batch.uses.length > 0; batch = uses.take(0, 0)) {
      hold(handed.length <= 20_000, "uses are handed over without end");
      hold(batch.uses.length <= 1000, "a batch is larger than it may be");
      handed.push(...batch.uses);
      uses.acknowledge(0, batch.number);
    }
    hold(handed.length <= 20_000, "uses wait without end");
    const { key_id, count, last_used_at } = handed.at(-1) ?? {};
    hold(key_id === "k20099" && count === 2, "what is new is dropped, not what is old");
    hold(last_used_at === null, "a denial counts as a use");
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
    hold((await asked(teller)).tier === "memory", "what KV has stands in the way of what D1 says");
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
