import { randomBytes } from "node:crypto";
import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTagSecrets } from "../../src/keys/tag.ts";
import type { ConsoleSession } from "../../src/session/console-session.ts";
import { type Purpose, signValue } from "../../src/session/signed.ts";
import { expectDenial } from "../harness/denied.ts";
import { type ConsoleWorld, Person, setCookies, startConsole } from "./visit.ts";

const KEYS = "/console/settings/api-keys";
const HOUR = 3_600_000;

const secret = () => randomBytes(36).toString("base64url");
const OLD = secret();
const NEW = secret();

let world: ConsoleWorld;

beforeAll(async () => {
  // `b` came after `a`: it signs, and `a` goes on being believed.
  world = await startConsole({ secrets: { SESSION_SECRETS: JSON.stringify({ a: OLD, b: NEW }) } });
  for (const id of ["acme", "other"]) await world.gateway.createAccount(id);
});
afterAll(() => world.stop());

/** A session as the gateway would sign it, unless told otherwise. */
function session(change: Partial<ConsoleSession> = {}): ConsoleSession {
  const now = Date.now();
  const claims = { sub: "u1", name: "Ada", account_id: "acme", role: "owner" };
  return { sid: "s1", since: now, until: now + 12 * HOUR, claims, ...change };
}

interface Signed {
  secrets?: object;
  purpose?: Purpose;
  value?: object;
  lifetime?: number;
  at?: number;
  host?: string;
}

const sign = ({
  secrets = { b: NEW },
  purpose = "session",
  value = session(),
  lifetime = 3600,
  at,
  host = new URL(world.gateway.url).host,
}: Signed = {}) =>
  signValue(
    parseTagSecrets(JSON.stringify(secrets)),
    { purpose, host },
    { ...value },
    lifetime,
    at ?? Date.now(),
  );

/** What the console answers to somebody with this session cookie. */
function visit(token: string, path = KEYS) {
  return world.gateway.call(path, { headers: { cookie: `postern_session=${token}` } });
}

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString());
const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());

describe("the session cookie", () => {
  test("is out of reach of scripts and other sites, short-lived, and names no domain", async () => {
    const exp = Math.floor(Date.now() / 1000) + 7200;
    const { pathname, search } = new URL(await world.link("acme", "owner", { exp }));
    const answer = await world.gateway.call(pathname + search);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe("/console");
    // The address with the token in it is told to nobody.
    expect(answer.headers["referrer-policy"]).toBe("no-referrer");
    const [cookie, ...more] = setCookies(answer);
    expect(more).toEqual([]);
    const [pair, ...attributes] = cookie!.split("; ");
    expect(attributes.sort()).toEqual(["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
    expect(headerOf(pair!.slice("postern_session=".length))).toEqual({ alg: "HS256", kid: "b" });
  });

  test("ends with the token it was exchanged for", async () => {
    const exp = Math.floor(Date.now() / 1000) + 120;
    const { pathname, search } = new URL(await world.link("acme", "owner", { exp }));
    const [cookie] = setCookies(await world.gateway.call(pathname + search));
    const age = Number(/Max-Age=(\d+)/.exec(cookie!)![1]);
    expect(age).toBeGreaterThan(100);
    expect(age).toBeLessThanOrEqual(120);
  });

  test("holds no more of the token than the console needs", async () => {
    const person = await world.signIn("acme", "owner", { phone: "555", email: "ada@acme.test" });
    const { value } = payloadOf(person.cookies.get("postern_session")!);
    expect(value.claims).toEqual({
      sub: "user-1",
      email: "ada@acme.test",
      account_id: "acme",
      role: "owner",
    });
  });

  test("is taken by the console, and by no other door", async () => {
    const token = await sign();
    expect((await visit(token)).status).toBe(200);
    for (const path of [
      "/v1/account/api-keys",
      "/v1/account/scopes",
      "/admin/accounts",
      "/admin/audit-log",
    ]) {
      expectDenial(await visit(token, path), 401, "missing_access_token");
    }
    const kubeconfig = "/v1/kubernetes/namespaces/8f14e45f-ceea-467f-a8c8-0f3b3c5d1c11/kubeconfig";
    expect((await visit(token, kubeconfig)).status).toBe(401);
  });

  test("that is not ours, not a session, or not in time opens nothing", async () => {
    const good = await sign();
    const [head, body, signature] = good.split(".") as [string, string, string];
    const other = payloadOf(good);
    other.value.claims.account_id = "other";
    const bodyOf = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Date.now();
    const wrong: Record<string, string> = {
      empty: "",
      garbage: "x.y.z",
      "another account put in": `${head}.${bodyOf(other)}.${signature}`,
      "half a signature": `${head}.${body}.${signature.slice(0, -10)}`,
      "no signature": new UnsecuredJWT(payloadOf(good)).encode(),
      "another secret under a known letter": await sign({ secrets: { b: secret() } }),
      "an unknown letter": await sign({ secrets: { c: NEW } }),
      "another gateway's": await sign({ host: "console.test" }),
      "another port's": await sign({ host: "127.0.0.1:1" }),
      "a notice": await sign({ purpose: "notice" }),
      "a pending sign-in": await sign({ purpose: "sign-in" }),
      "idle for too long": await sign({ at: now - 2 * HOUR }),
      "older than twelve hours": await sign({ value: session({ until: now - 1000 }) }),
      "a bearer token": await world.sessions.sign({ account_id: "acme", role: "owner" }),
    };
    for (const [name, token] of Object.entries(wrong)) {
      const answer = await visit(token);
      expect([name, answer.status, answer.headers.location]).toEqual([
        name,
        303,
        `/console/sign-in?return_to=${encodeURIComponent(KEYS)}`,
      ]);
    }
    // Two of them: somebody else set one.
    const twice = { cookie: `postern_session=${good}; postern_session=${good}` };
    expect((await world.gateway.call(KEYS, { headers: twice })).status).toBe(303);
    expect((await visit(good)).status).toBe(200);
  });

  test("signed with a secret that has been rotated away from still holds", async () => {
    expect((await visit(await sign({ secrets: { a: OLD } }))).status).toBe(200);
  });

  test("so does a form that was open while the secret was rotated", async () => {
    const secrets = (map: object) => ({ secrets: { SESSION_SECRETS: JSON.stringify(map) } });
    const before = await startConsole(secrets({ a: OLD }));
    let formToken = "";
    try {
      await before.gateway.createAccount("acme");
      const host = new URL(before.gateway.url).host;
      const cookie = `postern_session=${await sign({ secrets: { a: OLD }, host })}`;
      const page = await before.gateway.call(KEYS, { headers: { cookie } });
      formToken = /name="form_token" value="([^"]+)"/.exec(page.text)![1]!;
    } finally {
      await before.stop();
    }
    const person = new Person(world.gateway);
    person.cookies.set("postern_session", await sign({ secrets: { a: OLD } }));
    const posted = await person.post("/console/account", { form_token: formToken, account: "acme" });
    expect(posted.status).toBe(303);
  });

  test("is renewed by a visit once it is some minutes old, never past its end", async () => {
    const fresh = await visit(await sign());
    expect(setCookies(fresh)).toEqual([]);

    const at = Date.now() - 600_000;
    const value = session({ since: at, until: Date.now() + 100_000 });
    const [renewed] = setCookies(await visit(await sign({ at, value, secrets: { a: OLD } })));
    const [, token, age] = /^postern_session=([^;]+);.*Max-Age=(\d+)/.exec(renewed!)!;
    expect(payloadOf(token!).value).toEqual(value);
    expect(headerOf(token!).kid).toBe("b");
    expect(Number(age)).toBeLessThanOrEqual(100);
    expect((await visit(token!)).status).toBe(200);
  });
});

describe("who somebody is", () => {
  test("is looked up at every visit, not remembered in the cookie", async () => {
    const admin = await world.sessions.admin();
    const path = "/admin/members/eve@acme.test";
    const member = (method: string, body?: object) =>
      world.gateway.call(path, { method, headers: admin, ...(body && { body }) });
    const token = await sign({ value: session({ claims: { sub: "eve", email: "eve@acme.test" } }) });

    expect((await visit(token)).status).toBe(403);
    await member("PUT", { accounts: [{ account_id: "acme", role: "viewer" }], admin: false });
    expect((await visit(token)).status).toBe(200);
    expect((await visit(token, "/console/admin/accounts")).status).not.toBe(200);
    await member("DELETE");
    expect((await visit(token)).status).toBe(403);
  });

  test("a header says more than a cookie, and if it does not hold, the cookie does not make up for it", async () => {
    const cookie = `postern_session=${await sign()}`;
    const { authorization } = await world.sessions.of("other");
    const both = await world.gateway.call(KEYS, { headers: { cookie, authorization: authorization! } });
    expect(both.text).toContain("<strong>other</strong>");
    const bad = await world.gateway.call(KEYS, { headers: { cookie, authorization: "Bearer x.y.z" } });
    expect(bad.status).toBe(401);
  });

  test("of several accounts one is shown, and the choice is kept", async () => {
    const person = await world.signIn(["acme", "other"]);
    expect((await person.get(KEYS)).text).toContain('<option value="acme" selected="">');
    const chosen = await person.post("/console/account", { account: "other", from: `${KEYS}?q=x` });
    expect([chosen.status, chosen.headers.location]).toEqual([303, `${KEYS}?q=x`]);
    expect((await person.get(KEYS)).text).toContain('<option value="other" selected="">');
    expect((await person.post("/console/account", { account: "third" })).status).toBe(403);
    // A choice that is somebody else's account is none.
    person.cookies.set("postern_account", "third");
    expect((await person.get(KEYS)).text).toContain('<option value="acme" selected="">');
  });

  test("signing out ends the session, wherever else its cookie is", async () => {
    const person = await world.signIn("acme", "owner", { sub: "leaver" });
    const other = await world.signIn("acme", "owner", { sub: "leaver" });
    await person.get(KEYS);
    const kept = person.cookies.get("postern_session")!;
    // The same session, due to be renewed: what a visit gave out just before the end.
    const renewed = await sign({ value: payloadOf(kept).value, at: Date.now() - 600_000 });
    expect(setCookies(await visit(renewed))).toHaveLength(1);
    const answer = await person.post("/console/sign-out");
    expect([answer.status, answer.headers.location]).toEqual([303, "/console/signed-out"]);
    expect(setCookies(answer)).toEqual(["postern_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]);
    expect(person.cookies.has("postern_session")).toBe(false);
    expect((await person.get(KEYS)).status).toBe(303);
    for (const token of [kept, renewed]) {
      const again = await visit(token);
      expect([again.status, setCookies(again)]).toEqual([303, []]);
    }
    const thief = new Person(world.gateway);
    thief.cookies.set("postern_session", kept);
    const form_token = person.hidden().formToken;
    expect((await thief.post("/console/account", { form_token, account: "acme" })).status).toBe(401);
    expect((await other.get(KEYS)).status).toBe(200);

    const log = await world.gateway.call("/admin/audit-log?action=session.end", {
      headers: await world.sessions.admin(),
    });
    expect(log.json).toMatchObject({
      data: [{ action: "session.end", subject: "leaver", actor: "leaver", account_id: null }],
    });
    expect(log.text).not.toContain(payloadOf(kept).value.sid);
  });

  test("what was ended is remembered as long as its cookie could hold, and swept with the next", async () => {
    const { db } = world.gateway;
    const insert = db.prepare("INSERT INTO ended_sessions (sid, until) VALUES (?, ?)");
    await insert.bind("long ago", Date.now() - 1000).run();
    const value = session({ sid: "leaving", until: Date.now() + HOUR });
    const person = new Person(world.gateway);
    person.cookies.set("postern_session", await sign({ value }));
    await person.get(KEYS);
    expect((await person.post("/console/sign-out")).status).toBe(303);
    const { results } = await db.prepare("SELECT sid, until FROM ended_sessions").all();
    expect(results).toContainEqual({ sid: "leaving", until: value.until });
    expect(results.map(({ sid }) => sid)).not.toContain("long ago");
  });
});

describe("the local sign-in link", () => {
  test("takes a session token that holds, and nothing else", async () => {
    const key = await world.gateway.createKey();
    const now = Math.floor(Date.now() / 1000);
    const { sessions } = world;
    for (const token of [
      "",
      key.key,
      "a.b.c",
      await sessions.sign({ exp: now - 60 }),
      await sessions.sign({ aud: "another" }),
      await sign(),
    ]) {
      const answer = await world.gateway.call(`/console/sign-in/local?token=${token}`);
      expect([answer.status, setCookies(answer)]).toEqual([401, []]);
      expect(answer.text).toContain("Copy the whole link from the terminal");
    }
    // Where its button leads, it says how to get another.
    const page = await world.gateway.call("/console/sign-in");
    expect(page.text).toContain("npm run --silent token -- --account demo");
    expect(page.text).toContain(`${world.gateway.url}/console/sign-in/local?token=`);
  });

  test("for an account that does not exist says so", async () => {
    const visit = await world.signIn("nosuch");
    const page = await visit.get("/console");
    expect(page.status).toBe(200);
    expect(page.text).toContain("but there is no account nosuch.");
    expect(page.text).not.toContain("add you as a member");
  });

  test("is not opened by another site's page, nor in a frame", async () => {
    const { pathname, search } = new URL(await world.link("acme"));
    const open = (site: string, mode = "navigate", dest = "document") => {
      const said = { "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest };
      return world.gateway.call(pathname + search, { headers: said });
    };
    for (const answer of [
      await open("cross-site"),
      await open("same-site"),
      await open("same-origin", "navigate", "iframe"),
      await open("same-origin", "no-cors", "image"),
      await open("same-origin", "cors", "empty"),
    ]) {
      expect([answer.status, setCookies(answer)]).toEqual([403, []]);
    }
    for (const site of ["none", "same-origin"]) expect((await open(site)).status).toBe(303);
  });

  test("is not there under another name of this machine, nor where it is not switched on", async () => {
    const { pathname, search } = new URL(await world.link("acme"));
    const elsewhere = await world.gateway.raw([`GET ${pathname}${search} HTTP/1.1`, "Host: console.test"]);
    expect([elsewhere.status, setCookies(elsewhere)]).toEqual([403, []]);
    expect(elsewhere.text).toContain("https only");

    const off = await startConsole({ vars: { LOCAL_SIGN_IN: "" } });
    try {
      const link = new URL(await off.link("acme"));
      const answer = await off.gateway.call(link.pathname + link.search);
      expect([answer.status, setCookies(answer)]).toEqual([404, []]);
      const page = await off.gateway.call("/console/sign-in");
      expect(page.text).toContain("Nobody can sign in here yet");
    } finally {
      await off.stop();
    }
  });

  test("a cookie does not get past a host that is not this machine, over plain http", async () => {
    const cookie = `Cookie: postern_session=${await sign()}`;
    const answer = await world.gateway.raw([`GET ${KEYS} HTTP/1.1`, "Host: console.test", cookie]);
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain("Ada");
  });
});

test("a person without a session is sent to sign in, and back; a form of theirs is not carried out", async () => {
  const person = new Person(world.gateway);
  const path = `${KEYS}?status=active&q=a%20b`;
  const answer = await person.get(path);
  expect([answer.status, answer.headers.location]).toEqual([
    303,
    `/console/sign-in?${new URLSearchParams({ return_to: path })}`,
  ]);
  const posted = await person.post("/console/account", { account: "acme" });
  expect(posted.status).toBe(401);
  expect(posted.text).toContain("Nothing was changed");
});
