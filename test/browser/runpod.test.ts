import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complaintsOf, type Page } from "./browser.ts";
import {
  chooseCard,
  choosePermission,
  create,
  type KeysWorld,
  LIST,
  notice,
  openForm,
  option,
  revoke,
  rowOf,
  startKeysWorld,
  toggle,
} from "./keys-world.ts";

/** "API keys" and "Scoped API Keys Now Live" (Runpod), step by step and bullet by bullet, by clicking. */
let world: KeysWorld;
beforeAll(async () => {
  world = await startKeysWorld();
});
afterAll(() => world?.stop());

const QUERY = "query { pods { id } }";
const MUTATION = "mutation { podStop(id: 1) { id } }";
const RUN = { method: "POST", body: { input: {} } };

/** Statuses of a read and a write on an endpoint, a query and a mutation. */
const outcome = async (key: string, endpoint = "images") => [
  await world.use(key, `/v2/${endpoint}/health`),
  await world.use(key, `/v2/${endpoint}/run`, RUN),
  await world.graphql(key, QUERY),
  await world.graphql(key, MUTATION),
];

/** A change is in force a lease after it was made. */
const inForce = (ask: () => Promise<unknown>) => expect.poll(ask, { timeout: 4000, interval: 100 });

describe.each([{ scripts: true }, { scripts: false }])("with %o", ({ scripts }) => {
  const suffix = scripts ? "with scripts" : "without";
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    page = await world.signedIn({ scripts });
    complaints = complaintsOf(page);
  });
  afterAll(async () => {
    expect(complaints).toEqual([]);
    await page?.context().close();
  });

  /** Step 1 of every list of steps: "From the console, select **Settings**." */
  async function openSettings() {
    await page.goto(`${world.gateway.url}/console`);
    await page.getByRole("link", { name: "Settings", exact: true }).click();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("API keys");
  }

  async function openNew(name: string) {
    await openSettings();
    await openForm(page);
    await page.getByLabel("Name", { exact: true }).fill(name);
  }

  describe("Generate", () => {
    test.each([
      ["Read/Write (all access)", "Read/Write", [200, 200, 200, 200]],
      ["Read Only", "Read Only", [200, 403, 200, 403]],
      ["Restricted", "Restricted", [403, 403, 403, 403]],
    ])(
      'choose "+ Create API Key", select the permission %s, choose Create',
      async (card, label, expected) => {
        const name = `${card} ${suffix}`;
        await openNew(name);
        await choosePermission(page, card);
        const key = await create(page);
        expect(key).toMatch(/^pst_live_[0-9A-Za-z]{47}$/);
        expect(await outcome(key)).toEqual(expected);
        await openSettings();
        expect(await rowOf(page, name).textContent()).toContain(label);
      },
    );

    test("If you choose Restricted permission, you can customize access for each API", async () => {
      await openNew(`Each API ${suffix}`);
      await choosePermission(page, "Restricted");
      for (const level of ["None", "Read/Write", "Read Only"]) {
        await option(page, "GraphQL access", level).check();
      }
      await option(page, "Access to inference endpoints", "Restricted").check();
      // "No access is default."
      for (const endpoint of ["Image model", "Voice model", "Chat"]) {
        expect(await page.getByRole("radio", { name: `${endpoint}: None` }).isChecked()).toBe(true);
      }
      await page.getByRole("radio", { name: "Image model: Read/Write" }).check();
      await page.getByRole("radio", { name: "Voice model: Read Only" }).check();
      const key = await create(page);
      expect(await outcome(key)).toEqual([200, 200, 200, 403]);
      expect(await outcome(key, "voices")).toEqual([200, 403, 200, 403]);
      expect(await world.use(key, "/v2/llm/models")).toBe(403);
    });

    test.runIf(scripts)("every endpoint can be given one level at once", async () => {
      await openNew(`All endpoints ${suffix}`);
      await option(page, "Access to inference endpoints", "Read Only").check();
      const key = await create(page);
      for (const endpoint of ["images", "voices"]) {
        expect(await outcome(key, endpoint)).toEqual([200, 403, 403, 403]);
      }
    });

    test("Only allow full access to GraphQL when absolutely necessary: the page says why", async () => {
      await openNew("not made");
      const warning = page.getByText("whoever holds the key controls your account").first();
      if (scripts) expect(await warning.isVisible()).toBe(false);
      await choosePermission(page, "Read/Write (all access)");
      expect(await warning.isVisible()).toBe(true);
    });
  });

  test("Edit permission: the pencil icon, select the permission, choose Update", async () => {
    const name = `Edited ${suffix}`;
    await openNew(name);
    const key = await create(page);
    expect(await outcome(key)).toEqual([403, 403, 403, 403]);
    await openSettings();
    await page.getByRole("link", { name: `Edit ${name}`, exact: true }).click();
    await choosePermission(page, "Read Only");
    await page.getByRole("button", { name: "Update" }).click();
    expect(await notice(page)).toContain(`${name} is updated`);
    await inForce(() => outcome(key)).toEqual([200, 403, 200, 403]);
  });

  test("Disable, then Enable: the toggle, then Yes", async () => {
    const name = `Toggled ${suffix}`;
    await openNew(name);
    await choosePermission(page, "Read Only");
    const key = await create(page);
    await openSettings();
    await toggle(page, name);
    expect(await notice(page)).toBe(`${name} is disabled.`);
    await inForce(() => world.use(key)).toBe(401);
    await openSettings();
    const state = page.getByRole("switch", { name: `API key ${name}`, exact: true });
    expect(await state.getAttribute("aria-checked")).toBe("false");
    await toggle(page, name);
    expect(await state.getAttribute("aria-checked")).toBe("true");
    await inForce(() => world.use(key)).toBe(200);
  });

  test("Revoke: the trash can icon, then Revoke Key", async () => {
    const name = `Revoked ${suffix}`;
    await openNew(name);
    await choosePermission(page, "Read Only");
    const key = await create(page);
    expect(await world.use(key)).toBe(200);
    await openSettings();
    await revoke(page, name);
    await inForce(() => world.use(key)).toBe(401);
    const row = rowOf(page, name);
    expect(await row.textContent()).toContain("Revoked");
    expect(await row.getByRole("switch").count()).toBe(0);
  });

  test.runIf(scripts)("View created and last used dates for API keys", async () => {
    const name = `Dates ${suffix}`;
    await openNew(name);
    await choosePermission(page, "Read Only");
    const key = await create(page);
    await openSettings();
    const cell = (label: string) => rowOf(page, name).locator(`[data-label="${label}"]`);
    const today = new Date().toISOString().slice(0, 10);
    expect(await cell("Created").locator("time").getAttribute("datetime")).toContain(today);
    expect(await cell("Last used").textContent()).toBe("Never");
    expect(await world.use(key)).toBe(200);
    await expect
      .poll(
        async () => {
          await page.reload();
          return cell("Last used").textContent();
        },
        { timeout: 10_000, interval: 300 },
      )
      .toMatch(/\d{4} \d\d:\d\d UTC$/);
  });

  test.runIf(scripts)(
    "existing keys remain in their legacy format: they can be toggled and renamed, not scoped",
    async () => {
      const name = `Legacy ${suffix}`;
      const secret = `LEGACY${suffix.replaceAll(" ", "")}${"0123456789".repeat(3)}`;
      const permissions = { graphql: "read", inference: "read_write" } as const;
      const { id } = await world.gateway.createKey({ name, secret, legacy: true, permissions });
      await openSettings();
      expect(await rowOf(page, name).textContent()).toContain("Legacy");
      await page.getByRole("link", { name: `Edit ${name}`, exact: true }).click();
      expect(await page.getByText("The scopes of a legacy key cannot be edited").isVisible()).toBe(true);
      expect(await page.getByRole("group", { name: "What may it do?" }).count()).toBe(0);
      await page.getByLabel("Name", { exact: true }).fill(`${name} renamed`);
      await page.getByRole("button", { name: "Update" }).click();
      expect(await notice(page)).toContain("renamed is updated");
      expect(await outcome(secret)).toEqual([200, 200, 200, 403]);

      await openSettings();
      await toggle(page, `${name} renamed`);
      await inForce(() => world.use(secret)).toBe(401);

      await page.goto(`${world.gateway.url}${LIST}/${id}/rotate`);
      await chooseCard(
        page,
        `How long does the old key, ${secret.slice(0, 8)}…, go on working?`,
        "Not at all",
      );
      await page.getByRole("button", { name: "Rotate key" }).click();
      expect(await page.locator("#new-key").textContent()).toMatch(/^pst_live_/);
    },
  );
});
