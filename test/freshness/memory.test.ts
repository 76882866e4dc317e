import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Memory } from "../../src/freshness/memory.ts";

describe("Memory", () => {
  it("gives back what it was given", () => {
    const memory = new Memory<number>(100);
    memory.set("a", 1, 10);
    memory.set("a", 2, 20);
    expect([memory.get("a"), memory.get("b"), memory.bytes, memory.size]).toEqual([2, undefined, 20, 1]);
    memory.delete("a");
    expect([memory.get("a"), memory.bytes, memory.size]).toEqual([undefined, 0, 0]);
  });

  it("lets go of what was not used, oldest first", () => {
    const memory = new Memory<string>(30);
    for (const name of ["a", "b", "c"]) memory.set(name, name, 10);
    memory.get("a");
    memory.set("d", "d", 10);
    expect([memory.get("a"), memory.get("b"), memory.get("c"), memory.get("d")]).toEqual([
      "a",
      undefined,
      "c",
      "d",
    ]);
  });

  it("takes in what is new though all the rest was used", () => {
    const memory = new Memory<string>(20);
    for (const name of ["a", "b"]) memory.set(name, name, 10);
    for (const name of ["a", "b"]) memory.get(name);
    memory.set("c", "c", 10);
    expect([memory.get("a"), memory.get("b"), memory.get("c")]).toEqual([undefined, "b", "c"]);
  });

  it("does not keep what is larger than all of it, nor what it had under that name", () => {
    const memory = new Memory<string>(30);
    memory.set("a", "small", 10);
    memory.set("a", "large", 31);
    expect(memory.get("a")).toBeUndefined();
  });

  it("never takes more than it may", () => {
    const step = fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: 1, max: 120 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new Memory<number>(100);
        const sizes = new Map<string, number>();
        for (const [name, bytes, use] of steps) {
          if (use) memory.get(`${name}`);
          else {
            memory.set(`${name}`, bytes, bytes);
            sizes.set(`${name}`, bytes);
          }
          const kept = [...sizes].filter(([name]) => memory.get(name) !== undefined);
          expect(memory.bytes).toBe(kept.reduce((sum, [name]) => sum + (memory.get(name) ?? 0), 0));
          expect(memory.bytes).toBeLessThanOrEqual(100);
          expect(memory.size).toBe(kept.length);
        }
      }),
    );
  });
});
