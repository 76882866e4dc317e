import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "../../src/console/page.ts";
import { PAGES } from "../../src/console/pages.ts";
import type { Role } from "../../src/session/session.ts";
import { type ConsoleWorld, Person, setCookies, startConsole } from "./visit.ts";

// What holds for every page there is, and for each that will be: nobody has to remember to test it.

const NAMESPACE = "8f14e45f-ceea-467f-a8c8-0f3b3c5d1c11";
const ROLES: readonly Role[] = ["owner", "member", "viewer"];

let world: ConsoleWorld;
/** People of the account, by role; none is an admin. */
let people: Record<Role, Person>;
let admin: Person;
/** Ids that pages may be about; what is left is about nothing, which must be an answer too. */
let ids: Record<string, string>;

beforeAll(async () => {
  world = await startConsole();
  const { gateway } = world;
  await gateway.createAccount("acme");
  await gateway.createEndpoint({ id: "llm", protocol: "openai", origin: "http://127.0.0.1:1" });
  const key = await gateway.createKey({ name: "Deploy script" });
  ids = { id: key.id, endpoint: "llm", account: "acme", namespace: NAMESPACE };
  const signIn = async (role: string | string[]) => {
    const person = await world.signIn("acme", role, { sub: String(role) });
    await person.get("/console");
    await person.get("/console/settings/api-keys");
    return person;
  };
  const [owner, member, viewer] = await Promise.all(ROLES.map(signIn));
  people = { owner: owner!, member: member!, viewer: viewer! };
  admin = await signIn(["owner", "admin"]);
});
afterAll(() => world.stop());

const pathOf = ({ path }: Page) => path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "x");

const listed = PAGES.map((page) => [`${page.method} ${page.path}`, page] as const);
const closed = listed.filter(([, { audience }]) => audience !== "anybody");
const posts = listed.filter(([, { method }]) => method === "POST");
const shown = closed.filter(([, { method }]) => method === "GET");

/** Posts without knowing anything, as the kind of body the page takes. */
function post(person: Person, page: Page, token: string, headers: Record<string, string>) {
  const types = {
    fields: "application/x-www-form-urlencoded",
    file: "multipart/form-data; boundary=b",
    stream: "application/x-ndjson",
  };
  const body = {
    fields: `form_token=${token}`,
    file: `--b\r\ncontent-disposition: form-data; name="form_token"\r\n\r\n${token}\r\n--b--\r\n`,
    stream: "",
  };
  const kind = page.body ?? "fields";
  return person.send(pathOf(page), {
    method: "POST",
    body: body[kind],
    headers: {
      "content-type": types[kind],
      ...(kind === "stream" && { "x-postern-form": token }),
      ...headers,
    },
  });
}

const own = () => ({ origin: world.gateway.url, "sec-fetch-site": "same-origin" });

test("no two pages share a method and a path", () => {
  const names = listed.map(([name]) => name.replace(/\{\w+\}/g, "{}"));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe("nobody signed in", () => {
  test.each(closed)("%s is closed", async (_, page) => {
    const nobody = new Person(world.gateway);
    const answer =
      page.method === "GET" ? await nobody.get(pathOf(page)) : await post(nobody, page, "", own());
    if (page.method === "GET") expect(answer.headers.location).toMatch(/^\/console\/sign-in/);
    else expect(answer.status).toBe(401);
    expect(answer.text).not.toContain("Deploy script");
  });
});

describe("who may not", () => {
  test.each(closed)("%s is for its audience", async (_, page) => {
    const { audience } = page;
    for (const role of ROLES) {
      if (audience === "signed_in" || (Array.isArray(audience) && audience.includes(role))) continue;
      const person = people[role];
      const { formToken } = person.hidden();
      const answer =
        page.method === "GET" ? await person.get(pathOf(page)) : await post(person, page, formToken, own());
      expect([role, answer.status]).toEqual([role, 403]);
      expect(answer.text).toContain("You may not see this");
      await person.get("/console/settings/api-keys");
    }
  });
});

describe("a post from elsewhere", () => {
  test.each(posts)("%s refuses it, and one without this session's token", async (_, page) => {
    await admin.get("/console/settings/api-keys");
    const { formToken } = admin.hidden();
    const before = (await world.gateway.db.prepare("SELECT count(*) AS n FROM audit_log").first())!.n;
    for (const [token, headers] of [
      [formToken, { origin: "https://evil.test", "sec-fetch-site": "cross-site" }],
      [formToken, { origin: "null", "sec-fetch-site": "same-origin" }],
      [formToken, {}],
      ["", own()],
      [`${formToken}x`, own()],
    ] as const) {
      const answer = await post(admin, page, token, headers as Record<string, string>);
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(setCookies(answer)).toEqual([]);
    }
    expect((await world.gateway.db.prepare("SELECT count(*) AS n FROM audit_log").first())!.n).toBe(before);
  });
});

describe("what is shown", () => {
  test.each(shown)("%s is a whole page, or says why not", async (_, page) => {
    const answer = await admin.get(pathOf(page));
    if (answer.status === 303) {
      expect(answer.headers.location).toMatch(/^\/console/);
      return;
    }
    expect([200, 404]).toContain(answer.status);
    if (!answer.headers["content-type"]!.startsWith("text/html")) return;
    const { text } = answer;
    expect(text.match(/<h1[ >]/g)?.length).toBe(1);
    expect(text).toContain("<strong>acme</strong>");
    expect(text).toMatch(/<title>[^<]+ · acme · Postern<\/title>/);
    expect(text).not.toMatch(/<style|<script(?! src=)|\son[a-z]+=|\sstyle=|javascript:|\[object |undefined/i);
    // Every form that posts carries the token.
    const forms = text.match(/<form method="post"[\s\S]*?<\/form>/g) ?? [];
    for (const form of forms) expect(form).toContain('name="form_token" value="');
    const names = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(names.filter((id, i) => names.indexOf(id) !== i)).toEqual([]);
  });
});
