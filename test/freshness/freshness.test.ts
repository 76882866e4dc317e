import { beforeEach, describe, expect, it } from "vitest";
import { Freshness, type Kind } from "../../src/freshness/freshness.ts";
import type { World } from "../../src/freshness/world.ts";
import type { SyncReply, SyncRequest, Use } from "../../src/ledger/protocol.ts";

interface Thing {
  name: string;
  text: string;
}

const KIND: Kind<Thing> = {
  cacheName: (name) => `thing:${name}`,
  shard: () => 0,
  read: (db, name) => (db as unknown as Rig).readD1(name),
  subjects: (_, name) => [name],
  recognises: (value, name): value is Thing => (value as Thing | null)?.name === name,
  worthKv: () => true,
};

const use = (at: number): Use => ({
  key_id: "k",
  endpoint_id: "",
  hour: 0,
  kind: "read",
  count: 1,
  last_used_at: at,
});

/** The smallest world there can be: everything answers at once, unless it is away. */
class Rig {
  now = 1_000_000;
  away = new Set<"d1" | "kv" | "ledger">();
  d1 = new Map<string, string>([["a", "1"]]);
  kv = new Map<string, string>();
  ledger: SyncReply = {
    epoch: "e",
    seq: 1,
    floor: 0,
    since: null,
    fences: [],
    open: [],
    acknowledged: null,
  };
  calls: string[] = [];
  syncs: SyncRequest[] = [];
  background: Promise<unknown>[] = [];
  waits: (() => void)[] = [];
  /** Something that happens while D1 is asked. */
  during: () => unknown = () => undefined;

  readonly freshness = new Freshness({ lease: 2000, grace: 60_000, isolate: "i", maxBytes: 1 << 20 });
  readonly world: World = {
    now: () => this.now,
    random: () => 0.5,
    sync: async (_, request) => {
      this.calls.push("ledger");
      this.syncs.push(request);
      if (this.away.has("ledger")) throw new Error("away");
      return { ...this.ledger, acknowledged: request.uses?.number ?? null };
    },
    kvGet: async (name) => {
      this.calls.push("kv");
      if (this.away.has("kv")) throw new Error("away");
      return this.kv.get(name) ?? null;
    },
    kvPut: async (name, text) => {
      this.calls.push("kv put");
      this.kv.set(name, text);
    },
    db: this as unknown as D1Database,
    wait: () => new Promise((resolve) => this.waits.push(resolve)),
    background: (work) => this.background.push(work),
  };

  async readD1(name: string): Promise<Thing | null> {
    this.calls.push("d1");
    if (this.away.has("d1")) throw new Error("away");
    const text = this.d1.get(name);
    await this.during();
    return text === undefined ? null : { name, text };
  }

  /** What is found, where, and what that took. */
  async get(name = "a", strict: Parameters<Freshness["get"]>[3] = {}): Promise<string> {
    this.calls = [];
    const found = await this.freshness.get(KIND, name, this.world, strict);
    const said = found === "unavailable" ? found : `${found.value?.text ?? null} ${found.tier}`;
    return [said, ...this.calls.filter((call) => call !== "kv put").sort()].join(" ");
  }

  change(text: string): void {
    this.d1.set("a", text);
    this.ledger.seq += 1;
    this.ledger.fences = [["a", this.ledger.seq]];
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});

describe("get", () => {
  it("asks once a lease, and nobody in between", async () => {
    expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    for (const _ of [1, 2, 3]) expect(await rig.get()).toBe("1 memory");
    rig.now += 2000;
    expect(await rig.get()).toBe("1 memory ledger");
    rig.now += 2001;
    expect(await rig.get()).toBe("1 memory ledger");
  });

  it("sees a change at the first request after the lease", async () => {
    await rig.get();
    rig.change("2");
    rig.now += 1000;
    expect(await rig.get()).toBe("1 memory");
    rig.now += 1001;
    expect(await rig.get()).toBe("2 d1 d1 kv ledger");
    expect(await rig.get()).toBe("2 memory");
  });

  it("renews behind the requests after half a lease, once", async () => {
    await rig.get();
    rig.background = [];
    rig.now += 1001;
    await rig.get();
    await rig.get();
    expect(rig.background).toHaveLength(1);
    await Promise.all(rig.background);
    rig.now += 1500;
    expect(await rig.get()).toBe("1 memory ledger");
  });

  it("renews again when the one that was to do it died, and when the clock ran back", async () => {
    const syncs = () => rig.calls.filter((call) => call === "ledger").length;
    await rig.get();
    rig.away.add("ledger");
    rig.now += 1001;
    await rig.get();
    expect(syncs()).toBe(1);
    rig.now += 999;
    await rig.get();
    expect(syncs()).toBe(0);
    rig.now += 2;
    expect(await rig.get()).toBe("1 d1 d1 ledger");
    rig.away.clear();
    rig.now -= 100_000;
    await rig.get();
    rig.now += 1001;
    await rig.get();
    expect(syncs()).toBe(1);
  });

  it("reads D1 every time while a change is open, and writes nothing to KV", async () => {
    rig.ledger.open = ["a"];
    expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    expect(await rig.get()).toBe("1 d1 d1 kv");
    expect(rig.kv.size).toBe(0);
  });

  it("takes from KV what is current, and leaves the rest", async () => {
    const put = (stamp: unknown, value: unknown = { name: "a", text: "kv" }) =>
      rig.kv.set("thing:a", JSON.stringify({ value, stamp }));
    rig.ledger.fences = [["a", 1]];
    put({ epoch: "e", seq: 1 });
    expect(await rig.get()).toBe("kv kv kv ledger");
    expect(await rig.get()).toBe("kv memory");
    for (const stamp of [
      { epoch: "f", seq: 1 },
      { epoch: "e", seq: 0 },
      { epoch: "e", seq: "x" },
      { epoch: "e" },
      { seq: 1 },
      null,
      undefined,
    ]) {
      const next = new Rig();
      next.ledger.fences = [["a", 1]];
      put(stamp);
      next.kv = rig.kv;
      expect(await next.get(), JSON.stringify(stamp)).toBe("1 d1 d1 kv ledger");
    }
  });

  it.each(["{", "null", "[]", '"a"', '{"value":{"name":"b"},"stamp":{"epoch":"e","seq":1}}'])(
    "does not take %s for a thing",
    async (text) => {
      rig.kv.set("thing:a", text);
      expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    },
  );

  it("writes to KV what a new isolate may take", async () => {
    await rig.get();
    const next = new Rig();
    next.kv = rig.kv;
    expect(await next.get()).toBe("1 kv kv ledger");
  });

  it("keeps what was read later, whichever answer comes first", async () => {
    rig.during = async () => {
      rig.during = () => undefined;
      rig.change("2");
      expect(await rig.get("a", { strict: true })).toBe("2 d1 d1 kv ledger");
    };
    expect(await rig.freshness.get(KIND, "a", rig.world)).toEqual({
      value: { name: "a", text: "1" },
      tier: "d1",
    });
    expect(await rig.get()).toBe("2 memory");
  });

  it("goes on with another request's lease when its own question is not answered", async () => {
    await rig.get();
    rig.now += 2001;
    const { sync } = rig.world;
    rig.world.sync = async () => {
      rig.world.sync = sync;
      await rig.freshness.sync(0, rig.world);
      throw new Error("away");
    };
    expect(await rig.get()).toBe("1 memory ledger");
  });

  it("asks anew when the clock ran back", async () => {
    await rig.get();
    rig.now -= 1;
    expect(await rig.get()).toBe("1 memory ledger");
  });
});

describe("unknown names", () => {
  it("are remembered for a lease, counted from before D1 was asked", async () => {
    rig.during = () => {
      rig.now += 1500;
    };
    expect(await rig.get("x")).toBe("null d1 d1 kv ledger");
    rig.during = () => undefined;
    rig.now += 500;
    expect(await rig.get("x")).toBe("null memory");
    rig.now += 1;
    expect(await rig.get("x")).toMatch(/^null d1/);
  });

  it("are forgotten when the clock ran back, or the name becomes known", async () => {
    await rig.get("x");
    rig.now -= 1;
    expect(await rig.get("x")).toMatch(/^null d1/);
    rig.d1.set("x", "1");
    expect(await rig.get("x", { strict: true })).toMatch(/^1 d1/);
    rig.ledger.open = ["x"];
    await rig.freshness.sync(0, rig.world);
    expect(await rig.get("x")).toMatch(/^1 d1/);
  });

  it("leave nothing behind of what they named before", async () => {
    await rig.get("a");
    rig.d1.delete("a");
    rig.ledger.fences = [["a", 2]];
    rig.ledger.seq = 2;
    rig.now += 2001;
    expect(await rig.get("a")).toMatch(/^null d1/);
    expect(rig.freshness.remembered(KIND, "a")).toBeUndefined();
  });
});

describe("strict", () => {
  it("asks each time, and takes from memory what that answer vouches for", async () => {
    expect(await rig.get("a", { strict: true })).toBe("1 d1 d1 kv ledger");
    expect(await rig.get("a", { strict: true })).toBe("1 memory ledger");
    rig.change("2");
    expect(await rig.get("a", { strict: true })).toBe("2 d1 d1 kv ledger");
  });

  it("asks once for many things with `ask`", async () => {
    rig.d1.set("b", "1");
    await rig.get("b");
    await rig.get("a");
    const strict = await rig.freshness.ask([0, 0], rig.world);
    expect(strict).toEqual(new Map([[0, 2]]));
    expect(await rig.get("a", { strict })).toBe("1 memory");
    expect(await rig.get("b", { strict })).toBe("1 memory");
  });

  it("takes only D1's word when the shard did not answer, or was not asked", async () => {
    await rig.get("a");
    for (const strict of [new Map([[0, null]]), new Map(), new Map([[0, 99]])]) {
      rig.change(`${strict.size}`);
      expect(await rig.get("a", { strict })).toBe(`${strict.size} d1 d1`);
    }
    rig.away.add("ledger");
    rig.change("down");
    expect(await rig.get("a", { strict: true })).toBe("down d1 d1 ledger");
    rig.away.add("d1");
    expect(await rig.get("a", { strict: true })).toBe("unavailable d1 ledger");
  });

  it("does not believe that a name is unknown", async () => {
    await rig.get("x");
    rig.d1.set("x", "1");
    expect(await rig.get("x", { strict: true })).toMatch(/^1 d1/);
  });
});

describe("when something is away", () => {
  it("KV: D1 answers", async () => {
    rig.away.add("kv");
    expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    expect(await rig.get()).toBe("1 memory");
  });

  it("the ledger: D1 answers, each time, and is not cached without a number", async () => {
    rig.away.add("ledger");
    expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    expect(await rig.get()).toBe("1 d1 d1 kv ledger");
    expect(rig.kv.size).toBe(0);
  });

  it("D1: what the caches hold goes on, the rest is unavailable", async () => {
    await rig.get("a");
    rig.away.add("d1");
    rig.now += 2001;
    expect(await rig.get("a")).toBe("1 memory ledger");
    expect(await rig.get("x")).toBe("unavailable d1 kv");
    rig.change("2");
    rig.now += 2001;
    expect(await rig.get("a")).toBe("unavailable d1 kv ledger");
  });

  it("both: what memory holds serves to the end of grace", async () => {
    await rig.get("a");
    rig.away.add("d1").add("ledger");
    rig.now += 60_000;
    expect(await rig.get("a")).toBe("1 grace d1 ledger");
    expect(await rig.get("x")).toBe("unavailable d1 kv ledger");
    rig.now += 1;
    expect(await rig.get("a")).toBe("unavailable d1 ledger");
  });

  it("both: what KV holds serves too", async () => {
    await rig.get("a");
    const next = new Rig();
    next.kv = rig.kv;
    await next.get("x");
    next.away.add("d1").add("ledger");
    next.now += 30_000;
    expect(await next.get("a")).toBe("1 grace d1 kv ledger");
  });

  it("both: not what was known to be off, nor after the clock ran back", async () => {
    await rig.get("a");
    rig.ledger.open = ["a"];
    await rig.freshness.sync(0, rig.world);
    rig.away.add("d1").add("ledger");
    rig.now += 2001;
    expect(await rig.get("a")).toBe("unavailable d1 ledger");
    const next = new Rig();
    await next.get("a");
    next.away.add("d1").add("ledger");
    next.now -= 1;
    expect(await next.get("a")).toBe("unavailable d1 ledger");
  });
});

describe("uses", () => {
  const wake = async () => {
    for (const resume of rig.waits.splice(0)) resume();
    await new Promise((resolve) => setTimeout(resolve));
  };

  it("go with one call a second after the first", async () => {
    rig.freshness.recordUse(0, use(1), rig.world);
    rig.freshness.recordUse(0, use(2), rig.world);
    expect(rig.waits).toHaveLength(1);
    await wake();
    expect(rig.syncs).toHaveLength(1);
    expect(rig.syncs[0]?.uses).toEqual({ isolate: "i", number: 1, uses: [{ ...use(2), count: 2 }] });
    expect(rig.waits).toHaveLength(0);
    rig.freshness.recordUse(0, use(3), rig.world);
    expect(rig.waits).toHaveLength(1);
  });

  it("go with a renewal if one comes first", async () => {
    rig.freshness.recordUse(0, use(1), rig.world);
    await rig.get();
    await wake();
    expect(rig.syncs.map(({ uses }) => uses?.number)).toEqual([1]);
  });

  it("are sent again, the same, while the ledger is away", async () => {
    rig.away.add("ledger");
    rig.freshness.recordUse(0, use(1), rig.world);
    await wake();
    await wake();
    rig.away.clear();
    await wake();
    await wake();
    expect(rig.syncs.map(({ uses }) => uses?.number)).toEqual([1, 1, 1]);
    expect(rig.waits).toHaveLength(0);
  });

  it("wait for the next request once that has gone on for long", async () => {
    rig.away.add("ledger");
    rig.freshness.recordUse(0, use(1), rig.world);
    for (let n = 0; n < 40; n += 1) await wake();
    expect(rig.syncs).toHaveLength(20);
    rig.away.clear();
    rig.freshness.recordUse(0, use(2), rig.world);
    await wake();
    await wake();
    expect(rig.syncs.slice(20).map(({ uses }) => uses?.number)).toEqual([1, 2]);
  });

  it("are seen to by another request when the one that was to died", async () => {
    rig.freshness.recordUse(0, use(1), rig.world);
    rig.waits = [];
    rig.now += 2001;
    rig.freshness.recordUse(0, use(2), rig.world);
    expect(rig.waits).toHaveLength(1);
  });
});
