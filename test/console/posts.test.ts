import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localPath } from "../../src/console/return-to.ts";
import { expectDenial } from "../harness/denied.ts";
import { type ConsoleWorld, type Person, setCookies, startConsole } from "./visit.ts";

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
    for (const charset of ["; charset=utf-8", ';charset="UTF-8"']) {
      expect((await send(form + charset, `form_token=${formToken}&account=other`)).status).toBe(303);
    }
    for (const charset of ["; charset=utf-16", ';Charset="iso-8859-1"', "; charset=utf-8; charset=utf-7"]) {
      const answer = await send(form + charset, `form_token=${formToken}&account=other`);
      expect([charset, answer.status]).toEqual([charset, 415]);
    }
    for (const coding of ["gzip", "br", "identity, gzip"]) {
      const coded = await person.post(
        "/console/account",
        { account: "other" },
        { "content-encoding": coding },
      );
      expect([coding, coded.status]).toEqual([coding, 415]);
    }
  });

  test("one of somebody who may not send it is not even read", async () => {
    const viewer = await world.signIn("acme", "viewer");
    await viewer.get(KEYS);
    // What would be said of it, were it read.
    const pad = { pad: "x".repeat(300_000) };
    for (const path of [`${KEYS}/new`, "/console/admin/accounts/new"]) {
      const answer = await viewer.post(path, pad);
      expect([path, answer.status, answer.text.includes("form is larger")]).toEqual([path, 403, false]);
    }
    expect((await viewer.post("/console/admin/import")).status).toBe(403);
    expect((await viewer.post("/console/account", pad)).status).toBe(413);
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

describe("a switch", () => {
  let admin: Person;
  let id: string;
  const enabled = async () =>
    (await world.gateway.db.prepare("SELECT enabled FROM keys WHERE id = ?").bind(id).first("enabled")) === 1;

  beforeAll(async () => {
    ({ id } = await world.gateway.createKey({ account_id: "acme" }));
    admin = await world.signIn("acme", ["owner", "admin"], { sub: "switcher" });
    await admin.get(KEYS);
  });

  test.each([`/console/admin/keys/`, `${KEYS}/`])(
    "%s changes nothing unless it says on or off",
    async (list) => {
      for (const fields of [{}, { enabled: "" }, { enabled: "true" }, { enabled: "ON" }]) {
        const answer = await admin.post(`${list}${id}/toggle`, { confirmed: "yes", ...fields });
        expect([answer.status, await enabled()]).toEqual([400, true]);
      }
      const off = await admin.post(`${list}${id}/toggle`, { confirmed: "yes", enabled: "off" });
      expect([off.status, await enabled()]).toEqual([303, false]);
      const on = await admin.post(`${list}${id}/toggle`, { confirmed: "yes", enabled: "on" });
      expect([on.status, await enabled()]).toEqual([303, true]);
    },
  );

  test.each([
    "/console/admin/keys?\nx",
    "/console/admin/keys?%0a\r\nset-cookie: a=b",
    "/console/admin/keys?ü",
    "/console/admin/keys?\u{d800}",
    "//evil.test",
    "/console/admin/keys/../../../v2/llm",
  ])("leads back to no more than a page: %j", async (back) => {
    const answer = await admin.post(`/console/admin/keys/${id}/toggle`, { enabled: "on", back });
    expect([answer.status, answer.headers.location]).toEqual([303, `/console/admin/keys/${id}`]);
    const asked = await admin.post(`/console/admin/keys/${id}/revoke`, { back });
    expect(asked.text).toContain(`href="/console/admin/keys/${id}">Cancel`);
  });

  test("leads back to the list it stood in", async () => {
    const back = "/console/admin/keys?q=a%20b&status=active";
    const answer = await admin.post(`/console/admin/keys/${id}/toggle`, { enabled: "on", back });
    expect([answer.status, answer.headers.location]).toEqual([303, back]);
  });
});

test("an account called new has its page, and the form for a new one has its own", async () => {
  await world.gateway.createAccount("new", { name: "Newcomers" });
  const admin = await world.signIn("acme", ["owner", "admin"]);
  const list = await admin.get("/console/admin/accounts");
  const link = /href="([^"]+)">Newcomers/.exec(list.text)![1]!;
  expect((await admin.get(link)).text).toContain('value="Newcomers"');
  expect((await admin.get("/console/admin/accounts/new")).text).not.toContain('value="Newcomers"');
  expect((await admin.get("/console/admin/accounts?id=new")).headers.location).toBe(link);
});

test("a suspended account says so on its pages, and a key made there does not work", async () => {
  await world.gateway.createAccount("paused", { suspended: true });
  const owner = await world.signIn("paused");
  const form = await owner.get(`${KEYS}/new`);
  expect(form.text).toContain("The account paused is suspended");
  const nonce = /name="nonce" value="([^"]+)"/.exec(form.text)![1]!;
  const fields = { nonce, name: "Too early", permission: "all", environment: "production" };
  const made = await owner.post(`${KEYS}/new`, fields);
  expect(made.text).toContain("The account paused is suspended");
  const authorization = `Bearer ${/pst_live_[A-Za-z0-9]{47}/.exec(made.text)![0]}`;
  const use = () => world.gateway.call("/v1/key", { headers: { authorization } });
  expectDenial(await use(), 401, "invalid_api_key");
  await world.gateway.changeAccount("paused", { suspended: false });
  await expect.poll(async () => (await use()).status, { timeout: 8000 }).toBe(200);
  expect((await owner.get(KEYS)).text).not.toContain("is suspended");
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
    [`${KEYS}/key_1/usage?from=a%27b`, `${KEYS}/key_1/usage?from=a%27b`],
    ["/console/a%2Fb", "/console/a%2Fb"],
    ["/console/a?b=..%2f../../c", "/console/a?b=..%2f../../c"],
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
    "/console/..",
    "/console/../v2/llm",
    "/console/../../v2/llm",
    "/console/settings/../../v2/llm",
    "/console/./../v2",
    "/console/%2e%2e/v2/llm",
    "/console/.%2E/v2/llm",
    "/console/%2e./v2/llm",
    "/console/x/%2E%2E/%2e%2e/v2",
    "/console/..%2fv2/llm",
    "/console/%2e%2e%2fv2",
    "/console/a%2f..%2f..%2f..%2fv2",
    "/console/..%5cv2",
    "/console/..;x/v2",
    "/console/%2e%2e;/v2",
    "/console/%00",
    "/console/%0d%0aset-cookie:a=b",
    "/console/%zz",
    "/console/%ff",
    "/console//evil.test",
    "/console/a//b",
    "/console#/../v2",
    "/console?",
    "/console/keys?<b>",
    "/console/sign-in",
    "/console/sign-in/",
    "/console/sign-in?return_to=/console",
    "/console/sign-in/start",
    "/console/sign-in/local?token=a.b.c",
    "/console/sign%2din/local?token=a.b.c",
    "/console/sign-in%2flocal?token=a.b.c",
  ])("%j is not", (given) => expect(localPath(given)).toBe("/console"));

  test("without end is not", () => expect(localPath(`/console/${"a".repeat(2000)}`)).toBe("/console"));

  test("the account chooser goes there", async () => {
    const person = await somebody();
    const answer = await person.post("/console/account", { account: "other", from: "//evil.test" });
    expect(answer.headers.location).toBe("/console");
  });
});
