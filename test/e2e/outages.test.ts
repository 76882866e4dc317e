import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyKind } from "../../src/freshness/kinds.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import type { Calls, Service } from "../harness/counting.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { expectRefused } from "../harness/denied.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";

/** LEASE_SECONDS and GRACE_SECONDS here, in ms. */
const LEASE = 1000;
const GRACE = 4000;
/** What the test's own call may be late by on a busy machine, in ms. */
const SLACK = 500;

const SERVICES: Service[] = ["kv", "d1", "ledger"];

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

let root: string;
let gateway: TestGateway;
let origin: Origin;
/** Every cache holds it. */
let known: TestKey;
/** Only D1 holds it. */
let unseen: TestKey;

const ask = (endpoint: string, { bearer }: { bearer: TestKey["bearer"] }) =>
  gateway.call(`/v2/${endpoint}/x`, { headers: bearer });
const stray = () => ({ bearer: { authorization: `Bearer ${gateway.strayKey()}` } });
const away = (...services: Service[]) =>
  Promise.all(services.map((service) => gateway.call(`/switch/${service}/away`)));
const stalled = (service: Service) => gateway.call(`/switch/${service}/stalled`);
const back = () => Promise.all(SERVICES.map((service) => gateway.call(`/switch/${service}/up`)));
const newIsolate = () => gateway.call("/new-isolate");
const calls = async () => (await gateway.call("/calls-so-far")).json as Calls;

/** Asserts that a request is let through: it is answered, and the origin got it. */
async function expectServed(endpoint: string, key: TestKey): Promise<void> {
  const before = origin.requests.length;
  const { status, text } = await ask(endpoint, key);
  expect([endpoint, status, text]).toEqual([endpoint, 200, '{"ok":true}']);
  expect(origin.requests.length).toBe(before + 1);
}

async function expectUnavailable(endpoint: string, key: Pick<TestKey, "bearer">): Promise<void> {
  origin.clear();
  const answer = await ask(endpoint, key);
  expectRefused(answer, 503, "state_unavailable", origin);
  expect(answer.headers["retry-after"]).toBe("1");
}

async function expectInvalid(endpoint: string, key: Pick<TestKey, "bearer">): Promise<void> {
  origin.clear();
  expectRefused(await ask(endpoint, key), 401, "invalid_api_key", origin);
}

/** Writes to D1 behind everybody's back: nothing is fenced. */
const revokeInD1 = ({ id }: TestKey, at: number | null) =>
  gateway.db.prepare("UPDATE keys SET revoked_at = ? WHERE id = ?").bind(at, id).run();

beforeAll(async () => {
  root = countingRoot();
  const vars = { LEASE_SECONDS: `${LEASE / 1000}`, GRACE_SECONDS: `${GRACE / 1000}` };
  [gateway, origin] = await Promise.all([startTestGateway({ root, vars }), Origin.start()]);
  await gateway.createAccount("acme");
  for (const freshness of ["bounded", "strict"] as const) {
    await gateway.createEndpoint({ id: freshness, freshness, protocol: "http", origin: origin.url });
  }
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.stop();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  await back();
  known = await gateway.createKey({ permissions: { inference: "read_write" } });
  unseen = await gateway.createKey({ permissions: { inference: "read_write" } });
  // Whatever lease there is ends, so that what is cached from here on is as of the keys' making.
  await sleep(LEASE + 50);
  for (const endpoint of ["bounded", "strict"]) await expectServed(endpoint, known);
  const name = keyKind(4).cacheName(sha256Hex(known.key));
  await expect.poll(() => gateway.kv.get(name)).not.toBeNull();
  origin.clear();
});

describe("D1 is down, the ledger is up", () => {
  beforeEach(() => away("d1"));

  it("keys that this isolate knows go on, lease after lease, on strict endpoints as well", async () => {
    for (let n = 0; n < 2; n += 1) {
      for (const endpoint of ["bounded", "strict"]) await expectServed(endpoint, known);
      await sleep(LEASE + 50);
    }
  });

  it("keys that only KV knows go on in an isolate that knows nothing", async () => {
    const before = await calls();
    for (const endpoint of ["bounded", "strict"]) {
      await newIsolate();
      await expectServed(endpoint, known);
    }
    expect((await calls()).d1).toBe(before.d1);
  });

  it("other keys are 503, whether or not they exist, and nothing is forwarded", async () => {
    const before = await calls();
    for (const endpoint of ["bounded", "strict"]) {
      await expectUnavailable(endpoint, unseen);
      await expectUnavailable(endpoint, stray());
    }
    expect((await calls()).refused.d1).toBeGreaterThan(before.refused.d1);
  });

  it("a forged key is 401 as ever", async () => {
    await expectInvalid("bounded", {
      bearer: { authorization: `${known.bearer.authorization.slice(0, -6)}000000` },
    });
  });
});

describe("KV is down", () => {
  beforeEach(async () => {
    await away("kv");
    await newIsolate();
  });

  it("answers are right, from D1, and then from memory", async () => {
    const before = await calls();
    for (const endpoint of ["bounded", "strict"]) {
      for (const key of [known, unseen]) await expectServed(endpoint, key);
      await expectInvalid(endpoint, stray());
    }
    const cold = await calls();
    expect(cold.refused.kv).toBeGreaterThan(before.refused.kv);
    expect(cold.d1).toBeGreaterThan(before.d1);
    for (const key of [known, unseen]) await expectServed("bounded", key);
    expect((await calls()).d1).toBe(cold.d1);
  });

  it("and a change is in force a lease later", async () => {
    await expectServed("bounded", known);
    await gateway.changeKey(known.id, { revoked_at: Date.now() });
    await expectInvalid("strict", known);
    await sleep(LEASE + 1);
    await expectInvalid("bounded", known);
    await expectServed("bounded", unseen);
  });
});

describe("the ledger is down", () => {
  beforeEach(() => away("ledger"));

  it("answers are right, from D1, in any isolate", async () => {
    for (const start of [() => sleep(LEASE + 1), newIsolate]) {
      await start();
      const before = await calls();
      for (const endpoint of ["bounded", "strict"]) {
        for (const key of [known, unseen]) await expectServed(endpoint, key);
        await expectInvalid(endpoint, stray());
      }
      const after = await calls();
      expect(after.refused.ledger).toBeGreaterThan(before.refused.ledger);
      expect(after.d1).toBeGreaterThan(before.d1);
    }
  });

  it("what D1 says of a key counts at once, although every cache holds something else", async () => {
    await revokeInD1(known, Date.now());
    await expectInvalid("strict", known);
    await sleep(LEASE + 1);
    for (let n = 0; n < 3; n += 1) {
      await expectInvalid("bounded", known);
      await revokeInD1(known, null);
      await expectServed("bounded", known);
      await revokeInD1(known, Date.now());
    }
    await newIsolate();
    await expectInvalid("bounded", known);
  });
});

describe("ledger and D1 are down", () => {
  it("what is cached serves to the end of grace, then nothing does; back again, all is right from cache", async () => {
    const tiers = new Set<unknown>();
    await expectServed("bounded", known);
    const began = Date.now();
    await away("ledger", "d1");
    const gone = Date.now();
    origin.clear();

    const answers: { startedAt: number; endedAt: number; status: number; retryAfter: string | undefined }[] =
      [];
    let served = 0;
    while (Date.now() - gone < GRACE + LEASE) {
      const startedAt = Date.now();
      const { status, headers } = await ask("bounded", known);
      answers.push({ startedAt, endedAt: Date.now(), status, retryAfter: headers["retry-after"] });
      if (status === 200) served += 1;
      expect(origin.requests.length).toBe(served);
      tiers.add((await gateway.logOf(headers["x-request-id"]!)).tier);
      if (answers.length % 10 === 1) {
        // Not known, or not to be served on what is merely known.
        for (const refused of [
          await ask("bounded", unseen),
          await ask("bounded", stray()),
          await ask("strict", known),
        ]) {
          expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
        }
        expect(origin.requests.length).toBe(served);
      }
      await sleep(50);
    }
    // Grace runs from the last renewal, which a busy isolate made half a lease ago at most.
    const early = answers.filter(({ endedAt }) => endedAt < began + GRACE - LEASE / 2 - SLACK);
    expect(early.length).toBeGreaterThan(20);
    expect(early.filter(({ status }) => status !== 200)).toEqual([]);
    const late = answers.filter(({ startedAt }) => startedAt > gone + GRACE);
    expect(late.length).toBeGreaterThan(3);
    expect(late.filter(({ status, retryAfter }) => status !== 503 || retryAfter !== "1")).toEqual([]);
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([200, 503]);
    expect([...tiers]).toContain("grace");

    await back();
    const before = await calls();
    origin.clear();
    for (let n = 0; n < 5; n += 1) {
      for (const endpoint of ["bounded", "strict"]) await expectServed(endpoint, known);
    }
    const after = await calls();
    expect([after.d1 - before.d1, after.kv - before.kv]).toEqual([0, 0]);
    await expectServed("bounded", unseen);
    await expectInvalid("bounded", stray());
    await gateway.changeKey(known.id, { revoked_at: Date.now() });
    await expectInvalid("strict", known);
    await sleep(LEASE + 1);
    await expectInvalid("bounded", known);
  });

  it("an isolate that has no lease serves nothing, whatever KV holds", async () => {
    await away("ledger", "d1");
    await newIsolate();
    for (const endpoint of ["bounded", "strict"]) await expectUnavailable(endpoint, known);
    await back();
    for (const endpoint of ["bounded", "strict"]) await expectServed(endpoint, known);
  });
});

describe("a service that does not answer is no better than one that refuses", () => {
  it("D1: keys known to the caches go on, others are 503", async () => {
    await stalled("d1");
    for (const endpoint of ["bounded", "strict"]) await expectServed(endpoint, known);
    await expectUnavailable("bounded", unseen);
  });

  it("KV: answers are right, from D1", async () => {
    await stalled("kv");
    await newIsolate();
    await revokeInD1(unseen, Date.now());
    await expectServed("bounded", known);
    await expectInvalid("bounded", unseen);
  });

  it("the ledger: answers are right, from D1", async () => {
    await stalled("ledger");
    await sleep(LEASE + 1);
    await expectServed("bounded", known);
    await revokeInD1(known, Date.now());
    for (const endpoint of ["bounded", "strict"]) await expectInvalid(endpoint, known);
  });
});
