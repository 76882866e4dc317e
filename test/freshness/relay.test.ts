import { beforeEach, describe, expect, it } from "vitest";
import { relayPlace } from "../../src/freshness/relay-choice.ts";
import type { RelaySync, RelaySyncReply, SyncReply, Use, UseBatch } from "../../src/ledger/protocol.ts";
import { Relay } from "../../src/ledger/relay.ts";
import { RelayedUses } from "../../src/ledger/relayed-uses.ts";

const NOTHING: SyncReply = {
  epoch: "e",
  seq: 0,
  floor: 0,
  since: null,
  fences: [],
  open: [],
  acknowledged: null,
};

let now: number;
let asked: { shard: number; request: RelaySync }[];
let answer: (shard: number, request: RelaySync) => Promise<RelaySyncReply>;
let relay: Relay;

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  answer = async (_, { batches }) => ({
    reply: NOTHING,
    acknowledged: batches.map(({ isolate, number }) => [isolate, number]),
  });
  relay = new Relay(
    {
      now: () => now,
      sync: (shard, request) => {
        asked.push({ shard, request });
        return answer(shard, request);
      },
    },
    500,
  );
});

const use = (key: string): Use => ({
  key_id: key,
  endpoint_id: "",
  hour: 0,
  kind: "read",
  count: 1,
  last_used_at: 1,
});
const batch = (isolate: string, number: number, uses = 1): UseBatch => ({
  isolate,
  number,
  uses: Array.from({ length: uses }, (_, i) => use(`k${i}`)),
});
const ask = (isolate = "i", shards = [0], uses: UseBatch | null = null, since: SyncReply | null = null) =>
  relay.sync({ isolate, shards: shards.map((shard) => [shard, { since, uses }]) });

describe("a relay", () => {
  it("asks each shard once for many isolates, while its copy is young", async () => {
    await Promise.all([ask("a", [0, 1]), ask("b", [0, 1]), ask("c", [1])]);
    now += 500;
    await ask("d", [0, 1]);
    expect(asked.map(({ shard }) => shard)).toEqual([0, 1]);
    now += 1;
    await ask("d", [1]);
    expect(asked.map(({ shard }) => shard)).toEqual([0, 1, 1]);
  });

  it("says how long ago it asked, not how long ago it was answered", async () => {
    answer = async () => {
      now += 300;
      return { reply: NOTHING, acknowledged: [] };
    };
    expect(await ask()).toEqual([{ shard: 0, reply: NOTHING, age: 300 }]);
    now += 100;
    expect(await ask()).toMatchObject([{ age: 400 }]);
  });

  it("answers with its old copy while the shard is away, and not at all without one", async () => {
    await ask();
    answer = async () => {
      throw new Error("away");
    };
    now += 10_000;
    expect(await ask("i", [0, 1])).toMatchObject([{ shard: 0, age: 10_000 }]);
  });

  it("drops a copy from the future: its clock ran back", async () => {
    await ask();
    now -= 1;
    await ask();
    expect(asked).toHaveLength(2);
  });

  it("passes on only news, and everything to whoever knows another epoch", async () => {
    const fences: [string, number][] = [
      ["a", 1],
      ["b", 2],
    ];
    answer = async () => ({ reply: { ...NOTHING, seq: 2, fences, open: ["c"] }, acknowledged: [] });
    const since = async (epoch: string, seq: number) =>
      (await relay.sync({ isolate: "i", shards: [[0, { since: { epoch, seq }, uses: null }]] }))[0]?.reply;
    expect(await since("e", 1)).toMatchObject({ since: 1, fences: [["b", 2]], open: ["c"] });
    expect(await since("e", 2)).toMatchObject({ since: 2, fences: [], open: ["c"] });
    // Asked of the shard itself, it may know more than the relay.
    expect(await since("e", 3)).toMatchObject({ seq: 2, since: 3, fences: [], open: ["c"] });
    expect(await since("x", 1)).toMatchObject({ since: null, fences });
  });

  it("acknowledges uses only once the shard has them", async () => {
    await ask();
    expect((await ask("i", [0], batch("i", 1)))[0]?.reply.acknowledged).toBeNull();
    now += 501;
    expect((await ask())[0]?.reply.acknowledged).toBe(1);
    expect(asked.flatMap(({ request }) => request.batches)).toEqual([batch("i", 1)]);
  });
});

describe("uses on their way through a relay", () => {
  it("are sent until the shard has them, each batch once at a time", () => {
    const uses = new RelayedUses();
    uses.add(batch("i", 1), 0);
    uses.add(batch("i", 1), 1);
    expect(uses.next(1)).toEqual([batch("i", 1)]);
    expect(uses.next(3000)).toEqual([batch("i", 1)]);
    uses.stored("i", 1);
    uses.add(batch("i", 1), 3001);
    expect([uses.next(9000), uses.acknowledged("i"), uses.acknowledged("j")]).toEqual([[], 1, null]);
  });

  it("wait two seconds for company, unless they are many", () => {
    const uses = new RelayedUses();
    uses.add(batch("i", 1), 0);
    uses.next(0);
    uses.stored("i", 1);
    uses.add(batch("i", 2), 100);
    expect(uses.next(1999)).toEqual([]);
    expect(uses.next(2000)).toHaveLength(1);
    for (let n = 0; n < 11; n += 1) uses.add(batch(`j${n}`, 1, 1000), 2001);
    expect(uses.next(2002).length).toBeGreaterThan(0);
  });

  it("are bounded, and forgotten after an hour", () => {
    const uses = new RelayedUses();
    for (let n = 0; n < 100; n += 1) uses.add(batch(`i${n}`, 1, 1000), 0);
    expect(uses.next(0).length).toBeLessThanOrEqual(10);
    expect(uses.next(3_600_001)).toEqual([]);
  });
});

describe("relayPlace", () => {
  const isolate = "00000005-0000-4000-8000-000000000000";

  it.each([
    [{ continent: "EU", longitude: "2.35" }, "weur"],
    [{ continent: "EU", longitude: "30.5" }, "eeur"],
    [{ continent: "NA", longitude: "-122.3" }, "wnam"],
    [{ continent: "NA", longitude: "-77.5" }, "enam"],
    [{ continent: "AS" }, "apac"],
    [{ continent: "T1" }, "enam"],
    [{}, "enam"],
  ])("%j lies in %s", (cf, hint) => {
    expect(relayPlace(1, isolate, cf)).toEqual({ name: `relay-${hint}-0`, hint });
  });

  it("spreads a region's isolates by their ids", () => {
    expect(relayPlace(4, isolate, {}).name).toBe("relay-enam-1");
  });
});
