import { describe, expect, it } from "vitest";
import { forgetUsage, writeUses } from "../../src/store/usage.ts";
import { d1Of, direct, postern } from "../model/d1.ts";

const row = (hour: number, count: number) => ({ key_id: "k", hour, endpoint_id: "e", kind: "read", count });

describe("writeUses", () => {
  it("may come twice, and late: neither counts nor times move back", async () => {
    const sqlite = postern();
    const db = d1Of(sqlite, direct);
    await writeUses(db, [row(0, 5), row(3_600_000, 1)], [{ key_id: "k", last_used_at: 50 }]);
    await writeUses(db, [row(0, 8)], [{ key_id: "k", last_used_at: 80 }]);
    await writeUses(db, [row(0, 5)], [{ key_id: "k", last_used_at: 50 }]);
    expect(sqlite.exec("SELECT hour, count FROM key_usage")).toEqual([
      { hour: 0, count: 8 },
      { hour: 3_600_000, count: 1 },
    ]);
    expect(sqlite.exec("SELECT * FROM key_last_used")).toEqual([{ key_id: "k", last_used_at: 80 }]);
    await forgetUsage(db, 3_600_000);
    expect(sqlite.exec("SELECT hour FROM key_usage")).toEqual([{ hour: 3_600_000 }]);
  });
});
