import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whereaboutsOf } from "../../src/console/origin.ts";
import { parseConfig } from "../../src/env.ts";
import { readUrl } from "../../src/http/url.ts";
import { countingRoot } from "../harness/counting-root.ts";
import { type ConsoleWorld, setCookies, startConsole } from "./visit.ts";

const KEYS = "/console/settings/api-keys";
const PUBLIC = "https://console.test";

let root: string;
let world: ConsoleWorld;

beforeAll(async () => {
  root = countingRoot();
  world = await startConsole({ root, vars: { PUBLIC_URL: PUBLIC } });
  await world.gateway.createAccount("acme");
});
afterAll(async () => {
  await world?.stop();
  rmSync(root, { recursive: true, force: true });
});

const raw = (line: string, host: string, ...headers: string[]) =>
  world.gateway.raw([`${line} HTTP/1.1`, `Host: ${host}`, ...headers]);

describe("by plain http, under the public name", () => {
  test("a page is to be had by https alone", async () => {
    const { pathname, search } = new URL(await world.link("acme"));
    for (const path of ["/console", `${KEYS}?status=active&q=a%20b`, "/console/sign-in", pathname + search]) {
      const answer = await raw(`GET ${path}`, "console.test");
      expect([answer.status, answer.headers.location, setCookies(answer)]).toEqual([308, PUBLIC + path, []]);
    }
    const head = await raw("HEAD /console", "CONSOLE.test:80");
    expect([head.status, head.headers.location]).toEqual([308, `${PUBLIC}/console`]);
  });

  test("a form is refused, and not sent on", async () => {
    const type = "Content-Type: application/x-www-form-urlencoded";
    const answer = await raw("POST /console/sign-out", "console.test", `Origin: ${PUBLIC}`, type);
    expect([answer.status, answer.headers.location]).toEqual([403, undefined]);
  });
});

test("under a host that there cannot be, nothing is served, and nothing goes wrong", async () => {
  const paths = [
    ...["/console", "/console/sign-in", "/console/sign-in/local?token=a.b.c", "/console/style.css?v=old"],
    ...["/v1/account/api-keys", "/admin/accounts", "/docs", "/v2/web/x"],
  ];
  for (const host of [
    "127.999.0.1",
    "127.0.0.1:99999",
    "127.0.0.256:8787",
    "1.2.3.4.0x5",
    "1.2.3.256.",
    "[:::]",
  ]) {
    for (const path of paths) {
      const answer = await raw(`GET ${path}`, host);
      expect([host, path, answer.status, setCookies(answer)]).toEqual([host, path, 400, []]);
    }
  }
});

describe("where somebody is", () => {
  const at = (url: string, vars: Record<string, string> = {}) => {
    const config = parseConfig({ KEY_TAG_SECRETS: JSON.stringify({ a: "x".repeat(40) }), ...vars });
    const read = readUrl(url, null, []);
    if ("code" in read) throw new Error(read.code);
    return whereaboutsOf(read, config);
  };
  const public_ = { PUBLIC_URL: PUBLIC };

  test.each([
    ["https://gw.test/console", {}, { origin: "https://gw.test" }],
    ["https://GW.test:443/console", {}, { origin: "https://gw.test" }],
    ["https://console.test/console", public_, { origin: PUBLIC }],
    ["http://console.test/console", {}, "plain_http"],
    ["http://console.test/console", public_, { elsewhere: PUBLIC }],
    ["http://console.test/console", { ...public_, TLS_PROXY: "on" }, { origin: PUBLIC }],
    ["http://other.test/console", { ...public_, TLS_PROXY: "on" }, "plain_http"],
    ["http://console.test:8080/console", { ...public_, TLS_PROXY: "on" }, "plain_http"],
    ["http://console.test/console", { PUBLIC_URL: "http://console.test", TLS_PROXY: "on" }, "plain_http"],
    ["http://127.0.0.1:8787/console", public_, { origin: "http://127.0.0.1:8787" }],
    ["http://[::1]:8787/console", {}, { origin: "http://[::1]:8787" }],
    ["http://LOCALHOST/console", {}, { origin: "http://localhost" }],
    ["http://127.0.0.1.evil.test/console", {}, "plain_http"],
  ])("%s with %j", (url, vars, where) => expect(at(url, vars)).toEqual(where));
});

test("while the database is away nobody is let in, nor signed out in appearance", async () => {
  const person = await world.signIn("acme");
  await person.get(KEYS);
  await world.gateway.call("/switch/d1/away");
  try {
    const away = await person.get(KEYS);
    expect([away.status, setCookies(away)]).toEqual([503, []]);
    const out = await person.post("/console/sign-out");
    expect([out.status, setCookies(out)]).toEqual([503, []]);
  } finally {
    await world.gateway.call("/switch/d1/up");
  }
  await person.get(KEYS);
  expect((await person.post("/console/sign-out")).status).toBe(303);
});
