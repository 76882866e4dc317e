import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Calls } from "../harness/counting.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

let root: string;
let gateway: TestGateway;
let origin: Origin;
let key: TestKey;

beforeAll(async () => {
  root = countingRoot();
  // Only the ledger can know the uses when the process dies: no flush is due before.
  [gateway, origin] = await Promise.all([
    startTestGateway({ root, vars: { FLUSH_SECONDS: "6" } }),
    Origin.start(),
  ]);
  await gateway.createAccount("acme");
  await gateway.createEndpoint({ id: "a", protocol: "http", origin: origin.url });
  key = await gateway.createKey({ permissions: { inference: "read_write" } });
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Uses in D1; none while there is no process to say. */
const uses = async () => {
  const answer = await gateway.call("/uses-in-d1").catch(() => null);
  return (answer?.json as { uses: number } | undefined)?.uses ?? 0;
};

it("an isolate that is killed loses at most the uses that were not acknowledged yet (spec 9)", async () => {
  let sent = 0;
  let acknowledged = 0;
  let before = 0;
  const end = Date.now() + 3500;
  while (Date.now() < end) {
    const { status } = await gateway.call("/v2/a/x", { headers: key.bearer });
    expect(status).toBe(200);
    sent += 1;
    before = await uses();
    ({ acknowledged } = (await gateway.call("/calls-so-far")).json as Calls);
  }
  // The ledger holds some, the isolate others, and D1 none.
  expect(acknowledged).toBeGreaterThan(0);
  expect(before).toBe(0);
  process.kill(gateway.workerdPid(), "SIGKILL");

  // The runtime is started anew on the same storage. Nobody uses a key: the ledger is woken by its alarm alone.
  await expect.poll(uses, { timeout: 20_000, interval: 250 }).toBeGreaterThanOrEqual(acknowledged);
  await sleep(1000);
  const kept = await uses();
  console.log(`${sent} uses, ${acknowledged} acknowledged when the process was killed, ${kept} kept`);
  expect(kept).toBeLessThanOrEqual(sent);
}, 60_000);
