import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";

// Cloudflare Access stands in front and adds its token to each request; the console keeps no session then.

const KEYS = "/console/settings/api-keys";

let gateway: TestGateway;
let team: http.Server;
let header: Record<string, string>;

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k", alg: "RS256" }];
  team = http.createServer((_, response) => response.end(JSON.stringify({ keys }))).listen(0, "127.0.0.1");
  await once(team, "listening");
  const domain = `http://127.0.0.1:${(team.address() as AddressInfo).port}`;
  // No SESSION_SECRETS: Access needs none.
  gateway = await startTestGateway({ vars: { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUDIENCE: "console" } });
  await gateway.createAccount("acme");
  const token = await new SignJWT({ email: "ada@acme.test", account_id: "acme", role: "owner" })
    .setProtectedHeader({ alg: "RS256", kid: "k" })
    .setIssuer(domain)
    .setAudience("console")
    .setSubject("ada")
    .setExpirationTime("5m")
    .sign(privateKey);
  header = { "cf-access-jwt-assertion": token };
});
afterAll(async () => {
  await gateway?.stop();
  team.closeAllConnections();
  team.close();
});

test("whoever Access lets through is signed in, and signs out at Access", async () => {
  const page = await gateway.call(KEYS, { headers: header });
  expect(page.status).toBe(200);
  expect(page.text).toContain("ada@acme.test");
  expect(page.text).toContain('href="/cdn-cgi/access/logout"');
  expect(page.text).not.toContain('action="/console/sign-out"');
  expect(page.headers["set-cookie"]).toBeUndefined();
});

test("forms are checked as they are with a cookie", async () => {
  const page = await gateway.call(`${KEYS}/new`, { headers: header });
  const token = /name="form_token" value="([^"]+)"/.exec(page.text)![1]!;
  const post = (form_token: string, origin: string) =>
    gateway.call("/console/account", {
      method: "POST",
      body: new URLSearchParams({ form_token, account: "acme" }).toString(),
      headers: { ...header, origin, "content-type": "application/x-www-form-urlencoded" },
    });
  expect((await post(token, gateway.url)).status).toBe(303);
  expect((await post(token, "https://evil.test")).status).toBe(403);
  expect((await post("", gateway.url)).status).toBe(403);
});

test("without Access's token the console is closed, and says who can open it", async () => {
  const page = await gateway.call(KEYS);
  expect(page.status).toBe(303);
  expect((await gateway.call(page.headers.location!)).text).toContain("Cloudflare Access signs you in");
});
