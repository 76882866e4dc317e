import { beforeEach, describe, expect, it } from "vitest";
import { LedgerCore } from "../../src/ledger/core.ts";
import { LedgerShard } from "../../src/ledger/shard.ts";
import { d1Of, direct, type Engine, postern, Sqlite } from "../model/d1.ts";

const START = 1_000_000_000_000;

let now: number;
let db: Sqlite;
let storage: Sqlite;
let alarms: number[];
let down: RegExp | null;
let asked: string[];

const start = (alarmAt: number | null = null) => {
  const engine: Engine = {
    exec: (sql, values) => {
      asked.push(sql);
      if (down?.test(sql)) throw new Error("away");
      return db.exec(sql, values);
    },
    transaction: (body) => db.transaction(body),
  };
  return new LedgerShard(
    new LedgerCore(
      {
        exec: (sql, ...values) => storage.exec(sql, values),
        transaction: (body) => storage.transaction(body),
      },
      () => "e",
    ),
    {
      now: () => now,
      db: d1Of(engine, direct),
      setAlarm: (at) => alarms.push(at - START),
      report: () => undefined,
    },
    { flush: 10_000, retention: 400 * 86_400_000 },
    alarmAt,
  );
};

beforeEach(() => {
  now = START;
  db = postern();
  storage = new Sqlite();
  alarms = [];
  asked = [];
  down = null;
});

const use = (shard: LedgerShard, number: number) =>
  shard.sync({
    since: null,
    uses: {
      isolate: "i",
      number,
      uses: [
        {
          key_id: "k",
          endpoint_id: "",
          hour: START - (START % 3_600_000),
          kind: "read",
          count: 1,
          last_used_at: now,
        },
      ],
    },
  });

const usage = () => db.exec("SELECT count FROM key_usage").map(({ count }) => count);

describe("the alarm", () => {
  it("is not set while there is nothing to do", async () => {
    const shard = start();
    shard.sync({ since: null, uses: null });
    shard.close("x");
    await shard.alarm();
    expect(alarms).toEqual([]);
  });

  it("is set by the first use and left alone by those that follow, due or not", async () => {
    const shard = start();
    use(shard, 1);
    now += 5000;
    use(shard, 2);
    // Due, and still about to run: traffic must not put it off.
    now += 5001;
    use(shard, 3);
    expect(alarms).toEqual([10_000]);
    await shard.alarm();
    expect(usage()).toEqual([3]);
    expect(alarms).toEqual([10_000]);
    use(shard, 4);
    expect(alarms).toEqual([10_000, 20_001]);
  });

  it("is set by a change, and until that is settled", async () => {
    const shard = start();
    shard.open("1", ["a"]);
    now += 10_000;
    await shard.alarm();
    now += 10_000;
    await shard.alarm();
    expect(alarms).toEqual([10_000, 20_000, 30_000]);
    expect(db.exec("SELECT id FROM audit_log")).toEqual([]);
    now += 10_000;
    await shard.alarm();
    expect(alarms).toHaveLength(3);
    expect(db.exec("SELECT id, outcome FROM audit_log")).toEqual([{ id: "1", outcome: "abandoned" }]);
    expect(shard.sync({ since: null, uses: null })).toMatchObject({ open: [], fences: [["a", 1]] });
  });

  it("is found again after a restart, and set when it was lost", () => {
    use(start(), 1);
    start(START + 10_000);
    expect(alarms).toEqual([10_000]);
    start(null);
    expect(alarms).toEqual([10_000, 10_000]);
  });

  it("is set anew when it is long overdue, or so far off that the clock must have run back", () => {
    const shard = start();
    use(shard, 1);
    now += 10_000 + 59_999;
    use(shard, 2);
    expect(alarms).toHaveLength(1);
    now += 1;
    use(shard, 3);
    expect(alarms).toEqual([10_000, 80_000]);
    now -= 3_600_000;
    use(shard, 4);
    expect(alarms).toHaveLength(3);
  });

  it("runs once a flush for as long as D1 refuses, never in between, and writes all when it does not", async () => {
    const shard = start();
    use(shard, 1);
    down = /key_usage/;
    const waits: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await shard.alarm();
      waits.push((alarms.at(-1) as number) + START - now);
      use(shard, 2 + n);
    }
    expect(waits).toEqual(Array(6).fill(10_000));
    expect(alarms).toHaveLength(7);
    down = null;
    await shard.alarm();
    expect(usage()).toEqual([7]);
    shard.open("1", ["a"]);
    await shard.alarm();
    expect((alarms.at(-1) as number) + START - now).toBe(10_000);
  });

  it("leaves many rows for later while traffic goes on, and writes them all within 15 s of its end", async () => {
    const shard = start();
    const hour = START - (START % 3_600_000);
    const many = Array.from({ length: 2000 }, (_, n) => ({
      ...{ key_id: `k${n}`, endpoint_id: "", hour, kind: "read", count: 1 },
      last_used_at: START,
    }));
    shard.sync({ since: null, uses: { isolate: "i", number: 1, uses: many.slice(0, 1000) } });
    now += 9_000;
    shard.sync({ since: null, uses: { isolate: "i", number: 2, uses: many.slice(1000) } });
    now += 1_000;
    await shard.alarm();
    expect(usage()).toEqual([]);
    now += 10_000;
    expect(alarms.at(-1)).toBe(now - START);
    await shard.alarm();
    expect(usage()).toHaveLength(2000);
  });

  it("settles changes though uses cannot be written, and the other way round", async () => {
    const shard = start();
    shard.open("1", ["a"]);
    use(shard, 1);
    now += 30_000;
    down = /key_usage/;
    await shard.alarm();
    expect(shard.sync({ since: null, uses: null }).open).toEqual([]);
    shard.open("2", ["a"]);
    now += 30_000;
    down = /audit_log/;
    await shard.alarm();
    expect(usage()).toEqual([1]);
    expect(shard.sync({ since: null, uses: null }).open).toEqual(["a"]);
  });

  it("forgets old usage once a day", async () => {
    const shard = start();
    const forgot = () => asked.filter((sql) => sql.startsWith("DELETE FROM key_usage")).length;
    db.exec("INSERT INTO key_usage VALUES ('k', 0, '', 'read', 1)");
    await shard.alarm();
    await shard.alarm();
    expect([usage(), forgot()]).toEqual([[], 1]);
    now += 86_400_001;
    await shard.alarm();
    expect(forgot()).toBe(2);
  });
});
