import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/keys/hash.ts";
import { ADMIN, type AdminWorld, confirm, heading, notice, seen, startAdminWorld } from "./admin-world.ts";
import { expectAccessibleInBoth } from "./axe.ts";
import { type Page, tabTo } from "./browser.ts";

const IN_FORCE = { timeout: 4000 };

let world: AdminWorld;
beforeAll(async () => {
  world = await startAdminWorld();
});
afterAll(() => world.stop());

/** A legacy key, as no other test has it. */
let legacyKeys = 0;
const legacyKey = () => {
  legacyKeys += 1;
  const key = `LEGACY${String(legacyKeys).padStart(34, "0")}`;
  world.gateway.secrets.push(key);
  return key;
};

/** A file of keys: lines as given, or records. */
const fileOf = (lines: (object | string)[]) => ({
  name: "keys.ndjson",
  mimeType: "application/x-ndjson",
  buffer: Buffer.from(
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  ),
});

describe("an import", () => {
  test.each([
    ["streamed, with scripts", true],
    ["by a plain form, without", false],
  ])("%s, tells what came of each line, and its keys work", async (_, scripts) => {
    const [one, two] = [legacyKey(), legacyKey()];
    const record = (key: string) => ({
      account_id: "acme",
      name: "Old",
      sha256: sha256Hex(key),
      graphql: "read",
    });
    const page = await world.open({ at: `${ADMIN}/import`, scripts });
    const file = fileOf([
      record(one),
      "not JSON",
      { ...record(two), account_id: "nobody" },
      record(two),
      record(one),
    ]);
    const send = async (expected: string) => {
      await page.getByLabel("File of keys").setInputFiles(file);
      await page.getByRole("button", { name: "Import" }).click();
      const results = page.locator(".results:not([hidden])");
      await results.getByText(expected).waitFor();
      return seen(results);
    };
    const first = await send("2 keys imported. 1 key was there already. 2 lines failed.");
    expect(first).toMatch(/Line 2: The line is not JSON/);
    expect(first).toContain("Line 3: Unknown account: nobody");
    await expect.poll(() => world.use(one), IN_FORCE).toBe(200);
    expect(await world.use(two)).toBe(200);
    await send("0 keys imported. 3 keys were there already. 2 lines failed.");
    await page.close();
  });

  test("of more lines than can be listed says how many failed", async () => {
    const page = await world.open({ at: `${ADMIN}/import` });
    await page.getByLabel("File of keys").setInputFiles(fileOf(Array.from({ length: 1500 }, () => "{}")));
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText("1500 lines failed. The first 1000 of them are listed.").waitFor();
    expect(await page.locator(".results li").count()).toBe(1000);
    await page.close();
  });
});

describe("a leaked key", () => {
  test("is found by its whole self and revoked, and never is in a URL", async () => {
    const { gateway, use } = world;
    const { id, key } = await gateway.createKey({ name: "Leaked", permissions: { inference: "read" } });
    const page = await world.open({ at: `${ADMIN}/keys` });
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await page.getByRole("link", { name: "Find a leaked key's owner" }).click();
    await page.getByLabel(/whole key/).fill(` ${key} `);
    await page.getByRole("button", { name: "Find owner" }).click();
    expect(await notice(page)).toMatch(/^It belongs to Acme\s+It works right now/);
    // Not on the page again either.
    expect(await page.content()).not.toContain(key);
    expect(await use(key)).toBe(200);
    await page.getByRole("button", { name: "Revoke Leaked" }).click();
    await confirm(page, "Revoke key");
    expect(await notice(page)).toBe("Leaked is revoked. It stopped working.");
    await expect.poll(() => use(key), IN_FORCE).toBe(401);
    expect(page.url()).toBe(`${gateway.url}${ADMIN}/keys/${id}`);
    expect(urls.filter((url) => url.includes(key) || url.includes(sha256Hex(key)))).toEqual([]);
    await page.close();
  });

  test("without scripts and by its SHA-256, too; nobody's key is said to be nobody's", async () => {
    const { gateway } = world;
    const { key } = await gateway.createKey({ name: "Hashed", enabled: false });
    const page = await world.open({ at: `${ADMIN}/keys/find`, scripts: false });
    await page.getByLabel(/whole key/).fill(sha256Hex(key).toUpperCase());
    await page.getByRole("button", { name: "Find owner" }).click();
    expect(await notice(page)).toMatch(/^It belongs to Acme\s+It does not work: it is disabled/);
    await page.getByRole("button", { name: "Revoke Hashed" }).click();
    expect(await heading(page)).toBe("Revoke key");
    await page.getByRole("button", { name: "Revoke key" }).click();
    expect(await notice(page)).toBe("Hashed is revoked. It stopped working.");
    await page.goto(`${gateway.url}${ADMIN}/keys/find`);
    await page.getByLabel(/whole key/).fill(gateway.strayKey());
    await page.getByRole("button", { name: "Find owner" }).click();
    expect(await notice(page)).toContain("Nobody here has that key");
    await page.close();
  });
});

test("keys of all accounts are narrowed down, switched off and on, by keyboard", async () => {
  const { gateway, use } = world;
  await gateway.createEndpoint({ id: "shared", origin: world.origin.url });
  const { key } = await gateway.createKey({
    account_id: "other",
    name: "Theirs",
    permissions: { inference: { endpoints: { shared: "read" } } },
  });
  const page = await world.open({ at: `${ADMIN}/keys` });
  await tabTo(page, "combobox", "Account");
  await page.keyboard.type("other");
  await page.keyboard.press("Enter");
  await page.waitForURL(/account_id=other/);
  const names = () => page.getByRole("rowheader").allInnerTexts();
  expect(await names()).toEqual([expect.stringContaining("Theirs")]);
  await tabTo(page, "switch", "API key Theirs");
  await page.keyboard.press("Space");
  expect(await notice(page)).toBe("Theirs is off. It is refused from now on.");
  expect(page.url()).toContain("account_id=other");
  await expect.poll(() => use(key, "/v2/shared/x"), IN_FORCE).toBe(401);
  await page.getByLabel("Status").selectOption("disabled");
  await page.getByLabel(/Names endpoint/).fill("shared");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/names=shared/);
  await page.getByRole("switch", { name: "API key Theirs" }).click();
  expect(await notice(page)).toBe("Theirs is on.");
  await expect.poll(() => use(key, "/v2/shared/x"), IN_FORCE).toBe(200);
  expect(await seen(page.locator(".empty h2"))).toBe("Nothing matches");
  await page.close();
});

describe("the audit log", () => {
  test("shows who changed what, before and after, and is narrowed down", async () => {
    const { gateway, sessions } = world;
    const by = async (email: string, name: string) => {
      const headers = await sessions.admin({ email });
      await gateway.call("/admin/accounts/audited", { method: "PUT", headers, body: { name } });
    };
    await by("first@acme.test", "One");
    await by("second@acme.test", "Two");
    const page = await world.open({ at: `${ADMIN}/audit-log` });
    await page.getByLabel("Who", { exact: true }).fill("SECOND@");
    await page.getByLabel("What", { exact: true }).selectOption("Accounts");
    await page.getByLabel("Id of what changed").fill("audited");
    await page.getByLabel("Account", { exact: true }).fill("audited");
    const today = new Date().toISOString().slice(0, 10);
    await page.getByLabel("To, included").fill(today);
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL(/actor=/);
    const rows = page.locator("tbody tr");
    expect(await rows.count()).toBe(1);
    const row = await seen(rows);
    expect(row).toContain("second@acme.test");
    expect(row).toContain("Account changed");
    expect(await rows.locator("del").allInnerTexts()).toEqual(["One"]);
    expect(await rows.locator("ins").allInnerTexts()).toEqual(["Two"]);
    await page.getByLabel("Who", { exact: true }).fill("first@");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL(/actor=first/);
    await rows.getByText("What was set").click();
    expect(await rows.locator("ins").allInnerTexts()).toEqual(["One", "100", "no"]);
    await page.getByLabel("To, included").fill("2020-01-01");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("No change fits").waitFor();
    await page.close();
  });

  test("of an account is for its owners and viewers, not for members, and shows nobody else's", async () => {
    const viewer = await world.open({ role: "viewer", at: "/console/settings/audit-log", scripts: false });
    expect(await heading(viewer)).toBe("Audit log");
    expect(await seen(viewer.locator("main"))).not.toContain("audited");
    const member = await world.open({ role: "member", at: "/console/settings/audit-log" });
    expect(await heading(member)).toBe("You may not see this");
    expect(await seen(member.getByRole("navigation", { name: "Console" }))).not.toContain("Audit log");
    await Promise.all([viewer.close(), member.close()]);
  });
});

test("an owner who is no admin is told so, and finds no admin pages in the menu", async () => {
  const page = await world.open({ role: "owner", at: `${ADMIN}/endpoints` });
  expect(await seen(page.locator("main"))).toContain("This needs the admin role");
  expect(await seen(page.getByRole("navigation", { name: "Console" }))).not.toMatch(/admin/i);
  await page.getByRole("link", { name: "Back to the console" }).click();
  await page.getByRole("link", { name: "Endpoints" }).click();
  expect(await page.getByRole("rowheader").allInnerTexts()).toContainEqual(expect.stringContaining("LLM"));
  await page.close();
});

describe("axe finds nothing, in light and dark,", () => {
  const NAMESPACE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
  let page: Page;
  beforeAll(async () => {
    const put = (path: string, body: object) => world.admin("PUT", path, body);
    const cluster = { server: "https://kube.example.com", audience: "postern" };
    await put(`/admin/namespaces/${NAMESPACE}`, { account_id: "acme", name: "training", cluster });
    await put("/admin/members/ines@acme.test", { accounts: [{ account_id: "acme", role: "viewer" }] });
    await world.gateway.createKey({ id: "key_seen", name: "Seen" });
    page = await world.open();
  });
  afterAll(() => page.close());

  test.each([
    "/console/settings/endpoints",
    "/console/settings/namespaces",
    "/console/settings/audit-log",
    "/console/settings/audit-log?actor=nobody",
    `${ADMIN}/endpoints`,
    `${ADMIN}/endpoints/new`,
    `${ADMIN}/endpoints/llm/edit`,
    `${ADMIN}/endpoints/try`,
    `${ADMIN}/accounts`,
    `${ADMIN}/accounts/new`,
    `${ADMIN}/accounts/acme/edit`,
    `${ADMIN}/members`,
    `${ADMIN}/members/new`,
    `${ADMIN}/members/ines@acme.test/edit`,
    `${ADMIN}/namespaces`,
    `${ADMIN}/namespaces/new`,
    `${ADMIN}/namespaces/${NAMESPACE}/edit`,
    `${ADMIN}/keys`,
    `${ADMIN}/keys/key_seen`,
    `${ADMIN}/keys/find`,
    `${ADMIN}/import`,
    `${ADMIN}/audit-log`,
    `${ADMIN}/accounts/nobody/edit`,
  ])("on %s", async (path) => {
    await page.goto(world.gateway.url + path);
    await expectAccessibleInBoth(page);
  });

  test("on a refused form, a verdict, a question, an answer, and a phone", async () => {
    const checked = async (path: string, act: () => Promise<unknown>, shows: string) => {
      await page.goto(world.gateway.url + path);
      await act();
      await page.locator(shows).first().waitFor();
      await expectAccessibleInBoth(page);
    };
    const click = (name: string) => page.getByRole("button", { name, exact: true }).click();
    await checked(
      `${ADMIN}/endpoints/llm/edit`,
      async () => {
        await page.getByLabel("Origin", { exact: true }).fill("https://10.0.0.1");
        await click("Save changes");
      },
      ".field.wrong",
    );
    await checked(`${ADMIN}/endpoints/try?path=/v2/llm/models`, () => click("Try"), ".verdict");
    await checked(`${ADMIN}/accounts/acme/edit`, () => click("Suspend account"), "dialog");
    await checked(
      `${ADMIN}/import`,
      async () => {
        await page.getByLabel("File of keys").setInputFiles(fileOf(["{}"]));
        await click("Import");
      },
      ".results li",
    );
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of [
      `${ADMIN}/endpoints`,
      `${ADMIN}/keys`,
      `${ADMIN}/audit-log`,
      `${ADMIN}/members/new`,
    ]) {
      await page.goto(world.gateway.url + path);
      await expectAccessibleInBoth(page);
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wider, `${path} is wider than a phone`).toBe(0);
    }
  });
});

test("no page had a script's error or broke the content policy", () => {
  expect(world.complaints().filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
});
