import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256Hex } from "../../src/keys/hash.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { createSessions } from "../harness/sessions.ts";

let gateway: TestGateway;
let headers: Record<string, string>;

beforeAll(async () => {
  const sessions = await createSessions();
  gateway = await startTestGateway({ vars: { ...sessions.vars, LEGACY_KEYS: "on" } });
  headers = { ...(await sessions.admin()), "content-type": "application/x-ndjson" };
  await gateway.createAccount("acme");
});
afterAll(() => gateway?.stop());

/** One line: its bytes, and the hash of the key it brings if it is a good one. */
interface Line {
  bytes: Buffer;
  hash: string | null;
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
const bad = (text: string | Buffer): Line => ({ bytes: Buffer.from(text as string), hash: null });

const name = fc.constantFrom("old", "é", "名前", "\u{1F511}", "a b");
/** Few keys, so that some come again; each line says the same of a key. */
const good = fc.tuple(fc.nat({ max: 400 }), name).map(([number, label]): Line => {
  const hash = sha256Hex(`fuzzed-legacy-key-${number}`);
  const record = {
    account_id: "acme",
    name: label,
    sha256: hash,
    graphql: number % 2 === 0 ? "read" : "read_write",
  };
  return { bytes: Buffer.from(JSON.stringify(record)), hash };
});
const text = good.map(({ bytes }) => bytes.toString());

const hostile: fc.Arbitrary<Line> = fc.oneof(
  fc.tuple(text, fc.nat()).map(([one, at]) => bad(one.slice(0, at % one.length || 1))),
  fc
    .tuple(text, fc.nat())
    .map(([one, at]) => bad(`${one.slice(0, at % one.length)}\0${one.slice(at % one.length)}`)),
  fc
    .tuple(text, fc.constantFrom(0xff, 0xc0, 0xfe, 0x80))
    .map(([one, byte]) =>
      bad(Buffer.concat([Buffer.from(one.slice(0, 20)), Buffer.from([byte]), Buffer.from(one.slice(20))])),
    ),
  text.map((one) => bad(`${one.slice(0, -1)},"name":"twice"}`)),
  text.map((one) => bad(`${one.slice(0, -1)},"\\u006eame":"twice"}`)),
  text.map((one) => bad(`${one.slice(0, -1)},"__proto__":{"admin":true}}`)),
  text.map((one) => bad(`${one.slice(0, -1)},"scopes":${"[".repeat(3000)}${"]".repeat(3000)}}`)),
  text.map((one) => bad(`${one.slice(0, -1)},"name2":"${"x".repeat(70_000)}"}`)),
  text.map((one) => bad(`${one}${one}`)),
  text.map((one) => bad(`${one},`)),
  text.map((one) => bad(`\ufeff\ufeff${one}`)),
  text.map((one) => bad(`[${one}]`)),
  text.map((one) => bad(one.replace('"acme"', '"nobody"'))),
  text.map((one) => bad(one.replace('"acme"', '["acme"]'))),
  text.map((one) => bad(one.replace(/"sha256":"[0-9a-f]{8}/, '"sha256":"XYZ'))),
  text.map((one) =>
    bad(
      one
        .replace("old", "\\u202eold\\u0000")
        .replace('"é"', '"\\ud800"')
        .replace("名前", "")
        .replace("a b", "")
        .replace("\u{1F511}", ""),
    ),
  ),
  text.map((one) => bad(`${one.slice(0, -1)},"created_at":"not a time"}`)),
  text.map((one) => bad(`${one.slice(0, -1)},"id":"key_' OR 1=1 --"}`)),
  fc.constant(bad(Buffer.alloc(70_000, 0x5b))),
  fc
    .uint8Array({ minLength: 1, maxLength: 60 })
    .map((bytes) => bad(Buffer.from(bytes.filter((byte) => byte !== 0x0a)))),
  fc.jsonValue().map((value) => bad(JSON.stringify(value))),
);
const blank = fc.constantFrom("", " ", "\t", "\r", "  \r").map(bad);

const lines = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 3, arbitrary: hostile },
    { weight: 1, arbitrary: blank },
  ),
  { minLength: 1, maxLength: 12 },
);
const newline = fc.constantFrom("\n", "\n", "\r\n", "\n\n");
/** Where the body is cut into chunks; empty to send it whole. */
const cuts = fc.array(fc.nat(), { maxLength: 5 });

interface Result {
  line: number;
  status: "created" | "unchanged" | "error";
  id?: string;
}

/** Keys that there are, by hash, and how often the audit log tells of the import of each. */
async function stored(): Promise<Map<string, number>> {
  const { results } = await gateway.db
    .prepare(
      `SELECT hash, (SELECT count(*) FROM audit_log WHERE subject = keys.id AND action = 'api_key.import') AS told
       FROM keys`,
    )
    .all<{ hash: string; told: number }>();
  return new Map(results.map(({ hash, told }) => [hash, told]));
}

test("whatever the lines are, each is taken whole or not at all, and none is a 500", {
  timeout: 60_000,
}, async () => {
  const known = new Set<string>();
  let created = 0;
  await fc.assert(
    fc.asyncProperty(lines, newline, cuts, fc.boolean(), async (given, end, at, last) => {
      const body = Buffer.concat(
        given.flatMap(({ bytes }, i) => (i < given.length - 1 || last ? [bytes, latin1(end)] : [bytes])),
      );
      const bounds = [...new Set([0, ...at.map((one) => one % (body.length + 1)), body.length])].sort(
        (a, b) => a - b,
      );
      const chunks = bounds.slice(1).map((to, i) => body.subarray(bounds[i]!, to));
      const answer = await gateway.call("/admin/keys/import", {
        method: "POST",
        headers,
        body: at.length === 0 ? body : Readable.from(chunks),
      });
      if (body.length === 0) {
        // Of a body that comes in pieces, it shows only at its end that there was none.
        expect(answer.status).toBe(at.length === 0 ? 400 : 200);
        return;
      }
      expect(answer.status).toBe(200);
      const all = answer.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      const { summary } = all.pop() as { summary: Record<string, number> };
      const results = all as Result[];
      const count = (status: Result["status"]) => results.filter((one) => one.status === status).length;
      expect(summary).toEqual({
        created: count("created"),
        unchanged: count("unchanged"),
        failed: count("error"),
      });

      // Which of the given lines each result is about: with an empty line between, every other.
      const step = end === "\n\n" ? 2 : 1;
      const told = new Map(results.map((one) => [one.line, one]));
      expect([...told.keys()]).toEqual([...told.keys()].sort((a, b) => a - b));
      for (const [i, { hash }] of given.entries()) {
        const result = told.get(i * step + 1);
        if (hash === null) expect(result === undefined || result.status === "error").toBe(true);
        else {
          expect(result?.status).toBe(known.has(hash) ? "unchanged" : "created");
          known.add(hash);
        }
      }
      created += count("created");
      // The keys that there are now are the good lines' and no others, each with its one audit row.
      expect([...(await stored())].sort()).toEqual([...known].map((hash) => [hash, 1]).sort());
    }),
    { numRuns: 200 },
  );
  expect(created).toBeGreaterThan(100);
  expect(
    gateway.logs.filter(({ text: log }) => /unexpected exception|import failed|"status":5/.test(log)),
  ).toEqual([]);
});
