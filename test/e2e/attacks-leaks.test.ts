import { expect, test } from "vitest";
import { startTestGateway } from "../harness/gateway.ts";
import { LeakFinder, secretsIn } from "../harness/leaks.ts";

// Every gateway that a test starts is searched for secrets when it stops: its log lines, and the files of D1,
// KV and the ledger. Here, that the search finds what it is for.

test("a secret that reached D1 is found when the gateway stops", async () => {
  const gateway = await startTestGateway();
  const [inD1, inKv] = [gateway.strayKey(), gateway.strayKey()];
  await gateway.createAccount("acme", { name: `my ${inD1}` });
  await gateway.kv.put("cached", `{"key":"${inKv}"}`);
  await expect(gateway.stop()).rejects.toThrow(/^Secrets are stored in (?=.*\/d1\/)(?=.*\/kv\/)/);
});

test("a secret in a log line is found", async () => {
  const gateway = await startTestGateway();
  gateway.logs.push({ level: "log", text: `{"url":"/?api_key=${gateway.strayKey()}"}` });
  await expect(gateway.stop()).rejects.toThrow("1 log lines hold a secret");
});

test("one that was only shown by an answer, or presented in a header, counts as well", async () => {
  const gateway = await startTestGateway();
  const [key] = [gateway.strayKey()];
  gateway.secrets.length = 0;
  await gateway.call("/v1/key", { headers: { authorization: `Bearer ${key}` } });
  expect(gateway.secrets).toContain(key);
  await gateway.stop();
});

test("whatever stands around it, and whichever kind it is", () => {
  const key = `rpa_live_a${"Zz09".repeat(11)}00`;
  const token = `eyJhbGciOiJFUzI1NiJ9.${"e".repeat(300)}.${"s".repeat(86)}`;
  expect(secretsIn(`{"a":"${key}","b":"${token}"}`)).toEqual([key, token]);
  const finder = new LeakFinder([key, token, "OLDKEYOLDKEYOLDKEY"]);
  for (const secret of [key, token, "OLDKEYOLDKEYOLDKEY"]) {
    expect(finder.isIn(Buffer.from(`\x00acme${secret}more\xff`, "latin1"))).toBe(true);
    expect(finder.isIn(Buffer.from(`\x00acme${secret.slice(0, -2)}`, "latin1"))).toBe(false);
  }
});
