import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handleConsole } from "../../src/console/index.ts";
import { isDenial } from "../../src/denial.ts";
import type { Env } from "../../src/env.ts";
import { headerEntries } from "../../src/http/header-entries.ts";
import { readUrl } from "../../src/http/url.ts";
import { isolateOf } from "../../src/isolate.ts";
import { keyStatus } from "../../src/keys/state.ts";
import {
  insertKey,
  type KeyFilter,
  type KeyPosition,
  type KeyRow,
  type KeyRowWithUse,
  listKeys,
  MOST_SCANNED,
} from "../../src/store/keys.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { counting, createManyKeys } from "../harness/many-keys.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

/** All in one account: the worst there is. A million take half a minute on a busy machine, and run by night. */
const MANY = Number(process.env.POSTERN_MANY_KEYS || 200_000);
const KEYS = "/v1/account/api-keys";
const LIMIT = 50;
/** A scanned row costs a read and two more to number it. */
const READS_PER_SCANNED_ROW = 3;

let gateway: TestGateway;
let sessions: Sessions;
let owner: ReturnType<typeof as>;
let member: ReturnType<typeof as>;
let admin: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  gateway = await startTestGateway({ vars: sessions.vars });
  for (const id of ["big", "small", "over"]) await gateway.createAccount(id, { active_key_limit: 100 });
  await createManyKeys(gateway.db, "big", MANY);
  await createManyKeys(gateway.db, "small", 9000);
  // Every one of them has been used: that row is read as well.
  await gateway.db
    .prepare(
      "INSERT INTO key_last_used SELECT id, created_at FROM keys WHERE account_id = 'big' AND rowid > ?",
    )
    .bind(MANY - 20_000)
    .run();
  owner = as(gateway, await sessions.of("big"));
  admin = as(gateway, await sessions.admin());
  member = as(gateway, await sessions.of("big", "member", { email: "max@acme.test" }));
}, 120_000);
afterAll(() => gateway?.stop());

/** One page, with the rows that D1 read for it. */
async function pageOf(filter: KeyFilter, before: KeyPosition | null = null, limit = LIMIT) {
  const counter = counting(gateway.db);
  const page = await listKeys(counter.db, filter, { limit, before }, Date.now());
  return { ...page, read: counter.read };
}

describe(`a page of an account with ${MANY} keys`, () => {
  const figures: Record<string, number> = {};
  afterAll(() => console.log(`rows read for a page of ${LIMIT}:`, figures));

  test.each<[string, KeyFilter]>([
    ["all", {}],
    ["active", { status: "active" }],
    ["disabled", { status: "disabled" }],
    ["revoked", { status: "revoked" }],
    ["expired", { status: "expired" }],
    ["production", { environment: "production" }],
    ["test", { environment: "test" }],
    ["revoked test keys", { environment: "test", status: "revoked" }],
    ["a member's own", { created_by: "max@acme.test" }],
    ["a name that many have", { q: "service" }],
    ["the beginning of every prefix", { q: "pst_live_" }],
  ])("costs less than five rows read for each it shows: %s", async (what, filter) => {
    const whole = { account_id: "big", ...filter };
    const first = await pageOf(whole);
    figures[what] = first.read;
    expect(first.rows.length).toBe(LIMIT);
    expect(first.read).toBeLessThan(5 * LIMIT);
    const second = await pageOf(whole, first.next);
    expect(second.read).toBeLessThan(5 * LIMIT);
    // In the middle of a million it costs what it costs at the beginning.
    const middle = await pageOf(whole, { at: 1_700_000_000_000 + MANY / 20, id: "" });
    expect(middle.read).toBeLessThan(5 * LIMIT);
  });

  test("a whole prefix is found at once, however old its key", async () => {
    const page = await pageOf({ account_id: "big", q: "pst_live_00fff" });
    figures["a whole prefix"] = page.read;
    expect(page.rows.map(({ name }) => name)).toEqual(["Service 4095"]);
    expect(page.next).toBeNull();
    expect(page.read).toBeLessThan(20);
  });

  test("is bounded where next to nothing fits, and says where to go on", async () => {
    for (const filter of [
      { q: "no such name" },
      { q: "Service 1", status: "expired" as const, environment: "test" as const },
      { status: "expired" as const, created_by: "nobody" },
    ]) {
      const page = await pageOf({ account_id: "big", ...filter });
      figures[`at worst: ${JSON.stringify(filter)}`] = page.read;
      expect(page.read).toBeLessThanOrEqual(READS_PER_SCANNED_ROW * MOST_SCANNED + 2 * LIMIT + 2);
      if (page.rows.length < LIMIT && page.read > MOST_SCANNED) expect(page.next).not.toBeNull();
    }
  });

  test("is bounded across all accounts as well", async () => {
    for (const filter of [
      {},
      { status: "revoked" },
      { q: "no such name" },
      { q: "pst_live_00fff" },
    ] as KeyFilter[]) {
      expect((await pageOf(filter)).read).toBeLessThanOrEqual(
        READS_PER_SCANNED_ROW * MOST_SCANNED + 2 * LIMIT + 2,
      );
    }
  });

  test("is answered in milliseconds, to owners and to members", async () => {
    for (const [who, query] of [
      [owner, ""],
      [owner, "?status=revoked"],
      [owner, "?q=no-such-name"],
      [member, ""],
    ] as const) {
      const began = Date.now();
      const { status } = await who("GET", `${KEYS}${query}`);
      expect(status).toBe(200);
      expect(Date.now() - began).toBeLessThan(1000);
    }
    expect((await member("GET", KEYS)).json.data).toHaveLength(LIMIT);
  });
});

describe("the console's list", () => {
  /** The console itself, in this process, with the gateway's database: the rows that one visit reads. */
  async function visit(account: string, query = ""): Promise<{ html: string; read: number }> {
    const counter = counting(gateway.db);
    const secrets = JSON.stringify({ a: "a".repeat(43) });
    const env = {
      ...sessions.vars,
      KEY_TAG_SECRETS: secrets,
      SESSION_SECRETS: secrets,
      REQUEST_LOG: "off",
      DB: counter.db,
    } as unknown as Env;
    const request = new Request(`https://gw.test/console/settings/api-keys${query}`, {
      headers: await sessions.of(account),
    });
    const isolate = isolateOf(env);
    const url = readUrl(request.url, "gw.test", isolate.config.HOSTNAMES);
    const entries = headerEntries(request.headers);
    if (isDenial(url) || isDenial(entries)) throw new Error("not a request to the console");
    const context = {} as ExecutionContext;
    const response = await handleConsole({ request, env, context, isolate, requestId: "test", url, entries });
    expect(response.status).toBe(200);
    return { html: await response.text(), read: counter.read };
  }
  const rowsIn = (html: string) => html.split('<th scope="row"').length - 1;

  test(`opens as quickly with ${MANY} keys as with 50`, async () => {
    await gateway.createAccount("few");
    await createManyKeys(gateway.db, "few", 50);
    const few = await visit("few");
    const figures: Record<string, number> = { "50 keys": few.read };
    for (const [what, query] of [
      [`${MANY} keys`, ""],
      ["those that are disabled", "?status=disabled"],
      ["those of the test environment", "?environment=test"],
      ["a name that many have", "?q=service"],
    ] as const) {
      const { html, read } = await visit("big", query);
      figures[what] = read;
      expect(rowsIn(html)).toBe(25);
      // Every key of the large account has been used, none of the small one's.
      expect(read).toBeLessThan(few.read + 5 * 25);
    }
    expect(rowsIn(few.html)).toBe(25);
    console.log("rows read for a page of the console's list:", figures);
  });
});

describe("followed to its end, a narrowed list", () => {
  let all: KeyRowWithUse[];
  beforeAll(async () => {
    all = await follow({});
  });

  async function follow(filter: KeyFilter, limit = 100): Promise<KeyRowWithUse[]> {
    const found: KeyRowWithUse[] = [];
    let before: KeyPosition | null = null;
    do {
      const page: Awaited<ReturnType<typeof pageOf>> = await pageOf(
        { account_id: "small", ...filter },
        before,
        limit,
      );
      found.push(...page.rows);
      before = page.next;
    } while (before !== null);
    return found;
  }

  const is = (status: string) => (row: KeyRowWithUse) => keyStatus(row, Date.now()) === status;
  test.each<[KeyFilter, (row: KeyRowWithUse) => boolean]>([
    [{ status: "active" }, is("active")],
    [{ status: "disabled" }, is("disabled")],
    [{ status: "expired" }, is("expired")],
    [{ status: "revoked" }, is("revoked")],
    [{ environment: "test" }, (row) => row.environment === "test"],
    [
      { environment: "production", status: "disabled" },
      (row) => row.environment === "production" && is("disabled")(row),
    ],
    [{ created_by: "max@acme.test" }, (row) => row.created_by === "max@acme.test"],
    [{ q: "SERVICE 89" }, (row) => row.name.startsWith("Service 89")],
    [{ q: "ice 8999" }, (row) => row.name === "Service 8999"],
    [{ q: "no such name" }, () => false],
    [{ q: "pst_live_00fff" }, (row) => row.prefix === "pst_live_00fff"],
  ])("has each key that fits once, newest first: %j", async (filter, fits) => {
    expect(all).toHaveLength(9000);
    const found = await follow(filter);
    expect(found.map(({ id }) => id)).toEqual(all.filter(fits).map(({ id }) => id));
  });

  test("is in the order of time, then of ids", () => {
    const order = [...all].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
    expect(all.map(({ id }) => id)).toEqual(order.map(({ id }) => id));
  });
});

test("making a key in such an account counts no further than the limit", async () => {
  const refused = await owner("POST", KEYS, { name: "one more", scopes: { inference: true } });
  expect(refused.json.error.code).toBe("active_key_limit_reached");
  expect(await room("big")).toEqual({ holds: 0, read: expect.toSatisfy((read: number) => read < 110) });
});

test("what was rotated long ago costs nothing to count, what lives on no more than the limit", async () => {
  await gateway.createAccount("spun", { active_key_limit: 100 });
  await createManyKeys(gateway.db, "spun", 9000);
  // 40 live pairs, and 8,900 keys whose overlap has ended, each with a successor that was rotated itself.
  await gateway.db
    .prepare(
      `UPDATE keys SET revoked_at = NULL, enabled = 1, rotated_to = 'key_spun' || printf('%018d', id_number + 1),
         expires_at = CASE WHEN id_number > 8900 THEN 9e15 ELSE 1 END
       FROM (SELECT id AS numbered, CAST(substr(id, 9) AS INTEGER) AS id_number FROM keys WHERE account_id = 'spun')
       WHERE id = numbered AND (id_number <= 8900 OR id_number % 2 = 0 AND id_number <= 8980)`,
    )
    .run();
  await gateway.db
    .prepare(
      "UPDATE keys SET revoked_at = 1 WHERE account_id = 'spun' AND CAST(substr(id, 9) AS INTEGER) > 8981",
    )
    .run();
  expect(await room("spun")).toEqual({ holds: 1, read: expect.toSatisfy((read: number) => read < 300) });
});

/** Whether the account has room for one more key, and the rows that D1 reads for it. */
async function room(account_id: string) {
  const row = { account_id, id: "new", hash: "new", rotated_from: null } as KeyRow;
  const { sql, values } = insertKey(row, Date.now()).guard;
  const { results, meta } = await gateway.db
    .prepare(`SELECT ${sql} AS holds`)
    .bind(...values)
    .all<{ holds: number }>();
  return { holds: results[0]!.holds, read: meta.rows_read };
}

test("an endpoint can be deleted, and one that a key names cannot, in seconds", async () => {
  for (const id of ["free", "named"])
    await gateway.createEndpoint({ id, origin: "https://models.example.com" });
  await gateway.createKey({
    account_id: "over",
    permissions: { inference: { endpoints: { named: "read" } } },
  });
  const began = Date.now();
  expect((await admin("DELETE", "/admin/endpoints/free")).status).toBe(204);
  expect((await admin("DELETE", "/admin/endpoints/named")).json.error.code).toBe("in_use");
  expect(Date.now() - began).toBeLessThan(10_000);
  console.log(`deleting an endpoint among ${MANY} keys: ${Date.now() - began} ms for two`);
});
