import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Calls } from "../harness/counting.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";

let root: string;
let gateway: TestGateway;
beforeAll(async () => {
  root = countingRoot();
  gateway = await startTestGateway({ root });
});
afterAll(async () => {
  await gateway?.stop();
  rmSync(root, { recursive: true, force: true });
});

const SERVICES = ["kv", "d1", "ledger"] as const;
const calls = async () => (await gateway.call("/calls-so-far")).json as Calls;

/** What a new isolate finds while these services are away. */
async function readyWithout(...away: (typeof SERVICES)[number][]) {
  await gateway.call("/new-isolate");
  for (const service of away) await gateway.call(`/switch/${service}/away`);
  const { status, json } = await gateway.call("/healthz?ready");
  for (const service of SERVICES) await gateway.call(`/switch/${service}/up`);
  return [status, json.status, SERVICES.filter((service) => json.services[service] === "away")];
}

it("says what answers, and is 503 only where no key can be decided", async () => {
  expect(await readyWithout()).toEqual([200, "ready", []]);
  expect(await readyWithout("ledger")).toEqual([200, "degraded", ["ledger"]]);
  expect(await readyWithout("d1")).toEqual([200, "degraded", ["d1"]]);
  expect(await readyWithout("kv")).toEqual([200, "degraded", ["kv"]]);
  expect(await readyWithout("d1", "ledger")).toEqual([503, "unavailable", ["d1", "ledger"]]);
});

it("asks once, however often it is asked; without ?ready, never", async () => {
  await gateway.call("/new-isolate");
  const before = await calls();
  await gateway.call("/healthz");
  expect(await calls()).toEqual(before);
  for (let i = 0; i < 20; i++) await gateway.call("/healthz?ready");
  const after = await calls();
  for (const service of SERVICES) expect(after[service] - before[service], service).toBe(1);
});
