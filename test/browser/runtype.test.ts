import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { complaintsOf, type Page } from "./browser.ts";
import {
  chooseCard,
  choosePermission,
  create,
  type KeysWorld,
  LIST,
  openForm,
  option,
  revoke,
  rowOf,
  shownKey,
  startKeysWorld,
} from "./keys-world.ts";

/** "Create and manage API keys" (Runtype), bullet by bullet, by clicking. */
let world: KeysWorld;
let page: Page;
let complaints: string[];
beforeAll(async () => {
  world = await startKeysWorld();
  page = await world.signedIn();
  complaints = complaintsOf(page);
});
afterAll(async () => {
  expect(complaints).toEqual([]);
  await world?.stop();
});

/** "Go to Settings → API" */
beforeEach(async () => {
  await page.goto(`${world.gateway.url}${LIST}`);
});

const RUN = { method: "POST", body: { input: {} } };
const inForce = (ask: () => Promise<unknown>) => expect.poll(ask, { timeout: 4000, interval: 100 });

/** "Click Create New API Key; Configure: Name: Descriptive identifier" */
async function openNew(name: string) {
  await openForm(page);
  await page.getByLabel("Name", { exact: true }).fill(name);
}

describe("Creating an API key", () => {
  test.each([
    ["Production", "pst_live_", "/live"],
    ["Test", "pst_test_", "/test"],
  ])(
    "Environment: %s; the key begins with %s, and reaches that environment's origin",
    async (environment, prefix, path) => {
      await openNew(`CI/CD pipeline, ${environment}`);
      await chooseCard(page, "Environment", environment);
      await choosePermission(page, "Read/Write (all access)");
      const key = await create(page);
      expect(key.startsWith(prefix)).toBe(true);
      world.origin.clear();
      expect(await world.use(key)).toBe(200);
      expect(world.origin.requests.map(({ target }) => target)).toEqual([`${path}/health`]);
    },
  );

  test("Permissions: Select individual scopes", async () => {
    await openNew("Single scopes");
    await choosePermission(page, "Individual scopes");
    await page.getByRole("checkbox", { name: "inference:images:read" }).check();
    await page.getByLabel("Further scopes").fill("graphql:mutations:podStop");
    const key = await create(page);
    expect(await world.use(key)).toBe(200);
    expect(await world.use(key, "/v2/images/run", RUN)).toBe(403);
    expect(await world.use(key, "/v2/voices/health")).toBe(403);
    expect(await world.graphql(key, "mutation { podStop(id: 1) { id } }")).toBe(200);
    expect(await world.graphql(key, "mutation { podTerminate(id: 1) { id } }")).toBe(403);

    // The form to edit it has them as they were chosen, and sends nothing that was not changed.
    await page.getByRole("link", { name: "Open the key’s page" }).click();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    expect(await page.getByRole("checkbox", { name: "inference:images:read" }).isChecked()).toBe(true);
    expect((await page.getByLabel("Further scopes").inputValue()).trim()).toBe("graphql:mutations:podStop");
    await page.getByRole("button", { name: "Update" }).click();
    await page.getByText("Scopes as the API has them").click();
    expect(JSON.parse((await page.locator("pre.scopes").textContent())!)).toEqual([
      "inference:images:read",
      "graphql:mutations:podStop",
    ]);
  });

  test("or use a permission template", async () => {
    await openNew("Dashboard");
    await choosePermission(page, "From a template");
    await chooseCard(page, "Which template?", "inference_monitor");
    const key = await create(page);
    expect(await world.use(key)).toBe(200);
    expect(await world.use(key, "/v2/images/run", RUN)).toBe(403);
    await page.goto(`${world.gateway.url}${LIST}`);
    expect(await rowOf(page, "Dashboard").textContent()).toContain("inference_monitor");
  });

  test("a template of one's own", async () => {
    await page.getByRole("link", { name: "Permission templates" }).click();
    await page.getByRole("link", { name: "Create template" }).click();
    await page.getByLabel("Name", { exact: true }).fill("voices_only");
    await page.getByLabel("What it is for").fill("The call centre");
    await option(page, "Access to inference endpoints", "Restricted").check();
    await page.getByRole("radio", { name: "Voice model: Read/Write" }).check();
    await page.getByRole("button", { name: "Create template" }).click();
    expect(await page.getByRole("row").filter({ hasText: "voices_only" }).textContent()).toContain(
      "Voice model: Read/Write",
    );
    await page.goto(`${world.gateway.url}${LIST}`);
    await openNew("Call centre");
    await choosePermission(page, "From a template");
    await chooseCard(page, "Which template?", "voices_only");
    const key = await create(page);
    expect(await world.use(key, "/v2/voices/run", RUN)).toBe(200);
    expect(await world.use(key)).toBe(403);

    await page.getByRole("link", { name: "Permission templates" }).click();
    await page.getByRole("button", { name: "Delete voices_only" }).click();
    await page.getByRole("button", { name: "Delete template" }).click();
    await page.getByText("The template voices_only is deleted.").waitFor();
    expect(await world.use(key, "/v2/voices/run", RUN)).toBe(200);
  });

  test("Expiration Date: Optional date picker, or leave blank for no expiration", async () => {
    await openNew("Short-lived");
    await option(page, "When does it expire?", "30 days").check();
    const at = await page
      .getByText("It will expire on")
      .filter({ visible: true })
      .locator("time")
      .getAttribute("datetime");
    await create(page);
    await page.getByRole("link", { name: "Open the key’s page" }).click();
    const shown = await page
      .getByRole("definition")
      .locator("time")
      .evaluateAll((times) => times.map((time) => time.getAttribute("datetime")!));
    const difference = Math.min(...shown.map((time) => Math.abs(Date.parse(time) - Date.parse(at!))));
    expect(difference).toBeLessThan(60_000);

    await page.goto(`${world.gateway.url}${LIST}`);
    await openNew("For ever");
    await create(page);
    await page.goto(`${world.gateway.url}${LIST}`);
    expect(await rowOf(page, "For ever").locator('[data-label="Expires"]').textContent()).toBe("Never");
  });

  test("Copy the key immediately", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await openNew("Copied");
    const key = await create(page);
    await page.getByRole("button", { name: "Copy the key", exact: true }).click();
    await page.getByText("Copied", { exact: true }).filter({ visible: true }).first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(key);
  });
});

test("Rotating keys: a new key with the same permissions, time to update, the old one revoked", async () => {
  await openNew("Rotated");
  await choosePermission(page, "Inference only");
  const old = await create(page);
  await page.getByRole("link", { name: "Open the key’s page" }).click();
  await page.getByRole("link", { name: "Rotate" }).click();
  await page.getByText("24 hours", { exact: true }).click();
  await page.getByRole("button", { name: "Rotate key" }).click();
  const fresh = await shownKey(page);
  expect(fresh).not.toBe(old);
  expect(await page.getByText("goes on working for 24 hours").isVisible()).toBe(true);
  expect([await world.use(old), await world.use(fresh, "/v2/images/run", RUN)]).toEqual([200, 200]);

  // Sent again, it makes no third key.
  const [again] = await Promise.all([page.waitForNavigation(), page.reload()]);
  expect(again?.status()).toBe(409);
  expect(await page.locator("#new-key").count()).toBe(0);

  await page.goto(`${world.gateway.url}${LIST}?q=${old.slice(0, 14)}`);
  expect(await rowOf(page, "Rotated").textContent()).toContain("Expires within a day");
  await revoke(page, "Rotated");
  await inForce(() => world.use(old)).toBe(401);
  expect(await world.use(fresh)).toBe(200);
});

test("Revoking keys: find the key, click Revoke, confirm; revoked keys stop working immediately", async () => {
  for (const name of ["Needle in the hay", "Hay"]) {
    await page.goto(`${world.gateway.url}${LIST}`);
    await openNew(name);
    await choosePermission(page, "Read Only");
    if (name === "Hay") await create(page);
    else await page.getByRole("button", { name: "Create", exact: true }).click();
  }
  await page.goto(`${world.gateway.url}${LIST}`);
  await page.getByLabel("Search by name or prefix").fill("needle");
  await page.getByRole("button", { name: "Apply" }).click();
  expect(await page.getByRole("rowheader").count()).toBe(1);
  await page.getByRole("link", { name: "Revoke Needle in the hay" }).click();
  // Another name is not enough.
  await page.getByLabel("Type Needle in the hay to confirm").fill("Hay");
  const refused = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.getByRole("button", { name: "Revoke key" }).click();
  expect((await refused).status()).toBe(400);
  expect(await page.getByRole("alert").textContent()).toContain("That is not the name of this key");
  complaints.length = 0; // Chromium logs that 400
  await page.getByLabel("Type Needle in the hay to confirm").fill("Needle in the hay");
  await page.getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("Needle in the hay is revoked.").waitFor();
});

describe("Best practice", () => {
  const DAY = 24 * 3_600_000;
  const hintsOf = async (name: string) => rowOf(page, name).locator(".hints .badge").allTextContents();

  test("Rotate regularly, monitor usage, set expiration: the list says what is due", async () => {
    const now = Date.now();
    const cases: [name: string, key: object, hints: string[]][] = [
      ["Fresh", {}, []],
      ["Old", { created_at: now - 91 * DAY }, ["Older than 90 days", "Unused for 30 days"]],
      ["Unused", { created_at: now - 31 * DAY }, ["Unused for 30 days"]],
      ["Ending", { expires_at: now + 3.5 * DAY }, ["Expires in 3 days"]],
      ["Ending late", { expires_at: now + 8 * DAY }, []],
      ["Off", { created_at: now - 91 * DAY, enabled: false }, []],
    ];
    for (const [name, key] of cases) await world.gateway.createKey({ name, ...key });
    await page.reload();
    for (const [name, , hints] of cases) expect([name, await hintsOf(name)]).toEqual([name, hints]);
  });
});
