import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

const PATH = "/v1/account/api-keys";

let sessions: Sessions;
let gateway: TestGateway;

beforeAll(async () => {
  sessions = await createSessions();
  gateway = await startTestGateway({ vars: { ...sessions.vars, ADMIN_EMAILS: "root@acme.test" } });
  for (const id of ["acme", "other"]) await gateway.createAccount(id);
});
afterAll(() => gateway.stop());

const status = async (headers: Record<string, string>, path = PATH) =>
  (await gateway.call(path, { headers })).status;

describe("Bearer tokens", () => {
  test("a good one opens, whatever the case of the scheme", async () => {
    const { authorization } = await sessions.of("acme");
    expect(await status({ authorization: authorization! })).toBe(200);
    expect(await status({ authorization: authorization!.replace("Bearer", "bEARER") })).toBe(200);
  });

  test("without one, and with an API key in its place, the answer is the same 401", async () => {
    const key = await gateway.createKey();
    for (const headers of [
      {},
      { "x-api-key": key.key },
      key.bearer,
      { authorization: key.key },
      { authorization: "Basic dTpw" },
      { authorization: "Bearer" },
      { authorization: "Bearer a.b.c" },
    ]) {
      const answer = await gateway.call(PATH, { headers });
      expectDenial(answer, 401, "missing_access_token");
      expect(answer.json.detail).toBe("Missing access token");
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="postern"');
    }
  });

  test("every check counts", async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { account_id: "acme", role: "owner" };
    const wrong: Record<string, string> = {
      issuer: await sessions.sign({ ...claims, iss: "https://elsewhere.test/" }),
      "no issuer": await sessions.sign({ ...claims, iss: undefined }),
      audience: await sessions.sign({ ...claims, aud: "another" }),
      "no audience": await sessions.sign({ ...claims, aud: undefined }),
      expired: await sessions.sign({ ...claims, exp: now - 60 }),
      "no expiry": await sessions.sign({ ...claims, exp: undefined }),
      "not yet": await sessions.sign({ ...claims, nbf: now + 600 }),
      "no subject": await sessions.sign({ ...claims, sub: undefined }),
      "unknown key": await sessions.sign(claims, { kid: "two" }),
    };
    const { privateKey } = await generateKeyPair("ES256");
    wrong.signature = await new SignJWT({
      ...claims,
      iss: "https://issuer.test/",
      aud: "postern-test",
      exp: now + 60,
    })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setSubject("u")
      .sign(privateKey);
    wrong["alg none"] = new UnsecuredJWT({
      ...claims,
      iss: "https://issuer.test/",
      aud: "postern-test",
      sub: "u",
      exp: now + 60,
    }).encode();
    wrong["alg HS256 with the public key"] = await new SignJWT({ ...claims, exp: now + 60 })
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .setIssuer("https://issuer.test/")
      .setAudience("postern-test")
      .setSubject("u")
      .sign(new TextEncoder().encode(sessions.vars.SESSION_JWKS));
    for (const [name, token] of Object.entries(wrong)) {
      expect([name, await status({ authorization: `Bearer ${token}` })]).toEqual([name, 401]);
    }
    const good = await sessions.sign(claims);
    expect(await status({ authorization: `Bearer ${good}, Bearer ${good}` })).toBe(401);
  });

  test("a Cloudflare Access header means nothing where Access is not in use", async () => {
    const token = await sessions.sign({ account_id: "acme", role: "owner" });
    expect(await status({ "cf-access-jwt-assertion": token })).toBe(401);
  });
});

describe("accounts and roles", () => {
  test("one account is chosen by itself, several by the header, and others are forbidden", async () => {
    const one = await sessions.of("acme");
    const two = await sessions.of(["acme", "other"]);
    expect(await status(one)).toBe(200);
    expectDenial(await gateway.call(PATH, { headers: two }), 400, "account_required");
    expect(await status({ ...two, "x-postern-account-id": "other" })).toBe(200);
    const foreign = await gateway.call(PATH, { headers: { ...one, "x-postern-account-id": "other" } });
    expectDenial(foreign, 403, "forbidden");
    for (const odd of ["", "acme, acme", "ACME", "__proto__"]) {
      expect(await status({ ...one, "x-postern-account-id": odd })).toBe(403);
    }
  });

  test("roles that nobody knows open nothing; no role at all is the least", async () => {
    expect(await status(await sessions.of("acme", "billing"))).toBe(403);
    expect(await status(await sessions.of("acme", []))).toBe(200);
    const viewer = as(gateway, await sessions.of("acme", []));
    expectDenial(await viewer("POST", PATH, { name: "n", scopes: { all: true } }), 403, "forbidden");
    const highest = as(gateway, await sessions.of("acme", ["viewer", "owner"]));
    expect((await highest("POST", PATH, { name: "n", scopes: { all: true } })).status).toBe(201);
  });

  test("a session without any account, and an account that does not exist, are forbidden", async () => {
    expect(await status(await sessions.admin())).toBe(403);
    expect(await status(await sessions.of("nowhere"))).toBe(403);
    expect(await status(await sessions.of("../acme"))).toBe(403);
  });

  test("the admin role is a claim, a member's, or an address in ADMIN_EMAILS; being an owner is not enough", async () => {
    const open = async (claims: Record<string, unknown>) =>
      status({ authorization: `Bearer ${await sessions.sign(claims)}` }, "/admin/accounts");
    expect(await open({ role: "admin" })).toBe(200);
    expect(await open({ role: ["viewer", "admin"], account_id: "acme" })).toBe(200);
    expect(await open({ email: "Root@Acme.test" })).toBe(200);
    expect(await open({ email: "root@acme.test", email_verified: true })).toBe(200);
    expect(await open({ email: "root@acme.test", email_verified: false })).toBe(403);
    expect(await open({ email: "root@acme.test", email_verified: "false" })).toBe(403);
    expect(await open({ account_id: "acme", role: "owner" })).toBe(403);
    expect(await open({ admin: true })).toBe(403);
  });

  test("the members table fills in for a token that names no account", async () => {
    const admin = as(gateway, await sessions.admin());
    const put = (accounts: object[], more = {}) =>
      admin("PUT", "/admin/members/Ann%40acme.test", { accounts, ...more });
    expect((await put([{ account_id: "acme", role: "viewer" }])).status).toBe(201);
    const ann = async (claims = {}) => ({
      authorization: `Bearer ${await sessions.sign({ email: "ann@acme.test", ...claims })}`,
    });
    expect(await status(await ann())).toBe(200);
    expect(await status(await ann({ email_verified: false }))).toBe(403);
    expectDenial(
      await as(gateway, await ann())("POST", PATH, { name: "n", scopes: { all: true } }),
      403,
      "forbidden",
    );
    // Accounts in the token win.
    expect(await status({ ...(await ann({ account_id: "other" })), "x-postern-account-id": "acme" })).toBe(
      403,
    );

    await put([
      { account_id: "acme", role: "owner" },
      { account_id: "other", role: "viewer" },
    ]);
    expect(await status(await ann())).toBe(400);
    expect(await status({ ...(await ann()), "x-postern-account-id": "acme" })).toBe(200);
    expect(await status(await ann(), "/admin/accounts")).toBe(403);
    await put([], { admin: true });
    expect(await status(await ann(), "/admin/accounts")).toBe(200);
    await admin("DELETE", "/admin/members/ann%40acme.test");
    expect(await status(await ann(), "/admin/accounts")).toBe(403);
  });
});

test("a subject that would disguise itself, or is longer than OpenID Connect lets it be, opens nothing", async () => {
  for (const sub of ["a\u202eb", "a\nb", "a\u2028b", "x".repeat(256)]) {
    expect([sub, await status(await sessions.of("acme", "owner", { sub }))]).toEqual([sub, 401]);
  }
  for (const sub of ["x".repeat(255), "auth0|Zoë Ä"]) {
    expect([sub, await status(await sessions.of("acme", "owner", { sub }))]).toEqual([sub, 200]);
  }
});

describe("configuration", () => {
  test.each(["SESSION_ISSUER", "SESSION_AUDIENCE", "SESSION_JWKS"])(
    "without %s nobody gets in",
    async (name) => {
      const lame = await startTestGateway({ vars: { ...sessions.vars, [name]: "" } });
      try {
        for (const claims of [{}, { iss: undefined }, { aud: undefined }]) {
          const token = await sessions.sign({ account_id: "acme", role: ["owner", "admin"], ...claims });
          const answer = await lame.call("/admin/accounts", {
            headers: { authorization: `Bearer ${token}` },
          });
          expectDenial(answer, 401, "missing_access_token");
        }
        expect(lame.logs.filter(({ text }) => text.includes("not configured"))[0]?.text).toContain(name);
      } finally {
        await lame.stop();
      }
    },
  );

  test("key sets are fetched; while they cannot be, the answer is 503; Access tokens carry an address", async () => {
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "r", alg: "RS256" };
    let up = false;
    const issuer = http.createServer((request, response) => {
      const known = request.url === "/cdn-cgi/access/certs" || request.url === "/jwks";
      response.writeHead(up && known ? 200 : 500, { "content-type": "application/json" });
      response.end(JSON.stringify({ keys: [jwk], public_certs: [] }));
    });
    await new Promise<void>((done) => issuer.listen(0, "127.0.0.1", done));
    const origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    const remote = await startTestGateway({
      vars: {
        SESSION_ISSUER: origin,
        SESSION_AUDIENCE: "console",
        SESSION_JWKS_URL: `${origin}/jwks`,
        ACCESS_TEAM_DOMAIN: origin,
        ACCESS_AUDIENCE: "tag",
        ADMIN_EMAILS: "root@acme.test",
      },
    });
    try {
      const sign = (aud: string, claims = {}) =>
        new SignJWT({ email: "root@acme.test", ...claims })
          .setProtectedHeader({ alg: "RS256", kid: "r" })
          .setIssuer(origin)
          .setAudience(aud)
          .setSubject("u")
          .setExpirationTime("1h")
          .sign(privateKey);
      const open = (headers: Record<string, string>) => remote.call("/admin/accounts", { headers });
      const bearer = { authorization: `Bearer ${await sign("console")}` };
      const access = { "cf-access-jwt-assertion": await sign("tag") };
      expectDenial(await open(bearer), 503, "state_unavailable");
      expectDenial(await open(access), 503, "state_unavailable");
      up = true;
      expect((await open(bearer)).status).toBe(200);
      expect((await open(access)).status).toBe(200);
      // Each way has its own audience; and of two ways the first alone decides.
      expect((await open({ authorization: `Bearer ${await sign("tag")}` })).status).toBe(401);
      expect((await open({ "cf-access-jwt-assertion": await sign("console") })).status).toBe(401);
      expect((await open({ ...access, authorization: "Bearer x.y.z" })).status).toBe(401);
    } finally {
      await remote.stop();
      issuer.closeAllConnections();
      issuer.close();
    }
  });
});
