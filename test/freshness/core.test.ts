import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { LedgerCore } from "../../src/ledger/core.ts";
import type { Use } from "../../src/ledger/protocol.ts";
import { Sqlite } from "../model/d1.ts";

const HOUR = 3_600_000;
const NOW = 1000 * HOUR + 5;

let storage: Sqlite;

const start = (maxFences?: number) =>
  new LedgerCore(
    {
      exec: (sql, ...values) => storage.exec(sql, values),
      transaction: (body) => storage.transaction(body),
    },
    () => `epoch ${Math.random()}`,
    maxFences === undefined ? {} : { fences: maxFences },
  );

beforeEach(() => {
  storage = new Sqlite();
});

const use = (parts: Partial<Use> = {}): Use => ({
  key_id: "k",
  endpoint_id: "e",
  hour: 1000 * HOUR,
  kind: "read",
  count: 1,
  last_used_at: NOW,
  ...parts,
});

const ask = (core: LedgerCore, since: { epoch: string; seq: number } | null = null) =>
  core.sync({ since, uses: null }, NOW);

const change = (core: LedgerCore, id: string, ...subjects: string[]) => {
  core.open(id, subjects, NOW);
  return core.close(id);
};

describe("changes", () => {
  it("are open, then fenced under numbers that rise", () => {
    const core = start();
    core.open("1", ["a", "b"], NOW);
    core.open("2", ["a"], NOW);
    expect(ask(core)).toMatchObject({ seq: 0, fences: [] });
    expect(new Set(ask(core).open)).toEqual(new Set(["a", "b"]));
    expect(core.close("1")).toBe(2);
    expect(ask(core).open).toEqual(["a"]);
    expect(core.close("2")).toBe(3);
    expect(ask(core)).toMatchObject({ seq: 3, open: [], floor: 0, since: null });
    expect(new Map(ask(core).fences)).toEqual(
      new Map([
        ["a", 3],
        ["b", ask(core).fences[0]?.[1]],
      ]),
    );
  });

  it("may be closed twice, or without having been opened", () => {
    const core = start();
    change(core, "1", "a");
    expect([core.close("1"), core.close("2")]).toEqual([1, 1]);
  });

  it("outlive the object's memory, and so does its epoch", () => {
    const core = start(2);
    for (const [i, subject] of ["a", "b", "c"].entries()) change(core, `${i}`, subject);
    core.open("open", ["d"], NOW);
    expect(ask(start(2))).toEqual(ask(core));
    storage = new Sqlite();
    expect(ask(start()).epoch).not.toBe(ask(core).epoch);
  });

  it("come as news since a number of the same epoch, and whole otherwise", () => {
    const core = start();
    change(core, "1", "a");
    change(core, "2", "b");
    const { epoch } = ask(core);
    expect(ask(core, { epoch, seq: 1 })).toMatchObject({ since: 1, fences: [["b", 2]] });
    expect(ask(core, { epoch, seq: 2 })).toMatchObject({ since: 2, fences: [] });
    for (const since of [null, { epoch: "other", seq: 1 }]) {
      expect(ask(core, since)).toMatchObject({
        since: null,
        fences: [
          ["a", 1],
          ["b", 2],
        ],
      });
    }
  });

  it("keep few fences; what is dropped, the floor says", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (subjects) => {
        storage = new Sqlite();
        const core = start(4);
        const latest = new Map<string, number>();
        for (const [i, subject] of subjects.entries()) {
          latest.set(`${subject}`, change(core, `${i}`, `${subject}`));
          const { fences, floor, seq } = ask(core);
          expect(seq).toBe(i + 1);
          expect(fences.length).toBeLessThanOrEqual(4);
          const kept = new Map(fences);
          for (const [name, at] of latest) expect(kept.get(name) ?? (at <= floor ? at : null)).toBe(at);
          for (const at of kept.values()) expect(at).toBeGreaterThan(floor);
        }
      }),
    );
  });

  it("are abandoned thirty seconds after they were first opened", () => {
    const core = start();
    core.open("1", ["a"], NOW);
    core.open("1", ["a", "b"], NOW + 20_000);
    expect(core.abandoned(NOW + 29_999)).toEqual([]);
    expect(core.abandoned(NOW + 30_000)).toEqual(["1"]);
    expect(core.hasWork()).toBe(true);
    core.close("1");
    expect(core.hasWork()).toBe(false);
  });
});

describe("uses", () => {
  const hand = (core: LedgerCore, number: number, uses: Use[], now = NOW, isolate = "i") =>
    core.sync({ since: null, uses: { isolate, number, uses } }, now).acknowledged;
  const counts = (core: LedgerCore) =>
    core.uses.take(100).counts.map(({ hour, kind, count }) => [hour, kind, count]);

  it("add up, each batch once", () => {
    const core = start();
    expect(hand(core, 1, [use({ count: 2 }), use({ kind: "write" })])).toBe(1);
    expect(hand(core, 2, [use({ count: 3 })])).toBe(2);
    expect(hand(core, 1, [use({ count: 2 })])).toBe(2);
    expect(hand(start(), 2, [use({ count: 3 })])).toBe(2);
    expect(hand(core, 1, [use({ count: 10 })], NOW, "j")).toBe(1);
    expect(counts(core)).toEqual([
      [1000 * HOUR, "read", 15],
      [1000 * HOUR, "write", 1],
    ]);
  });

  it("never move the last use back, nor into the future, and denials do not move it", () => {
    const core = start();
    hand(core, 1, [use({ last_used_at: NOW - 10 })]);
    hand(core, 2, [use({ last_used_at: NOW - 20 })]);
    hand(core, 3, [use({ last_used_at: null })]);
    expect(core.uses.lastUsed("k")).toBe(NOW - 10);
    hand(core, 4, [use({ last_used_at: NOW + 99_999 })]);
    expect([core.uses.lastUsed("k"), core.uses.lastUsed("x")]).toEqual([NOW, null]);
  });

  it("lie in no hour to come, and in none that may be forgotten", () => {
    const core = start();
    hand(core, 1, [use({ hour: 2000 * HOUR })]);
    hand(core, 2, [use({ hour: 0, kind: "write" })]);
    expect(counts(core)).toEqual([
      [1000 * HOUR, "read", 1],
      [998 * HOUR, "write", 1],
    ]);
  });

  it("stay to be written until D1 has them; what came meanwhile stays longer", () => {
    const core = start();
    hand(core, 1, [use(), use({ key_id: "other" })]);
    const flush = core.uses.take(100);
    hand(core, 2, [use({ last_used_at: NOW })]);
    hand(core, 3, [use({ kind: "write", last_used_at: NOW + 1 })], NOW + 1);
    core.uses.flushed(flush);
    expect(core.uses.take(100)).toMatchObject({
      counts: [
        { key_id: "k", kind: "write", count: 1 },
        { key_id: "k", kind: "read", count: 2 },
      ],
      lastUsed: [{ key_id: "k", last_used_at: NOW + 1 }],
    });
    core.uses.flushed(core.uses.take(100));
    expect(core.hasWork()).toBe(false);
  });

  it("keep their marks apart over a restart", () => {
    hand(start(), 1, [use()]);
    const core = start();
    const flush = core.uses.take(100);
    hand(core, 2, [use({ last_used_at: NOW + 1 })], NOW + 1);
    core.uses.flushed(flush);
    expect(core.uses.take(100)).toMatchObject({
      counts: [{ count: 2 }],
      lastUsed: [{ last_used_at: NOW + 1 }],
    });
  });

  it("are given out a bounded piece at a time, oldest first", () => {
    const core = start();
    for (let n = 1; n <= 5; n += 1) hand(core, n, [use({ key_id: `k${n}` })]);
    const seen: string[] = [];
    for (let flush = core.uses.take(2); flush.counts.length > 0; flush = core.uses.take(2)) {
      expect(flush.counts.length).toBeLessThanOrEqual(2);
      seen.push(...flush.counts.map(({ key_id }) => key_id));
      core.uses.flushed(flush);
    }
    expect(seen).toEqual(["k1", "k2", "k3", "k4", "k5"]);
  });

  it("are forgotten once D1 has them and no batch can add to them", () => {
    const core = start();
    hand(core, 1, [use()]);
    core.uses.prune(NOW + 100 * HOUR);
    expect([counts(core), core.uses.lastUsed("k")]).toEqual([[[1000 * HOUR, "read", 1]], NOW]);
    core.uses.flushed(core.uses.take(100));
    // A batch that was held up for an hour still adds to what D1 has.
    core.uses.prune(NOW + HOUR);
    hand(core, 2, [use()], NOW + HOUR);
    expect(counts(core)).toEqual([[1000 * HOUR, "read", 2]]);
    core.uses.flushed(core.uses.take(100));
    core.uses.prune(NOW + 4 * HOUR);
    expect([counts(core), core.uses.lastUsed("k")]).toEqual([[], null]);
    expect(core.hasWork()).toBe(false);
  });

  it("are one row of storage for each call, folded into pages before they are many", () => {
    const core = start();
    const rows = (table: string) => storage.exec(`SELECT count(*) AS n FROM ${table}`)[0]?.n as number;
    const many = (n: number) =>
      Array.from({ length: 1000 }, (_, i) => use({ key_id: `k${(n * 1000 + i) % 6000}` }));
    for (let n = 1; n <= 12; n += 1) {
      const batches = (n === 1 ? ["i", "j", "early"] : ["i", "j"]).map((isolate) => ({
        isolate,
        number: n,
        uses: many(n),
      }));
      expect(core.syncRelay({ since: null, batches }, NOW).acknowledged.slice(0, 2)).toEqual([
        ["i", n],
        ["j", n],
      ]);
    }
    expect(rows("use_log")).toBeLessThan(12);
    expect(rows("use_pages")).toBeGreaterThan(0);
    const again = start();
    expect(again.uses.take(10_000)).toEqual(core.uses.take(10_000));
    expect(again.uses.dirty).toBe(core.uses.dirty);
    // Known from the log or the pages alike.
    const total = again.uses.dirty + again.uses.total;
    expect(hand(again, 12, many(0), NOW, "j")).toBe(12);
    expect(hand(again, 1, many(0), NOW, "early")).toBe(1);
    expect(again.uses.dirty + again.uses.total).toBe(total);
    expect(counts(again).reduce((sum, [, , count]) => sum + (count as number), 0)).toBe(500);
  });

  it("are known by batch for a day", () => {
    const core = start();
    hand(core, 1, [use()]);
    core.uses.prune(NOW + 24 * HOUR);
    expect(hand(core, 1, [use()], NOW + 24 * HOUR)).toBe(1);
    expect(counts(core)).toEqual([[1000 * HOUR, "read", 1]]);
  });
});
