import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { platformHeaders } from "../../src/gateway/platform-headers.ts";

const name = fc.constantFrom("accept", "x-a", "x-b", "x-postern-key-id", "x-request-id");
const value = fc.oneof(fc.constantFrom("a", "b", "", "x-a:b", "1"), fc.string({ unit: "grapheme-ascii" }));
const record = fc.dictionary(name, value, { noNullPrototype: true });

describe("headers for the platform", () => {
  it("are what the record says, whatever was asked for before", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        for (const each of records) {
          const given = { ...each, "x-request-id": each["x-request-id"] ?? crypto.randomUUID() };
          expect([...platformHeaders(given)]).toEqual([...new Headers(given)]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are made once of what differs in its request id alone, and anew of anything else", () => {
    const first = platformHeaders({ "x-a": "1", "x-request-id": "r1" });
    expect(platformHeaders({ "x-a": "1", "x-request-id": "r2" })).toBe(first);
    expect(first.get("x-request-id")).toBe("r2");
    for (const other of [{ "x-a": "2" }, { "x-b": "1" }, { "x-a": "1", "x-b": "" }, { "x-a": "1\tx-b:" }])
      expect(platformHeaders({ ...other, "x-request-id": "r3" })).not.toBe(first);
  });

  it("are forgotten once five hundred others came by, and not kept at all where they are long", () => {
    const of = (value: string) => platformHeaders({ "x-a": value, "x-request-id": "r" });
    const first = of("first");
    for (let n = 0; n < 500; n += 1) of(`other ${n}`);
    expect(of("first")).not.toBe(first);
    expect(of("x".repeat(3000))).not.toBe(of("x".repeat(3000)));
  });
});
