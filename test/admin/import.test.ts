import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importKeys } from "../../src/admin/import-keys.ts";
import type { Env } from "../../src/env.ts";
import { isolateOf } from "../../src/isolate.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { readEndpoint } from "../../src/store/endpoints.ts";
import { commitChange } from "../../src/store/write.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import type { Call } from "../harness/http.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

const PATH = "/admin/keys/import";
const TYPE = { "content-type": "application/x-ndjson" };

let sessions: Sessions;
let gateway: TestGateway;
let origin: Origin;
let admin: ReturnType<typeof as>;
let owner: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  [gateway, origin] = await Promise.all([
    startTestGateway({ vars: { ...sessions.vars, LEGACY_KEYS: "on" } }),
    Origin.start(),
  ]);
  for (const id of ["acme", "other"]) await gateway.createAccount(id, { active_key_limit: 1 });
  await gateway.createEndpoint({ id: "mine", account_id: "acme", origin: origin.url });
  admin = as(gateway, await sessions.admin({ email: "root@acme.test" }));
  owner = as(gateway, await sessions.of("acme"));
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

interface Result {
  line: number;
  status: string;
  id?: string;
  error?: { code: string; message: string };
}

/** Imports lines, and splits the answer into its results and its summary. */
async function importLines(lines: (object | string)[]) {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  return importBody(text);
}
async function importBody(body: NonNullable<Call["body"]>) {
  const answer = await admin("POST", PATH, undefined, { body, headers: TYPE });
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/x-ndjson");
  const all = answer.text.split("\n").filter((line) => line !== "");
  const { summary } = JSON.parse(all.pop()!);
  return { results: all.map((line): Result => JSON.parse(line)), summary };
}

const legacy = (secret: string, more: object = {}) => ({
  account_id: "acme",
  name: "old",
  sha256: sha256Hex(secret),
  graphql: "read_write",
  ...more,
});

describe("importing", () => {
  test("legacy and native keys work as they did, by hash and as they are, past the limit", async () => {
    const native = gateway.strayKey();
    const off = gateway.strayKey();
    const { results, summary } = await importLines([
      legacy("OLDKEY1OLDKEY1OLDKEY1", { prefix: "OLDKEY1", created_at: "2020-01-31T12:00:00Z" }),
      { account_id: "acme", name: "plain", key: "rpa_PLAINPLAINPLAIN", graphql: "read" },
      { account_id: "acme", name: "native", key: native, scopes: ["inference:mine:read"] },
      { account_id: "acme", name: "off", sha256: sha256Hex(off), scopes: { all: true }, enabled: false },
      legacy("OLDKEY2OLDKEY2OLDKEY2", { expires_at: "2021-01-31T12:00:00Z" }),
    ]);
    expect(summary).toEqual({ created: 5, unchanged: 0, failed: 0 });
    expect(results.map(({ line, status }) => [line, status])).toEqual(
      [1, 2, 3, 4, 5].map((n) => [n, "created"]),
    );

    const status = async (key: string) =>
      (await gateway.call("/v2/mine", { headers: { "x-api-key": key } })).status;
    expect(await status("OLDKEY1OLDKEY1OLDKEY1")).toBe(200);
    expect(await status("rpa_PLAINPLAINPLAIN")).toBe(200);
    expect(await status(native)).toBe(200);
    expect(await status(off)).toBe(401);
    expect(await status("OLDKEY2OLDKEY2OLDKEY2")).toBe(401);

    const shown = await Promise.all(
      results.map(async ({ id }) => (await owner("GET", `/v1/account/api-keys/${id}`)).json),
    );
    expect(shown[0]).toMatchObject({
      legacy: true,
      permission: "legacy",
      prefix: "OLDKEY1",
      created_at: "2020-01-31T12:00:00.000Z",
      created_by: "root@acme.test",
    });
    expect(shown[1]).toMatchObject({ prefix: "rpa_PL", permission: "legacy" });
    expect(shown[2]).toMatchObject({
      legacy: false,
      scopes: ["inference:mine:read"],
      prefix: native.slice(0, 14),
    });
    expect(shown[3]).toMatchObject({ status: "disabled", permission: "read_write" });
    expect(shown[4]).toMatchObject({ status: "expired" });
    for (const { id } of results) {
      const { results: rows } = await gateway.db
        .prepare(
          "SELECT action, actor, account_id, after FROM audit_log WHERE subject = ? AND account_id IS NOT NULL",
        )
        .bind(id)
        .all();
      expect(rows).toMatchObject([{ action: "api_key.import", actor: "root@acme.test", account_id: "acme" }]);
    }
  });

  test("again changes nothing, whatever the lines say by then", async () => {
    const lines = [
      legacy("AGAIN1AGAIN1AGAIN1"),
      legacy("AGAIN2AGAIN2AGAIN2", { expires_at: "2020-01-01T00:00:00Z" }),
    ];
    const first = await importLines(lines);
    const count = async () =>
      (await gateway.db.prepare("SELECT count(*) AS n FROM audit_log").first("n")) as number;
    const audited = await count();
    const second = await importLines(lines.map((line) => ({ ...line, name: "renamed", enabled: false })));
    expect(second.summary).toEqual({ created: 0, unchanged: 2, failed: 0 });
    expect(second.results.map(({ id }) => id)).toEqual(first.results.map(({ id }) => id));
    expect(await count()).toBe(audited);
    const { json } = await owner("GET", `/v1/account/api-keys/${first.results[0]!.id}`);
    expect(json).toMatchObject({ name: "old", enabled: true });
  });

  test("twice at once makes each key once", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => legacy(`RACE${i}RACERACERACERACE`));
    const [one, two] = await Promise.all([importLines(lines), importLines(lines)]);
    expect(one.summary.created + two.summary.created).toBe(50);
    expect(one.summary.unchanged + two.summary.unchanged).toBe(50);
    expect(one.results.map(({ id }) => id)).toEqual(two.results.map(({ id }) => id));
  });

  test("an endpoint that goes between the look and the write fails the lines that name it alone", async () => {
    await gateway.createEndpoint({ id: "going", account_id: "acme", origin: origin.url });
    const env = {
      ...sessions.vars,
      KEY_TAG_SECRETS: JSON.stringify({ a: "a".repeat(43) }),
      DB: gateway.db,
    } as unknown as Env;
    const world = {
      shards: 1,
      async open() {
        if (await readEndpoint(gateway.db, "going")) await gateway.deleteEndpoint("going");
      },
      close: async () => {},
      commit: commitChange.bind(null, gateway.db),
      background: () => {},
    };
    const operator = { env, isolate: isolateOf(env), now: Date.now(), actor: "test", address: null, world };
    const lines = ["going", "mine"].map((id) => ({
      account_id: "acme",
      name: id,
      sha256: sha256Hex(`in between ${id}`),
      scopes: [`inference:${id}:read`],
    }));
    const results = [];
    const body = new Blob([lines.map((line) => JSON.stringify(line)).join("\n")]).stream();
    for await (const result of importKeys(operator, body)) results.push(result);
    expect(results).toMatchObject([
      { line: 1, status: "error", error: { code: "invalid_request", message: "Unknown endpoint: going" } },
      { line: 2, status: "created" },
      { summary: { created: 1, unchanged: 0, failed: 1 } },
    ]);
  });

  test("a line that is wrong fails alone, and says why", async () => {
    const taken = (await importLines([legacy("TAKENTAKENTAKEN")])).results[0]!.id!;
    const good = { account_id: "acme", name: "n", graphql: "read", sha256: "ab".repeat(32) };
    const { sha256: _, ...keyless } = good;
    const { graphql: __, ...scoped } = good;
    const wrong: [object | string, string, string][] = [
      ["{", "invalid_request", "The line is not JSON: line 1, column 2"],
      ["[]", "invalid_request", "The line must be an object"],
      ['{"name":"a","name":"b"}', "invalid_request", "The line is not JSON"],
      [{ ...good, name: "" }, "invalid_request", "name must be 1 to 64 characters"],
      [{ ...good, color: "red" }, "invalid_request", "Unknown member: color"],
      [{ ...good, account_id: "nowhere" }, "invalid_request", "Unknown account: nowhere"],
      [{ ...good, sha256: "abc" }, "invalid_request", "sha256 must be 64 hexadecimal digits"],
      [{ ...good, key: "both" }, "invalid_request", "One of sha256 and key is required"],
      [keyless, "invalid_request", "One of sha256 and key is required"],
      [{ ...good, graphql: "none" }, "invalid_request", 'graphql must be "read" or "read_write"'],
      [
        scoped,
        "invalid_request",
        "One of graphql (for a legacy key) and scopes (for a native key) is required",
      ],
      [{ ...good, scopes: { all: true } }, "invalid_request", "One of graphql"],
      [{ ...scoped, scopes: {} }, "invalid_request", "At least one explicit scope is required"],
      [{ ...scoped, scopes: ["inference:nowhere:read"] }, "invalid_request", "Unknown endpoint: nowhere"],
      [{ ...good, environment: "test" }, "invalid_request", "A legacy key has no test environment"],
      [
        { ...good, created_at: "2999-01-01T00:00:00Z" },
        "invalid_request",
        "created_at must not be in the future",
      ],
      [{ ...good, expires_at: "soon" }, "invalid_request", "expires_at must be an RFC 3339 date-time"],
      [
        { ...keyless, key: `pst_live_${"a".repeat(47)}` },
        "invalid_request",
        "key has the form of a native key",
      ],
      [{ ...keyless, key: gateway.strayKey() }, "invalid_request", "A native key needs scopes"],
      [
        { ...good, sha256: sha256Hex("tiny"), prefix: "tiny" },
        "invalid_request",
        "prefix must not be the whole key",
      ],
      [
        { ...keyless, key: "PREFIXPREFIX", prefix: "PREFIXPRE" },
        "invalid_request",
        "prefix must not be more than half of the key",
      ],
      [{ ...keyless, key: "NAMENAME", name: "my NAMENAME" }, "invalid_request", "name must not hold the key"],
      [{ ...good, sha256: sha256Hex("tiny"), name: "tiny" }, "invalid_request", "name must not hold the key"],
      [
        { ...keyless, key: "COMMA,COMMA" },
        "invalid_request",
        "key must be printable ASCII without spaces and commas",
      ],
      [{ ...good, sha256: "cd".repeat(32), id: taken }, "conflict", `The id ${taken} is another key's`],
      [
        { ...legacy("TAKENTAKENTAKEN"), account_id: "other" },
        "conflict",
        "This key belongs to another account",
      ],
      ["x".repeat(70_000), "invalid_request", "The line is longer than 65536 bytes"],
    ];
    const { results, summary } = await importLines([...wrong.map(([line]) => line), "", good]);
    expect(summary).toEqual({ created: 1, unchanged: 0, failed: wrong.length });
    for (const [i, [, code, message]] of wrong.entries()) {
      expect(results[i]).toMatchObject({ line: i + 1, status: "error", error: { code } });
      expect(results[i]!.error!.message.slice(0, message.length)).toBe(message);
    }
    // The empty line counts, and is left out.
    expect(results.at(-1)).toMatchObject({ line: wrong.length + 2, status: "created" });
    expect(JSON.stringify(results)).not.toContain("abababab");
  });

  test("is a stream: answers come while lines are still to be sent, and line breaks fall anywhere", async () => {
    const text = Array.from(
      { length: 5000 },
      (_, i) => `${JSON.stringify(legacy(`STREAM${i}STREAMSTREAM`))}\r\n`,
    ).join("");
    const { summary } = await importBody(
      Readable.from(
        (async function* () {
          for (let at = 0; at < text.length; at += 1009) yield Buffer.from(text.slice(at, at + 1009));
        })(),
      ),
    );
    expect(summary).toEqual({ created: 5000, unchanged: 0, failed: 0 });

    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    const body = Readable.from(
      (async function* () {
        yield Buffer.from(text.slice(0, text.length / 2));
        await held;
        yield Buffer.from(text.slice(text.length / 2));
      })(),
    );
    const answer = await gateway.open(PATH, {
      method: "POST",
      body,
      headers: { ...TYPE, ...(await sessions.admin()) },
    });
    let received = "";
    for await (const chunk of answer.body) {
      received += chunk;
      if (received.includes('"line":2000')) release();
    }
    expect(received).toContain('{"summary":{"created":0,"unchanged":5000,"failed":0}}');
  });

  test("bytes that are not UTF-8 fail their line alone; the last line needs no end", async () => {
    const good = JSON.stringify(legacy("UTF8UTF8UTF8"));
    const body = Buffer.concat([Buffer.from('{"name":"\xff"}\n', "latin1"), Buffer.from(good)]);
    const { results } = await importBody(body);
    expect(results).toMatchObject([
      { line: 1, status: "error", error: { message: "The line is not UTF-8" } },
      { line: 2, status: "created" },
    ]);
  });

  test("begins with a byte order mark, as exports of Windows do, one after the other, or without", async () => {
    const line = (secret: string) => `\u{feff}${JSON.stringify(legacy(secret))}\r\n`;
    const { results } = await importBody(line("MARKMARKMARK") + line("TWICETWICE"));
    expect(results.map(({ status }) => status)).toEqual(["created", "created"]);
  });

  test("shows no other key as a name", async () => {
    const name = gateway.strayKey();
    const { results } = await importLines([legacy("NAMEDNAMEDNAMED", { name: `x ${name}` })]);
    expect(results[0]?.status).toBe("error");
  });

  test("needs its content type; nothing at all is an empty summary", async () => {
    const headers = await sessions.admin();
    const wrong = await gateway.call(PATH, { method: "POST", headers, body: {} });
    expectDenial(wrong, 415, "unsupported_media_type");
    expect((await importBody("\n\n")).summary).toEqual({ created: 0, unchanged: 0, failed: 0 });
  });
});
