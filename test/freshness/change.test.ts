import { beforeEach, describe, expect, it } from "vitest";
import { applyChange, type ChangeWorld } from "../../src/freshness/change.ts";
import { putAccount } from "../../src/store/accounts.ts";
import { abandonChange } from "../../src/store/audit.ts";
import { deleteEndpoint, type EndpointRow, putEndpoint, readEndpoint } from "../../src/store/endpoints.ts";
import { type AuditEntry, commitChange, type Outcome, type Write } from "../../src/store/write.ts";
import { d1Of, direct, postern, type Sqlite } from "../model/d1.ts";

const LOST = new Error("D1_ERROR: Network connection lost.");
const CONSTRAINT = new Error("D1_ERROR: CHECK constraint failed: x: SQLITE_CONSTRAINT");
const OVERLOADED = new Error("D1_ERROR: D1 DB is overloaded. Requests queued for too long.");

const audit = (id: string): AuditEntry => ({
  id,
  at: 0,
  account_id: null,
  actor: "a",
  address: null,
  action: "x",
  subject: "s",
  before: null,
  after: null,
});

const WRITE: Write = {
  subjects: ["0000000a", "0000000b", "account:x"],
  guard: { sql: "1", values: [] },
  statements: [],
};

describe("applyChange", () => {
  let steps: string[];
  let answers: (Outcome | Error)[];
  let failing: (step: string) => boolean;
  let background: Promise<unknown>[];

  const step = async (name: string) => {
    steps.push(name);
    if (failing(name)) throw new Error("away");
  };
  const world: ChangeWorld = {
    shards: 2,
    open: (shard, _, subjects) => step(`open ${shard} ${subjects}`),
    close: (shard) => step(`close ${shard}`),
    commit: async () => {
      steps.push("commit");
      const answer = answers.shift() as Outcome | Error;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    background: (work) => background.push(work),
  };
  const apply = () => applyChange(world, audit("1"), [WRITE]);
  const OPENS = ["open 0 0000000a,account:x", "open 1 0000000b,account:x"];
  const CLOSES = ["close 0", "close 1"];

  beforeEach(() => {
    steps = [];
    answers = ["committed"];
    failing = () => false;
    background = [];
  });

  it("opens every shard, commits, closes, in that order", async () => {
    expect(await apply()).toBe("committed");
    expect(steps).toEqual([...OPENS, "commit", ...CLOSES]);
  });

  it("repeats each step that fails, up to three times", async () => {
    const seen = new Set<string>();
    failing = (name) => !seen.has(name) && seen.add(name) !== undefined;
    answers = [LOST, LOST, "committed"];
    expect(await apply()).toBe("committed");
    expect(steps.filter((name) => name === "commit")).toHaveLength(3);
    expect(steps.filter((name) => name === "close 0")).toHaveLength(2);
  });

  it("writes nothing unless every shard was opened, and closes those that were", async () => {
    failing = (name) => name.startsWith("open 1");
    expect(await apply()).toBe("unavailable");
    await Promise.all(background);
    expect(steps).not.toContain("commit");
    expect(steps).toEqual(expect.arrayContaining(CLOSES));
  });

  it("is done although a shard does not answer its close", async () => {
    failing = (name) => name === "close 1";
    expect(await apply()).toBe("committed");
    expect(steps.filter((name) => name === "close 1")).toHaveLength(3);
  });

  it("closes after a guard that did not hold", async () => {
    answers = [null];
    expect(await apply()).toBe("refused");
    expect(steps.slice(3)).toEqual(CLOSES);
  });

  it.each([
    ["every attempt was lost", [LOST, LOST, LOST]],
    ["the database is overloaded", [OVERLOADED]],
    ["an attempt was lost, and the next one's guard did not hold", [LOST, null]],
  ])("leaves its subjects open when %s", async (_, given) => {
    answers = [...given];
    expect(await apply()).toBe("unavailable");
    expect([steps.length - 2, background.length]).toEqual([given.length, 0]);
  });

  it("closes when SQLite refused, unless an attempt is astray", async () => {
    answers = [CONSTRAINT];
    await expect(apply()).rejects.toBe(CONSTRAINT);
    await Promise.all(background);
    expect(steps.slice(3)).toEqual(CLOSES);
    steps = [];
    answers = [LOST, CONSTRAINT];
    // The attempt that is astray may commit yet: not a failure.
    expect(await apply()).toBe("unavailable");
    expect(steps.slice(2)).toEqual(["commit", "commit"]);
  });

  it("is unavailable when the ledger gave it up", async () => {
    answers = ["abandoned"];
    expect(await apply()).toBe("unavailable");
  });
});

describe("commitChange", () => {
  let sqlite: Sqlite;
  let db: D1Database;
  beforeEach(() => {
    sqlite = postern();
    db = d1Of(sqlite, direct);
  });

  const made = (): EndpointRow => ({
    id: "ep",
    account_id: null,
    name: "n",
    api: "inference",
    protocol: "http",
    path: "/v2/ep",
    origin: "https://o",
    test_origin: null,
    operations: null,
    credential: null,
    assertion: false,
    allow_query_key: false,
    redirects: "refuse",
    timeout_seconds: 1,
    freshness: "bounded",
    cors: null,
    version: 1,
    created_at: 0,
    updated_at: 0,
  });
  const ids = () => sqlite.exec("SELECT id FROM endpoints").map(({ id }) => id);
  const log = () => sqlite.exec("SELECT id, outcome FROM audit_log ORDER BY id");

  it("writes with its audit row, or not at all", async () => {
    expect(await commitChange(db, audit("1"), [putEndpoint(null, made())])).toBe("committed");
    expect(await commitChange(db, audit("2"), [putEndpoint(null, made())])).toBeNull();
    expect([ids(), log()]).toEqual([["ep"], [{ id: "1", outcome: "committed" }]]);
  });

  it("writes nothing when a guard does not hold, though a statement's own condition does", async () => {
    const create = putEndpoint(null, made());
    const guarded = { ...create, guard: { sql: "? > 1", values: [1] } };
    expect(await commitChange(db, audit("1"), [create, guarded])).toBeNull();
    expect([ids(), log()]).toEqual([[], []]);
  });

  it("writes nothing when sent again, though a statement's own condition holds and the guard no more does", async () => {
    const account = (id: string) => ({
      ...{ id, name: "A", active_key_limit: 1, suspended: false },
      ...{ created_at: 0, updated_at: 0 },
    });
    const create = putAccount(null, account("a"));
    const guarded = { ...create, guard: { sql: "(SELECT count(*) FROM accounts) = 0", values: [] } };
    expect(await commitChange(db, audit("1"), [guarded])).toBe("committed");
    sqlite.exec("DELETE FROM accounts");
    await commitChange(db, audit("2"), [putAccount(null, account("b"))]);
    expect(await commitChange(db, audit("1"), [guarded])).toBe("committed");
    expect(sqlite.exec("SELECT id FROM accounts")).toEqual([{ id: "b" }]);
  });

  it("says what became of it when sent again, and writes nothing", async () => {
    const create = [putEndpoint(null, made())];
    await commitChange(db, audit("1"), create);
    expect(await commitChange(db, audit("1"), create)).toBe("committed");
    const row = (await readEndpoint(db, "ep")) as EndpointRow;
    await commitChange(db, audit("2"), [deleteEndpoint(row, 0)]);
    // The first attempt, late: what was deleted since must not come back.
    expect(await commitChange(db, audit("1"), create)).toBe("committed");
    expect(ids()).toEqual([]);
  });

  it("never commits what was abandoned, and never abandons what committed", async () => {
    const create = [putEndpoint(null, made())];
    await abandonChange(db, "1", 5);
    expect(await commitChange(db, audit("1"), create)).toBe("abandoned");
    expect(ids()).toEqual([]);
    await commitChange(db, audit("2"), create);
    await abandonChange(db, "2", 5);
    expect(log()).toEqual([
      { id: "1", outcome: "abandoned" },
      { id: "2", outcome: "committed" },
    ]);
  });

  it("passes other errors on", async () => {
    const wrong = putEndpoint(null, { ...made(), api: "x" as "graphql" });
    await expect(commitChange(db, audit("1"), [wrong])).rejects.toThrow("SQLITE_CONSTRAINT");
    expect(log()).toEqual([]);
  });
});
