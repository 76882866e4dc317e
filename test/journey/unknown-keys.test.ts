import { describe, expect, it } from "vitest";
import { UnknownKeys } from "../../src/journey/unknown-keys.ts";

const NOW = 1_700_000_000_000;

describe("an address", () => {
  it("is suspected for a minute after an unknown key, and no other is", () => {
    const unknown = new UnknownKeys();
    unknown.note("203.0.113.1", NOW);
    expect(unknown.suspects("203.0.113.1", NOW + 59_999)).toBe(true);
    expect(unknown.suspects("203.0.113.2", NOW)).toBe(false);
    expect(unknown.suspects("203.0.113.1", NOW + 60_000)).toBe(false);
  });

  it("is forgotten once ten thousand others came by: memory is bounded", () => {
    const unknown = new UnknownKeys();
    for (let i = 0; i <= 10_000; i += 1) unknown.note(`address-${i}`, NOW);
    expect(unknown.suspects("address-0", NOW)).toBe(false);
    expect(unknown.suspects("address-1", NOW)).toBe(true);
  });
});

describe("look-ups that all addresses share", () => {
  const spent = (unknown: UnknownKeys, now: number) => {
    let count = 0;
    while (count < 10_000 && unknown.spendLookup(now)) count += 1;
    return count;
  };

  it("are 600 at once, and ten more each second", () => {
    const unknown = new UnknownKeys();
    expect(spent(unknown, NOW)).toBe(600);
    expect(spent(unknown, NOW + 1000)).toBe(10);
    expect(spent(unknown, NOW + 1050)).toBe(0);
    expect(spent(unknown, NOW + 1100)).toBe(1);
    expect(spent(unknown, NOW + 3_600_000)).toBe(600);
  });

  it("come back where they found a key, and never more than there were", () => {
    const unknown = new UnknownKeys();
    spent(unknown, NOW);
    unknown.returnLookup();
    expect(spent(unknown, NOW)).toBe(1);
    const fresh = new UnknownKeys();
    fresh.returnLookup();
    expect(spent(fresh, NOW)).toBe(600);
  });

  it("are not made anew by a clock that goes back", () => {
    const unknown = new UnknownKeys();
    spent(unknown, NOW);
    expect(spent(unknown, NOW - 60_000)).toBe(0);
    expect(spent(unknown, NOW)).toBe(0);
  });
});
