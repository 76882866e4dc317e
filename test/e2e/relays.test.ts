import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";

/** LEASE_SECONDS here, in ms. */
const LEASE = 2000;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

let gateway: TestGateway;
let origin: Origin;

beforeAll(async () => {
  [gateway, origin] = await Promise.all([
    startTestGateway({
      vars: { LEASE_SECONDS: `${LEASE / 1000}`, FLUSH_SECONDS: "1", LEDGER_RELAYS: "2", COLO_CACHE: "on" },
    }),
    Origin.start(),
  ]);
  await gateway.createAccount("acme");
  for (const freshness of ["bounded", "strict"] as const) {
    await gateway.createEndpoint({ id: freshness, freshness, protocol: "http", origin: origin.url });
  }
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.stop();
});

describe("with relays and the location's cache", () => {
  it("a revoked key is refused at once where that is strict, and everywhere a lease later", async () => {
    const key = await gateway.createKey({ permissions: { inference: "read_write" } });
    const ask = async (endpoint: string) =>
      (await gateway.call(`/v2/${endpoint}/x`, { headers: key.bearer })).status;
    for (const endpoint of ["bounded", "strict", "bounded"]) expect(await ask(endpoint)).toBe(200);
    await gateway.changeKey(key.id, { revoked_at: Date.now() });
    expect(await ask("strict")).toBe(401);
    await sleep(LEASE);
    expect(await ask("bounded")).toBe(401);
  });

  it("uses reach D1 through the relay, each once", async () => {
    const key = await gateway.createKey({ permissions: { inference: "read_write" } });
    for (let n = 0; n < 25; n += 1) {
      await gateway.call("/v2/bounded/x", { headers: key.bearer });
      await sleep(20);
    }
    const count = async () =>
      (
        await gateway.db
          .prepare("SELECT coalesce(sum(count), 0) AS n FROM key_usage WHERE key_id = ?")
          .bind(key.id)
          .first<{ n: number }>()
      )?.n;
    await expect.poll(count, { timeout: 15_000, interval: 250 }).toBe(25);
    await sleep(1500);
    expect(await count()).toBe(25);
  });
});
