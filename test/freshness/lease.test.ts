import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCurrent, type Lease, renewed } from "../../src/freshness/lease.ts";
import type { SyncReply } from "../../src/ledger/protocol.ts";

const reply = (parts: Partial<SyncReply>): SyncReply => ({
  epoch: "e",
  seq: 5,
  floor: 0,
  since: null,
  fences: [],
  open: [],
  acknowledged: null,
  ...parts,
});

const lease = (parts: Partial<Lease>): Lease => ({
  epoch: "e",
  seq: 5,
  floor: 0,
  fences: new Map(),
  open: new Set(),
  asked: { at: 1000, order: 5 },
  ...parts,
});

const later = { at: 2000, order: 6 };

describe("renewed", () => {
  it("takes a whole answer as it is", () => {
    expect(renewed(null, reply({ fences: [["a", 5]], open: ["b"], floor: 2 }), later)).toEqual(
      lease({ fences: new Map([["a", 5]]), open: new Set(["b"]), floor: 2, asked: later }),
    );
  });

  it("merges a delta on top of what it continues", () => {
    const held = lease({
      fences: new Map([
        ["a", 4],
        ["b", 5],
      ]),
    });
    const merged = renewed(held, reply({ since: 5, seq: 7, fences: [["a", 7]] }), later);
    expect([...(merged?.fences ?? [])]).toEqual([
      ["a", 7],
      ["b", 5],
    ]);
    expect(merged).toMatchObject({ seq: 7, asked: later });
    expect([...held.fences]).toEqual([
      ["a", 4],
      ["b", 5],
    ]);
  });

  it("takes `open` whole, never the old one's", () => {
    expect(renewed(lease({ open: new Set(["a"]) }), reply({ since: 5, open: ["b"] }), later)?.open).toEqual(
      new Set(["b"]),
    );
  });

  it("drops fences that the floor speaks for", () => {
    const held = lease({
      fences: new Map([
        ["a", 4],
        ["b", 5],
      ]),
    });
    const merged = renewed(held, reply({ since: 5, seq: 9, floor: 4, fences: [["c", 9]] }), later);
    expect([...(merged?.fences ?? [])]).toEqual([
      ["b", 5],
      ["c", 9],
    ]);
  });

  it("keeps the answer to the later question, even of the same millisecond", () => {
    const held = lease({ asked: { at: 1000, order: 7 } });
    expect(renewed(held, reply({ seq: 9 }), { at: 1000, order: 6 })).toBe(held);
    expect(renewed(held, reply({ seq: 9 }), { at: 1000, order: 8 })?.seq).toBe(9);
    // A clock that ran back does not make a later question an earlier one.
    expect(renewed(held, reply({ seq: 9 }), { at: 10, order: 8 })?.asked.at).toBe(10);
  });

  it("discards a delta that continues something else", () => {
    for (const held of [null, lease({ epoch: "other" }), lease({ seq: 4 })]) {
      expect(renewed(held, reply({ since: 5, seq: 7 }), later)).toBe(held);
    }
  });

  it("keeps what it knows when a later question was answered from an earlier state", () => {
    // The floor of the held lease speaks for a fence that the older answer would let go of.
    const held = lease({ seq: 12, floor: 10, fences: new Map([["b", 11]]), open: new Set(["c"]) });
    for (const since of [null, 3]) {
      expect(renewed(held, reply({ since, seq: 5, floor: 0, fences: [["a", 4]] }), later)).toEqual({
        ...held,
        asked: later,
      });
    }
  });

  it("changes epochs with a whole answer, however low its number", () => {
    expect(renewed(lease({ seq: 12 }), reply({ epoch: "f", seq: 0 }), later)).toMatchObject({
      epoch: "f",
      seq: 0,
    });
  });
});

describe("isCurrent", () => {
  const held = lease({ floor: 2, fences: new Map([["a", 4]]), open: new Set(["b"]) });
  it.each([
    ["as of the fence", 4, ["a"], true],
    ["before the fence", 3, ["a"], false],
    ["not fenced", 3, ["c"], true],
    ["as of the floor", 2, ["c"], true],
    ["below the floor", 1, ["c"], false],
    ["open", 5, ["b"], false],
    ["one of its subjects is fenced", 3, ["c", "a"], false],
    ["one of its subjects is open", 5, ["a", "b"], false],
  ])("%s", (_, seq, subjects, current) => {
    expect(isCurrent(held, { epoch: "e", seq }, subjects)).toBe(current);
    expect(isCurrent(held, { epoch: "f", seq }, subjects)).toBe(false);
  });

  it("agrees with the whole list of fences, however it was pieced together from deltas", () => {
    const closes = fc.array(fc.nat({ max: 4 }), { maxLength: 30 });
    fc.assert(
      fc.property(closes, fc.array(fc.nat({ max: 30 }), { maxLength: 6 }), (subjects, stops) => {
        const at = [...new Set([...stops, subjects.length])].sort((a, b) => a - b);
        const latest = (upTo: number, since: number) =>
          [...new Map(subjects.slice(0, upTo).map((subject, i) => [`${subject}`, i + 1] as const))].filter(
            ([, seq]) => seq > since,
          );
        let held: Lease | null = null;
        let order = 0;
        for (const stop of at.filter((stop) => stop <= subjects.length)) {
          const since: number | null = held === null ? null : (held as Lease).seq;
          order += 1;
          held = renewed(held, reply({ seq: stop, since, fences: latest(stop, since ?? -1) }), {
            at: order,
            order,
          });
        }
        expect(new Map((held as Lease | null)?.fences)).toEqual(new Map(latest(subjects.length, -1)));
      }),
    );
  });
});
