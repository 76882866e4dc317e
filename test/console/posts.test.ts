import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localPath } from "../../src/console/return-to.ts";
import { type ConsoleWorld, setCookies, startConsole } from "./visit.ts";

const KEYS = "/console/settings/api-keys";

let world: ConsoleWorld;

beforeAll(async () => {
  world = await startConsole();
  for (const id of ["acme", "other"]) await world.gateway.createAccount(id);
});
afterAll(() => world.stop());

/** Somebody in two accounts, on a page with forms. */
async function somebody() {
  const person = await world.signIn(["acme", "other"]);
  await person.get(KEYS);
  return person;
}

describe("a post from another site", () => {
  const own = () => world.gateway.url;
  // undefined: the header is not sent.
  const cases: [
    name: string,
    origin: (() => string) | undefined,
    site: string | undefined,
    status: number,
  ][] = [
    ["our own page", own, "same-origin", 303],
    ["our own page, browser without Sec-Fetch-Site", own, undefined, 303],
    ["our own page, browser that leaves Origin out", undefined, "same-origin", 303],
    ["neither header", undefined, undefined, 403],
    ["another site", () => "https://evil.test", "cross-site", 403],
    ["another site that hides where", () => "null", "cross-site", 403],
    ["an opaque origin on our own host", () => "null", "same-origin", 403],
    ["a sandboxed page of ours", () => "null", undefined, 403],
    ["another host of the domain", () => "https://evil.gw.test", "same-site", 403],
    ["another port", () => "http://127.0.0.1:1", "same-site", 403],
    ["another scheme", () => own().replace("http:", "https:"), "same-origin", 403],
    ["typed or bookmarked", undefined, "none", 403],
    ["headers that contradict each other", own, "cross-site", 403],
    ["a prefix of our origin", () => `${own()}.evil.test`, undefined, 403],
  ];
  test.each(cases)("%s", async (_, origin, site, status) => {
    const person = await somebody();
    const { formToken } = person.hidden();
    const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
    if (origin !== undefined) headers.origin = origin();
    if (site !== undefined) headers["sec-fetch-site"] = site;
    const body = new URLSearchParams({ form_token: formToken, account: "other" }).toString();
    const answer = await person.send("/console/account", { method: "POST", body, headers });
    expect(answer.status).toBe(status);
    expect(setCookies(answer).length).toBe(status === 303 ? 1 : 0);
  });

  test("every page that takes a post checks it", async () => {
    const person = await somebody();
    for (const path of ["/console/account", "/console/sign-out"]) {
      const answer = await person.post(
        path,
        {},
        { origin: "https://evil.test", "sec-fetch-site": "cross-site" },
      );
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(person.cookies.has("postern_session")).toBe(true);
  });
});

describe("the form's own token", () => {
  test("must be there, and be this session's", async () => {
    const [person, other] = [await somebody(), await somebody()];
    const theirs = other.hidden().formToken;
    expect(theirs).toMatch(/^[\w-]{43}$/);
    expect(person.hidden().formToken).not.toBe(theirs);
    for (const form_token of ["", theirs, theirs.slice(0, -1), `${person.hidden().formToken}x`]) {
      expect((await person.post("/console/account", { form_token, account: "other" })).status).toBe(403);
    }
    expect((await person.post("/console/account", { account: "other" })).status).toBe(303);
  });

  test("a session by header has one of its own", async () => {
    const headers = await world.sessions.of(["acme", "other"], "owner", { sub: "h" });
    const page = await world.gateway.call(KEYS, { headers });
    const token = /name="form_token" value="([^"]+)"/.exec(page.text)![1]!;
    const post = (form_token: string) =>
      world.gateway.call("/console/account", {
        method: "POST",
        body: new URLSearchParams({ form_token, account: "other" }).toString(),
        headers: {
          ...headers,
          "content-type": "application/x-www-form-urlencoded",
          origin: world.gateway.url,
        },
      });
    expect((await post("")).status).toBe(403);
    expect((await post(token)).status).toBe(303);
  });
});

describe("what a form may be", () => {
  test("only what browsers send, and not without end", async () => {
    const person = await somebody();
    const { formToken } = person.hidden();
    const send = (type: string | undefined, body: string) =>
      person.send("/console/account", {
        method: "POST",
        body,
        headers: { origin: world.gateway.url, ...(type !== undefined && { "content-type": type }) },
      });
    const json = JSON.stringify({ form_token: formToken, account: "other" });
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", undefined]) {
      expect([type, (await send(type, json)).status]).toEqual([type, 415]);
    }
    const form = "application/x-www-form-urlencoded";
    expect((await send(form, `form_token=${formToken}&pad=${"x".repeat(300_000)}`)).status).toBe(413);
    expect((await send(`${form}; charset=utf-8`, `form_token=${formToken}&account=other`)).status).toBe(303);
  });

  test("methods that a page does not take are 405; what is no page is 404", async () => {
    const person = await somebody();
    const wrong = await person.get("/console/account");
    expect([wrong.status, wrong.headers.allow]).toEqual([405, "POST, OPTIONS"]);
    expect((await person.post(KEYS)).status).toBe(405);
    expect((await person.send(KEYS, { method: "DELETE" })).status).toBe(405);
    expect((await person.get("/console/nowhere")).status).toBe(404);
    expect((await person.get("/console/settings/api-keys/x/y/z")).status).toBe(404);
    const head = await person.send(KEYS, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  test("acts on the account its page showed, whatever another tab has chosen since", async () => {
    const person = await somebody();
    const { formToken } = person.hidden();
    await person.post("/console/account", { account: "other" });
    const stranger = { form_token: formToken, form_account: "third", account: "acme" };
    const refused = await person.post("/console/account", stranger);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("no longer a member");
    expect((await person.post("/console/account", { form_account: "acme", account: "acme" })).status).toBe(
      303,
    );
  });
});

test("a form that makes a key makes one, however often and however fast it is sent", async () => {
  const person = await world.signIn("acme", "owner", { sub: "maker" });
  const form = await person.get(`${KEYS}/new`);
  const nonce = /name="nonce" value="([^"]+)"/.exec(form.text)![1]!;
  const fields = { nonce, name: "Sent twice", permission: "all", environment: "production" };
  const sent = await Promise.all([1, 2, 3].map(() => person.post(`${KEYS}/new`, fields)));
  const again = await person.post(`${KEYS}/new`, fields);
  expect([...sent, again].map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  const secrets = [...sent, again].flatMap(({ text }) => text.match(/pst_live_[A-Za-z0-9]{47}/g) ?? []);
  expect(new Set(secrets).size).toBe(1);
  const { results } = await world.gateway.db.prepare("SELECT id FROM keys WHERE name = 'Sent twice'").all();
  expect(results.length).toBe(1);
  // The next form makes another.
  const next = /name="nonce" value="([^"]+)"/.exec((await person.get(`${KEYS}/new`)).text)![1]!;
  expect(next).not.toBe(nonce);
});

test("every answer carries the policy, and none may be kept", async () => {
  const person = await somebody();
  const answers = {
    page: await person.get(KEYS),
    missing: await person.get("/console/nowhere"),
    redirect: await person.get("/console"),
    refused: await person.post("/console/account", { form_token: "" }),
    anonymous: await world.gateway.call("/console/sign-in"),
    "not https": await world.gateway.raw(["GET /console HTTP/1.1", "Host: console.test"]),
  };
  const own = `${world.gateway.url}/console/`;
  for (const [name, { headers }] of Object.entries(answers)) {
    // Where it is not certain what our own address is, our own host must do.
    const source = (path: string) => (name === "not https" ? "'self'" : own + path);
    expect([name, headers["content-security-policy"]]).toEqual([
      name,
      [
        "default-src 'none'",
        `style-src ${source("style.css")}`,
        `script-src ${source("script.js")}`,
        "img-src data:",
        `connect-src ${source("")}`,
        `form-action ${source("")}`,
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
    ]);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "DENY",
      "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  }
});

test("pages hold no inline script, style or handler; their files may be kept for ever", async () => {
  const person = await somebody();
  const { text } = await person.get(KEYS);
  expect(text).not.toMatch(/<style|<script(?! src=)|\son[a-z]+=|\sstyle=|javascript:/i);
  for (const path of [/href="(\/console\/style\.css[^"]+)"/, /src="(\/console\/script\.js[^"]+)"/]) {
    const url = path.exec(text)![1]!;
    const file = await world.gateway.call(url);
    expect(file.status).toBe(200);
    expect(file.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(file.headers["x-content-type-options"]).toBe("nosniff");
    // Under another version's name it is served too, but not for ever.
    expect((await world.gateway.call(url.replace(/v=.*/, "v=old"))).headers["cache-control"]).toBe(
      "no-cache",
    );
  }
});

test("what people type comes back as text, not as markup", async () => {
  const person = await somebody();
  const nasty = `"><script>alert(1)</script>'`;
  const { text } = await person.get(`${KEYS}?q=${encodeURIComponent(nasty)}`);
  expect(text).not.toContain("<script>alert");
  expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
});

describe("where a path from outside may lead", () => {
  test.each([
    ["/console", "/console"],
    [KEYS, KEYS],
    [`${KEYS}?q=a%20b&status=active`, `${KEYS}?q=a%20b&status=active`],
    ["/console/a//b", "/console/a//b"],
  ])("%s is followed", (given, path) => expect(localPath(given)).toBe(path));

  test.each([
    null,
    "",
    "/",
    "//evil.test",
    "//evil.test/console",
    "/\\evil.test",
    "\\/evil.test",
    "https://evil.test/console",
    "javascript:alert(1)",
    "/consolevil",
    "/console.evil.test",
    "/console\\..\\..\\evil",
    "/console/\tx",
    "/console/\r\nset-cookie: a=b",
    " /console",
    "/v2/llm/run",
    "/console/ü",
  ])("%j is not", (given) => expect(localPath(given)).toBe("/console"));

  test("without end is not", () => expect(localPath(`/console/${"a".repeat(2000)}`)).toBe("/console"));

  test("the account chooser goes there", async () => {
    const person = await somebody();
    const answer = await person.post("/console/account", { account: "other", from: "//evil.test" });
    expect(answer.headers.location).toBe("/console");
  });
});
