import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { complaintsOf, type Page } from "./browser.ts";
import {
  choosePermission,
  create,
  FOREIGN,
  type KeysWorld,
  LIST,
  notice,
  openForm,
  option,
  revoke,
  rowOf,
  STAGING,
  startKeysWorld,
  TRAINING,
  toggle,
} from "./keys-world.ts";

/** "API keys" (RemoteGPU), bullet by bullet, by clicking. */
let world: KeysWorld;
let page: Page;
let complaints: string[];
beforeAll(async () => {
  world = await startKeysWorld();
  page = await world.signedIn();
  complaints = complaintsOf(page);
});
afterAll(async () => {
  // Chromium logs every answer of 400 and 409 that a refused form gets.
  expect(complaints.filter((line) => !line.includes("the server responded with a status of 4"))).toEqual([]);
  await world?.stop();
});

/** "Open Settings / API Keys in the console" */
beforeEach(async () => {
  await page.goto(`${world.gateway.url}${LIST}`);
});

async function openNew(name: string) {
  await openForm(page);
  await page.getByLabel("Name", { exact: true }).fill(name);
}
const inForce = (ask: () => Promise<unknown>) => expect.poll(ask, { timeout: 4000, interval: 100 });
const problems = () => page.getByRole("alert").textContent();

describe("Where to manage keys", () => {
  test("create keys, rename keys, change expiry, change scopes, revoke keys", async () => {
    await openNew("Image client");
    await choosePermission(page, "Inference only");
    const key = await create(page);
    expect(await world.use(key)).toBe(200);

    await page.goto(`${world.gateway.url}${LIST}`);
    await page.getByRole("link", { name: "Edit Image client" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Image client of the web shop");
    await option(page, "When does it expire?", "On a day").check();
    await page.getByLabel("Day", { exact: true }).fill("2999-12-31");
    await choosePermission(page, "Read Only");
    await page.getByRole("button", { name: "Update" }).click();
    expect(await notice(page)).toContain("Image client of the web shop is updated");
    expect(await page.getByText("31 Dec 2999").isVisible()).toBe(true);
    await inForce(() => world.use(key, "/v2/images/run", { method: "POST", body: { input: {} } })).toBe(403);
    expect(await world.use(key)).toBe(200);

    await page.goto(`${world.gateway.url}${LIST}`);
    await revoke(page, "Image client of the web shop");
    await inForce(() => world.use(key)).toBe(401);
  });

  test("The raw key value is returned only when the key is created; after that, its prefix", async () => {
    await openNew("Shown once");
    const key = await create(page);
    expect(await page.getByText("It is shown this once and never again").isVisible()).toBe(true);
    await page.getByRole("link", { name: "Open the key’s page" }).click();
    for (const html of [
      await page.content(),
      await page.goto(world.gateway.url + LIST).then(() => page.content()),
    ]) {
      expect(html).toContain(key.slice(0, 14));
      expect(html).not.toContain(key.slice(0, 20));
    }
  });
});

describe("Scope shapes", () => {
  /** A read of inference, and credentials for each namespace. */
  const outcome = async (key: string) => [
    await world.use(key),
    await world.kubectl(key, TRAINING),
    await world.kubectl(key, STAGING),
  ];

  test("All access", async () => {
    await openNew("All access");
    await choosePermission(page, "Read/Write (all access)");
    expect(await outcome(await create(page))).toEqual([200, 200, 200]);
  });

  test("Inference only", async () => {
    await openNew("Inference only");
    await choosePermission(page, "Inference only");
    expect(await outcome(await create(page))).toEqual([200, 403, 403]);
  });

  test("Kubernetes exec only, namespace-scoped", async () => {
    await openNew("kubectl, training");
    await choosePermission(page, "Kubernetes only");
    await option(page, "Credentials for kubectl", "Chosen namespaces").check();
    await page.getByRole("checkbox", { name: /training/ }).check();
    expect(await outcome(await create(page))).toEqual([403, 200, 403]);
  });

  test("All namespaces owned by the current account", async () => {
    await openNew("kubectl, all");
    await choosePermission(page, "Kubernetes only");
    await option(page, "Credentials for kubectl", "All namespaces").check();
    const key = await create(page);
    expect(await outcome(key)).toEqual([403, 200, 200]);
    expect(await world.kubectl(key, FOREIGN)).not.toBe(200);
  });
});

describe("Invalid scope combinations", () => {
  test("{}: At least one explicit scope is required", async () => {
    await openNew("No scope");
    await choosePermission(page, "Individual scopes");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    expect(await problems()).toContain("Choose at least one scope");
  });

  test("no namespace: At least one namespace ID is required", async () => {
    await openNew("No namespace");
    await choosePermission(page, "Kubernetes only");
    await option(page, "Credentials for kubectl", "Chosen namespaces").check();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    expect(await problems()).toContain("Choose at least one namespace, or all of them");
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("No namespace");
  });

  test("inference and namespaces together are a choice of their own: Restricted", async () => {
    await openNew("Both");
    await choosePermission(page, "Restricted");
    await option(page, "Access to inference endpoints", "Read/Write").check();
    await option(page, "Credentials for kubectl", "Chosen namespaces").check();
    await page.getByRole("checkbox", { name: /training/ }).check();
    const key = await create(page);
    expect([await world.use(key), await world.kubectl(key, TRAINING)]).toEqual([200, 200]);
  });
});

test("Namespace ownership: somebody else's namespace is refused", async () => {
  await openNew("Thief");
  await choosePermission(page, "Kubernetes only");
  await option(page, "Credentials for kubectl", "Chosen namespaces").check();
  const box = page.getByRole("checkbox", { name: /training/ });
  await box.evaluate((input, id) => Object.assign(input, { value: id }), FOREIGN);
  await box.check();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  expect(await problems()).toContain(`Unknown namespace: ${FOREIGN}`);
});

describe("Lifecycle rules", () => {
  const refusedName = async (name: string) => {
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    return problems();
  };

  test("Key names are limited to 64 characters", async () => {
    await openNew("");
    expect(await refusedName("x".repeat(65))).toContain("Name must be 1 to 64 characters");
    expect(await refusedName("")).toContain("Name must be 1 to 64 characters");
    await page.getByLabel("Name", { exact: true }).fill("🔑".repeat(64));
    expect(await create(page)).toMatch(/^pst_live_/);
  });

  test("Expiration must be in the future", async () => {
    await openNew("Too late");
    await option(page, "When does it expire?", "On a day").check();
    await page.getByLabel("Day", { exact: true }).fill("2020-01-31");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    expect(await problems()).toContain("Expiry must be in the future");
    expect(await page.getByLabel("Day", { exact: true }).inputValue()).toBe("2020-01-31");
    // The way from the summary leads to the field.
    await page.getByRole("link", { name: "Expiry must be in the future" }).click();
    expect(await page.getByLabel("Day", { exact: true }).evaluate((input) => input.matches(":focus"))).toBe(
      true,
    );
  });

  test.each([
    ["Revoked", { revoked_at: Date.now() - 1000 }],
    ["Expired", { expires_at: Date.now() - 1000 }],
  ])("%s keys cannot be modified", async (state, change) => {
    const name = `${state} long ago`;
    const { id, key } = await world.gateway.createKey({ name, ...change });
    await page.reload();
    const row = rowOf(page, name);
    expect(await row.textContent()).toContain(state);
    expect(await row.getByRole("switch").count()).toBe(0);
    expect(await page.getByRole("link", { name: `Edit ${name}` }).count()).toBe(0);
    await page.goto(`${world.gateway.url}${LIST}/${id}/edit`);
    expect(await page.getByRole("status").first().textContent()).toContain(
      "Revoked or expired keys cannot be modified",
    );
    expect(await page.getByRole("button", { name: "Update" }).count()).toBe(0);
    expect(await world.use(key)).toBe(401);
  });

  test("Creating a key can fail with 409 if your account has reached its active key limit", async () => {
    await world.gateway.createKey({ name: "Switched off", enabled: false });
    await openNew("One too many");
    await world.gateway.changeAccount("acme", { active_key_limit: 1 });
    const [response] = await Promise.all([
      page.waitForResponse((answer) => answer.request().method() === "POST"),
      page.getByRole("button", { name: "Create", exact: true }).click(),
    ]);
    expect(response.status()).toBe(409);
    expect(await problems()).toContain("limit");
    // Neither does switching one on.
    const list = await world.signedIn();
    await toggle(list, "Switched off");
    expect(await list.getByRole("alert").textContent()).toContain("limit");
    await list.context().close();
    await world.gateway.changeAccount("acme", { active_key_limit: 1000 });
    expect(await create(page)).toMatch(/^pst_live_/);
  });
});

test("404 API key not found, for somebody else's as well", async () => {
  const { id } = await world.gateway.createKey({ account_id: "other" });
  for (const path of [`/${id}`, `/${id}/edit`, `/${id}/revoke`, `/${id}/usage`, "/key_nobodys"]) {
    const response = await page.goto(world.gateway.url + LIST + path);
    expect(response?.status()).toBe(404);
    expect(await page.getByRole("main").textContent()).toContain("API key not found");
  }
});
