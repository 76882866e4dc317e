import { type AccountRow, deleteAccount, putAccount, readAccount } from "../../src/store/accounts.ts";
import { insertKey } from "../../src/store/keys.ts";
import type { Host } from "./hosts.ts";
import { type House, keyRow } from "./house.ts";
import { hold } from "./promise.ts";
import { LEASE } from "./setting.ts";
import type { Owner } from "./sim.ts";
import { KEY, RENAME, type Story, type Teller } from "./story.ts";

const DELETE = 0;
/** One endpoint at two places, and the node of the second. */
const AT_X = { sort: "endpoint", which: 3 } as const;
const AT_V2 = { sort: "endpoint", which: 4 } as const;
const NODE_V2 = 6;
/** Another one, first at that place. */
const AT_B = { sort: "endpoint", which: 1 } as const;

const host = (house: House) => house.hosts[0] as Host;

const waits = ({ house }: Teller, owner: Owner, text: string) =>
  house.sim.pending.some((message) => message.owner === owner && message.label.includes(text));

/** An account, and a change that makes a key of it: opened, and not yet sent to D1. */
async function keyInTheMaking({ house, let: arrive, finish }: Pick<Teller, "house" | "let" | "finish">) {
  const account = { id: "acc_2", name: "A", active_key_limit: 10, suspended: false };
  const row = { ...account, created_at: 0, updated_at: 0 };
  await finish(await house.make(async () => [putAccount(null, row)]));
  // A successor, whose own write does not ask for the account's limit.
  const key = { ...keyRow("key_9", account.id, "9".repeat(64), 0), rotated_from: "key_8" };
  const slow = await house.make(async (now) => [insertKey(key, now)]);
  await arrive(slow, "open", "open c1, answer");
  return { row, slow };
}

/** What can go wrong between a change's Worker, the ledger and D1. */
export const CHANGE_STORIES: Record<string, Story> = {
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
    let tier = "none";
    await finish(
      await house.request(0, 0, "no", (found) => {
        tier = found === "unavailable" ? found : found.tier;
      }),
    );
    hold(tier === "memory", "an older answer displaces a newer one");
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
    await finish(host(house).owner);
    await pass(31_000);
    await finish(host(house).owner);
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
      await finish(host(house).owner);
    }
    await finish(slow);
    hold(house.changes[0]?.result === "unavailable", "a change given up is called a success");
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
      await finish(host(house).owner);
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

  "each step of a change fails once, and more often": async (teller) => {
    const { house, let: arrive, delay, finish } = teller;
    const lucky = await house.change(KEY, RENAME);
    await delay(lucky, "open");
    await arrive(lucky, "open", "open c0, answer");
    await delay(lucky, "INSERT INTO audit_log");
    await arrive(lucky, "INSERT INTO audit_log", "audit_log (id, at, outcome,");
    await delay(lucky, "close");
    await finish(lucky);
    hold(house.changes[0]?.result === "committed", "a step that failed is not tried again");
    const unlucky = await house.change(KEY, RENAME);
    for (let n = 0; n < 5 && waits(teller, unlucky, "open"); n += 1) await delay(unlucky, "open");
    hold((house.changes[1]?.result ?? null) === "unavailable", "a step that fails is tried without end");
  },

  "a change is about one thing twice": async ({ house, finish }) => {
    const account = { name: "A", active_key_limit: 10, suspended: false, created_at: 0, updated_at: 0 };
    await finish(
      await house.make(async () => [
        putAccount(null, { id: "acc_2", ...account }),
        putAccount(null, { id: "acc_2", ...account }),
      ]),
    );
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

  "an endpoint is made, deleted, and its path taken before its Worker hears of it": async ({
    house,
    let: arrive,
    finish,
    pass,
  }) => {
    const slow = await house.change(AT_B, RENAME);
    await arrive(slow, "open", "open c0, answer", "INSERT INTO audit_log");
    await finish(await house.change(AT_B, DELETE));
    await finish(await house.change(AT_V2, RENAME));
    await pass(10_000);
    await finish(slow);
    hold(house.changes[0]?.result === "committed", "a change that was made is not called made");
  },

  "a key's account is gone when the attempt to make it is repeated, and back when it arrives": async ({
    house,
    let: arrive,
    delay,
    late,
    finish,
  }) => {
    const { row, slow } = await keyInTheMaking({ house, let: arrive, finish });
    await delay(slow, "INSERT INTO audit_log");
    const made = (await readAccount(house.truth, row.id)) as AccountRow;
    await finish(await house.make(async () => [deleteAccount(made)]));
    await finish(slow);
    hold(slow.calls.d1 === 2, "what SQLite refuses is tried again");
    await finish(await house.make(async () => [putAccount(null, row)]));
    await late();
  },

  "a key's account is gone when the key is made": async ({ house, let: arrive, finish }) => {
    const { row, slow } = await keyInTheMaking({ house, let: arrive, finish });
    const made = (await readAccount(house.truth, row.id)) as AccountRow;
    await finish(await house.make(async () => [deleteAccount(made)]));
    await finish(slow);
    hold(house.changes[1]?.result === "failed", "what SQLite refused is not called a failure");
  },

  "a path is taken when the attempt to use it is repeated, and free when it arrives": async ({
    house,
    let: arrive,
    delay,
    late,
    finish,
  }) => {
    const slow = await house.change(AT_B, RENAME);
    await arrive(slow, "open", "open c0, answer");
    await delay(slow, "INSERT INTO audit_log");
    await finish(await house.change(AT_V2, RENAME));
    await finish(slow);
    await finish(await house.change(AT_V2, DELETE));
    await late();
  },

  "an attempt to open a change arrives late, and its Worker is dead": async (teller) => {
    const { house, let: arrive, delay, late, finish, pass } = teller;
    const dying = await house.change(KEY, RENAME);
    await delay(dying, "open");
    await arrive(dying, "open", "open c0, answer");
    dying.dead = true;
    for (let n = 0; n < 5; n += 1) {
      if (n === 3) await late();
      await pass(9000);
      await finish(host(house).owner);
    }
    hold(host(house).running.sync({ since: null, uses: null }).open.length === 0, "a change stays open");
  },

  "an endpoint moves away from a path": async ({ house, finish, pass }) => {
    await finish(await house.change(AT_V2, RENAME));
    await finish(await house.request(0, NODE_V2, "no"));
    await finish(await house.change(AT_X, RENAME));
    await pass(LEASE + 1);
    await finish(await house.request(0, NODE_V2, "no"));
  },
};
