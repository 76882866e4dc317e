import { describe, expect, it } from "vitest";
import { Uses } from "../../src/freshness/uses.ts";
import type { Use } from "../../src/ledger/protocol.ts";

const use = (parts: Partial<Use> = {}): Use => ({
  key_id: "k",
  endpoint_id: "e",
  hour: 0,
  kind: "read",
  count: 1,
  last_used_at: 10,
  ...parts,
});

describe("Uses", () => {
  it("joins uses of one name, and keeps the latest time", () => {
    const uses = new Uses("i");
    uses.add(0, use({ last_used_at: 10 }));
    uses.add(0, use({ last_used_at: 30 }));
    uses.add(0, use({ last_used_at: 20 }));
    uses.add(0, use({ last_used_at: null }));
    uses.add(0, use({ kind: "write" }));
    uses.add(0, use({ hour: 3_600_000 }));
    uses.add(0, use({ endpoint_id: "f" }));
    expect(uses.take(0, 0)).toEqual({
      isolate: "i",
      number: 1,
      uses: [
        use({ count: 4, last_used_at: 30 }),
        use({ kind: "write" }),
        use({ hour: 3_600_000 }),
        use({ endpoint_id: "f" }),
      ],
    });
  });

  it("keeps shards apart", () => {
    const uses = new Uses("i");
    uses.add(1, use());
    expect(uses.take(0, 0)).toBeNull();
    expect(uses.pending()).toEqual([1]);
  });

  it("has one batch under way, and sends it again unchanged when its sync fails", () => {
    const uses = new Uses("i");
    uses.add(0, use());
    const first = structuredClone(uses.take(0, 0));
    uses.add(0, use());
    expect(uses.take(0, 5)).toBeNull();
    uses.failed(0, 1);
    expect(uses.take(0, 6)).toEqual(first);
    uses.acknowledge(0, 1);
    expect(uses.take(0, 7)).toMatchObject({ number: 2 });
  });

  it("sends it again when nothing was heard of it, whichever way the clock ran", () => {
    const uses = new Uses("i");
    uses.add(0, use());
    uses.take(0, 100_000);
    expect(uses.take(0, 109_999)).toBeNull();
    expect(uses.take(0, 110_000)).toMatchObject({ number: 1 });
    expect(uses.take(0, 50_000)).toMatchObject({ number: 1 });
  });

  it("is not told by another's answer", () => {
    const uses = new Uses("i");
    uses.add(0, use());
    uses.take(0, 0);
    uses.acknowledge(0, 1);
    uses.add(0, use());
    uses.take(0, 0);
    uses.acknowledge(0, null);
    uses.acknowledge(0, 1);
    uses.failed(0, 1);
    expect(uses.take(0, 1)).toBeNull();
    expect(uses.pending()).toEqual([0]);
    uses.acknowledge(0, 2);
    expect(uses.pending()).toEqual([]);
  });

  it("gives a batch up after an hour, long before the shard forgets its number", () => {
    const uses = new Uses("i");
    uses.add(0, use());
    uses.take(0, 0);
    uses.failed(0, 1);
    expect(uses.take(0, 3_600_000)).toMatchObject({ number: 1 });
    uses.failed(0, 1);
    expect(uses.take(0, 3_600_001)).toBeNull();
    uses.add(0, use());
    expect(uses.take(0, 3_600_002)).toMatchObject({ number: 2 });
  });

  it("bounds a batch, and what waits", () => {
    const uses = new Uses("i");
    for (let i = 0; i < 20_001; i += 1) uses.add(0, use({ key_id: `k${i}` }));
    const keys: string[] = [];
    for (let batch = uses.take(0, 0); batch !== null; batch = uses.take(0, 0)) {
      expect(batch.uses.length).toBeLessThanOrEqual(1000);
      keys.push(...batch.uses.map(({ key_id }) => key_id));
      uses.acknowledge(0, batch.number);
    }
    expect([keys.length, keys[0], keys.at(-1)]).toEqual([20_000, "k1", "k20000"]);
  });
});
