import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseTagSecrets } from "../../src/keys/tag.ts";
import { joinClaims, type PendingSignIn } from "../../src/session/oidc.ts";
import { signValue } from "../../src/session/signed.ts";
import { startTestGateway } from "../harness/gateway.ts";
import type { Answer } from "../harness/http.ts";
import { type Issuer, passIssuer, startIssuer } from "./issuer.ts";
import { type ConsoleWorld, newSecrets, Person, setCookies, startConsole } from "./visit.ts";

const SECRETS = newSecrets("a");
const START = "/console/sign-in/start";
/** How the console is reached from outside: a proxy in front ends TLS. */
const PUBLIC = "https://console.test";

let issuer: Issuer;
let world: ConsoleWorld;

beforeAll(async () => {
  issuer = await startIssuer({
    ada: { email: "ada@acme.test", email_verified: true, name: "Ada", account_id: "acme", role: "owner" },
    eve: { email: "ada@acme.test", email_verified: false },
    mute: { email: "ada@acme.test", name: "Mute" },
    many: {
      account_id: Array.from({ length: 200 }, (_, i) => `account-number-${i}-of-somebody`),
      role: "viewer",
    },
  });
  world = await startConsole({
    vars: {
      PUBLIC_URL: PUBLIC,
      TLS_PROXY: "on",
      OIDC_ISSUER: issuer.url,
      OIDC_CLIENT_ID: issuer.clientId,
      ADMIN_EMAILS: "ada@acme.test",
    },
    secrets: { SESSION_SECRETS: SECRETS, OIDC_CLIENT_SECRET: issuer.clientSecret },
  });
  await issuer.open(PUBLIC);
  await world.gateway.createAccount("acme");
});
afterAll(async () => {
  await world?.stop();
  await issuer?.stop();
});
afterEach(() => {
  issuer.down = false;
});

/** Somebody whose browser is at the console's public address. */
class Visitor extends Person {
  override send(path: string, call: Parameters<Person["send"]>[1]): Promise<Answer> {
    return super.send(path, { ...call, headers: { ...(call.headers as object), host: "console.test" } });
  }
}
const visitor = () => new Visitor(world.gateway);

/** Begins a sign-in and goes through the issuer, up to where the browser is sent back. */
async function comeBack(person: Visitor, login = "ada", path = START): Promise<string> {
  const begun = await person.get(path);
  expect(begun.status).toBe(303);
  const back = await passIssuer(issuer, begun.headers.location!, login);
  expect(back.origin).toBe(PUBLIC);
  return back.pathname + back.search;
}

/** A pending sign-in as the gateway would sign it. */
async function pend(
  person: Visitor,
  change: Partial<PendingSignIn>,
  at = Date.now(),
  host = "console.test",
): Promise<void> {
  const token = person.cookies.get("__Host-postern_sign_in")!;
  const { value } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
  const secrets = parseTagSecrets(SECRETS);
  person.cookies.set(
    "__Host-postern_sign_in",
    await signValue(secrets, { purpose: "sign-in", host }, { ...value, ...change }, 600, at),
  );
}

/** Asserts that a callback signed nobody in, and says so with this status. */
function expectOutside(answer: Answer, person: Visitor, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.text).toContain("You are not signed in");
  expect(person.cookies.has("__Host-postern_session")).toBe(false);
}

test("the way there: code flow with PKCE, state and nonce, all new each time", async () => {
  const [one, other] = [await visitor().get(START), await visitor().get(START)];
  const asked = new URL(one.headers.location!).searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    client_id: issuer.clientId,
    response_type: "code",
    redirect_uri: `${PUBLIC}/console/sign-in/callback`,
    scope: "openid email profile",
    code_challenge_method: "S256",
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
  });
  const again = new URL(other.headers.location!).searchParams;
  for (const name of ["state", "nonce", "code_challenge"]) {
    expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
    expect(again.get(name)).not.toBe(asked.get(name));
  }
  const [cookie] = setCookies(one);
  expect(cookie).toMatch(
    /^__Host-postern_sign_in=[\w.-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
  );
});

test("the way back: a session under the name that only this host can set, and the page that was asked for", async () => {
  const person = visitor();
  const page = "/console/settings/api-keys?status=active";
  const answer = await person.get(
    await comeBack(person, "ada", `${START}?${new URLSearchParams({ return_to: page })}`),
  );
  expect([answer.status, answer.headers.location]).toEqual([303, page]);
  const cookies = setCookies(answer);
  expect(cookies[0]).toMatch(
    /^__Host-postern_session=[\w.-]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$/,
  );
  expect(cookies[1]).toMatch(/^__Host-postern_sign_in=; .*Max-Age=0/);
  const shown = await person.get(page);
  expect(shown.status).toBe(200);
  for (const word of ["Ada", "acme", "owner", "admin"]) expect(shown.text).toContain(word);
});

test("what came by https tells the browser to stay with it, whatever it is", async () => {
  const person = visitor();
  for (const path of [
    "/console/sign-in",
    "/console",
    START,
    "/console/nowhere",
    "/console/style.css?v=old",
  ]) {
    const { headers } = await person.get(path);
    expect([path, headers["strict-transport-security"]]).toEqual([path, "max-age=31536000"]);
  }
  const local = await world.gateway.call("/console/sign-in");
  expect(local.headers["strict-transport-security"]).toBeUndefined();
});

test("behind a proxy, a local sign-in link is not taken: what the client calls its host means nothing", async () => {
  const { pathname, search } = new URL(await world.link("acme"));
  const answer = await world.gateway.call(pathname + search);
  expect([answer.status, setCookies(answer)]).toEqual([404, []]);
});

test("nobody is led elsewhere by the way back", async () => {
  for (const return_to of ["https://evil.test/", "//evil.test", "/v2/x"]) {
    const person = visitor();
    const answer = await person.get(
      await comeBack(person, "ada", `${START}?${new URLSearchParams({ return_to })}`),
    );
    expect(answer.headers.location).toBe("/console");
  }
});

test.each(["eve", "mute"])(
  "an address that the issuer does not call verified is nobody's: %s",
  async (login) => {
    const person = visitor();
    await person.get(await comeBack(person, login));
    const page = await person.get("/console");
    expect(page.text).toContain("No account yet");
    expect(page.text).not.toContain("ada@acme.test");
    expect((await person.get("/console/admin/accounts")).status).toBe(403);
    expect(world.gateway.logs.some(({ text }) => text.includes("does not call verified"))).toBe(true);
  },
);

describe("an address and whether it is verified", () => {
  const [wary, trusting] = [{ OIDC_TRUST_EMAILS: false }, { OIDC_TRUST_EMAILS: true }];
  const email = "ada@acme.test";
  test.each([
    [{ email, email_verified: true }, true, true],
    [{ email, email_verified: "true" }, "true", "true"],
    [{ email, email_verified: false }, false, false],
    [{ email, email_verified: null }, null, null],
    [{ email }, false, undefined],
  ])("%j counts by what the issuer says, and what the operator says", (source, toWary, toTrusting) => {
    for (const [config, email_verified] of [
      [wary, toWary],
      [trusting, toTrusting],
    ] as const) {
      expect(joinClaims({ sub: "a", ...source }, {}, config)).toMatchObject({ email, email_verified });
      expect(joinClaims({ sub: "a" }, source, config)).toMatchObject({ email, email_verified });
    }
  });

  test("come from one place: neither vouches for the other's", () => {
    const [mine, theirs] = [{ email: "eve@evil.test", email_verified: true }, { email }];
    const {
      email: address,
      email_verified,
      role,
      name,
    } = joinClaims({ ...theirs, role: "viewer" }, { ...mine, role: "admin", name: "Eve" }, wary);
    expect([address, email_verified, role, name]).toEqual([email, false, "viewer", "Eve"]);
    expect(joinClaims({ email_verified: true }, theirs, wary)).toMatchObject({
      email,
      email_verified: false,
    });
    expect(
      joinClaims({ ...theirs, email_verified: false }, { email_verified: true }, trusting),
    ).toMatchObject({
      email,
      email_verified: false,
    });
    expect(joinClaims(theirs, { email_verified: true }, wary)).toMatchObject({
      email,
      email_verified: false,
    });
  });
});

test("a new sign-in is a new session, whatever was there before", async () => {
  const person = visitor();
  person.cookies.set("__Host-postern_session", "planted");
  await person.get(await comeBack(person));
  const first = person.cookies.get("__Host-postern_session")!;
  await person.get("/console/settings/api-keys");
  const token = person.hidden().formToken;
  await person.get(await comeBack(person));
  await person.get("/console/settings/api-keys");
  expect(person.cookies.get("__Host-postern_session")).not.toBe(first);
  expect(person.hidden().formToken).not.toBe(token);
});

describe("a way back that does not hold", () => {
  test("somebody else's, in a browser that began none", async () => {
    const [attacker, victim] = [visitor(), visitor()];
    const back = await comeBack(attacker);
    expectOutside(await victim.get(back), victim, 400);
  });

  test("somebody else's, in a browser that began its own", async () => {
    const [attacker, victim] = [visitor(), visitor()];
    const back = await comeBack(attacker);
    await victim.get(START);
    expectOutside(await victim.get(back), victim, 400);
    // The victim's own goes on.
    expect(victim.cookies.has("__Host-postern_sign_in")).toBe(true);
  });

  test("the same, a second time", async () => {
    const person = visitor();
    const back = await comeBack(person);
    const pending = person.cookies.get("__Host-postern_sign_in")!;
    expect((await person.get(back)).status).toBe(303);
    person.cookies.delete("__Host-postern_session");
    expectOutside(await person.get(back), person, 400);
    // Even with the cookie put back: the issuer takes a code once.
    person.cookies.set("__Host-postern_sign_in", pending);
    expectOutside(await person.get(back), person, 400);
  });

  test("without state, with another state, or with two", async () => {
    const person = visitor();
    const back = await comeBack(person);
    const state = new URLSearchParams(back.split("?")[1]).get("state")!;
    for (const wrong of ["", "state=x", `state=${state}&state=${state}`]) {
      expectOutside(await person.get(back.replace(`state=${state}`, wrong)), person, 400);
    }
  });

  test("from another issuer (RFC 9207)", async () => {
    const person = visitor();
    const back = await comeBack(person);
    const iss = encodeURIComponent(issuer.url);
    expect(back).toContain(`iss=${iss}`);
    expectOutside(await person.get(back.replace(iss, "https%3A%2F%2Fevil.test")), person, 400);
    expectOutside(await person.get(back.replace(`&iss=${iss}`, "")), person, 400);
  });

  test("with another nonce, another verifier, or too late", async () => {
    const other = "x".repeat(43);
    for (const [change, at, host] of [
      [{ nonce: other }, Date.now()],
      [{ verifier: other }, Date.now()],
      [{ redirect_uri: "https://evil.test/callback" }, Date.now()],
      [{}, Date.now() - 700_000],
      [{}, Date.now(), "another.test"],
    ] as const) {
      const person = visitor();
      const back = await comeBack(person);
      await pend(person, change, at, host);
      expectOutside(await person.get(back), person, 400);
    }
    // The same hand does put together one that holds.
    const person = visitor();
    const back = await comeBack(person);
    await pend(person, {});
    expect((await person.get(back)).status).toBe(303);
  });

  test("a refusal of the issuer's is told in words, and as text", async () => {
    const person = visitor();
    const begun = await person.get(START);
    const state = new URL(begun.headers.location!).searchParams.get("state");
    const query = new URLSearchParams({ state: state!, iss: issuer.url, error: "<b>server_error" });
    const answer = await person.get(`/console/sign-in/callback?${query}`);
    expectOutside(answer, person, 403);
    expect(answer.text).toContain("refused the sign-in: &lt;b&gt;server_error");
  });

  test("claims that no cookie can hold", async () => {
    const person = visitor();
    expectOutside(await person.get(await comeBack(person, "many")), person, 400);
  });
});

test("while the issuer is away, the page says so, and a session goes on", async () => {
  const person = visitor();
  const back = await comeBack(person);
  issuer.down = true;
  expectOutside(await person.get(back), person, 503);
  issuer.down = false;
  expect((await person.get(back)).status).toBe(303);
  issuer.down = true;
  expect((await person.get("/console/settings/api-keys")).status).toBe(200);
});

test("the log says why, and holds neither code nor token", async () => {
  const person = visitor();
  const back = await comeBack(person);
  const code = new URLSearchParams(back.split("?")[1]).get("code")!;
  await pend(person, { nonce: "x".repeat(43) });
  const answer = await person.get(back);
  const line = JSON.parse(
    world.gateway.logs.find(
      ({ text }) => text.includes("sign-in failed") && text.includes(answer.headers["x-request-id"]!),
    )!.text,
  );
  expect(line).toMatchObject({ kind: "invalid", reason: expect.stringContaining("nonce") });
  expect(world.gateway.logs.some(({ text }) => text.includes(code))).toBe(false);
});

test("signing out offers the issuer's own sign-out", async () => {
  const page = await visitor().get("/console/signed-out");
  expect(page.text).toContain(`${issuer.url}/session/end?client_id=${issuer.clientId}`);
});

test("a sign-in that is set up by half refuses, and the log names what is missing", async () => {
  const lame = await startTestGateway({ vars: { OIDC_ISSUER: issuer.url } });
  try {
    const answer = await lame.call(START);
    expect(answer.status).toBe(503);
    expect(answer.text).toContain("not set up completely");
    const line = lame.logs.find(({ text }) => text.includes("not configured"))!.text;
    expect(JSON.parse(line).missing).toEqual(["OIDC_CLIENT_ID", "SESSION_SECRETS"]);
  } finally {
    await lame.stop();
  }
});
