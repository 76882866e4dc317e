import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Issuer, startIssuer } from "../console/issuer.ts";
import { type ConsoleWorld, startConsole } from "../console/visit.ts";
import { expectAccessibleInBoth } from "./axe.ts";
import { type Browser, complaintsOf, launchBrowser, newVisitor, type Page, tabTo } from "./browser.ts";

let issuer: Issuer;
let world: ConsoleWorld;
let browser: Browser;

beforeAll(async () => {
  issuer = await startIssuer({
    ada: {
      email: "ada@acme.test",
      email_verified: true,
      name: "Ada Lovelace",
      account_id: "acme",
      role: "owner",
    },
    bob: { email: "bob@acme.test", email_verified: true },
  });
  [world, browser] = await Promise.all([
    startConsole({
      vars: { OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: issuer.clientId },
      secrets: { OIDC_CLIENT_SECRET: issuer.clientSecret },
    }),
    launchBrowser(),
  ]);
  await issuer.open(world.gateway.url);
  await world.gateway.createAccount("acme");
});
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  await issuer?.stop();
});

/** Goes through the sign-in, from the console's page to the page after it. */
async function signIn(page: Page, login = "ada") {
  await page.goto(`${world.gateway.url}/console`);
  await page.getByRole("link", { name: /^Sign in with/ }).click();
  await page.getByLabel("Login").fill(login);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(`${world.gateway.url}/**`);
}

const heading = (page: Page) => page.getByRole("heading", { level: 1 }).textContent();

describe.each([{ scripts: true }, { scripts: false }])("with %o", ({ scripts }) => {
  test("somebody signs in through the issuer, sees whose account it is, and signs out", async () => {
    const context = await newVisitor(browser, { scripts });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await signIn(page);
    expect(await heading(page)).toBe("API keys");
    const banner = await page.getByRole("banner").textContent();
    for (const word of ["acme", "Ada Lovelace", "owner"]) expect(banner).toContain(word);

    await page.getByRole("button", { name: "Sign out" }).click();
    expect(await heading(page)).toBe("You are signed out");
    expect((await context.cookies(world.gateway.url)).map(({ name }) => name)).not.toContain(
      "postern_session",
    );
    await page.goto(`${world.gateway.url}/console/settings/api-keys`);
    expect(await heading(page)).toBe("Sign in");
    await page.goBack();
    expect(await page.content()).not.toContain("Ada Lovelace");
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test("by keyboard alone, to the page that was asked for", async () => {
  const context = await newVisitor(browser);
  const page = await context.newPage();
  await page.goto(`${world.gateway.url}/console/settings/api-keys?status=active`);
  await tabTo(page, "link", /^Sign in with/);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${issuer.url}/**`);
  await tabTo(page, "textbox", "Login");
  await page.keyboard.type("ada");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${world.gateway.url}/**`);
  expect(new URL(page.url()).search).toBe("?status=active");

  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.id")).toBe("main");
  await tabTo(page, "button", "Sign out");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/signed-out");
  await context.close();
});

test("who has no account yet is told what to do; who cancels is not in", async () => {
  const context = await newVisitor(browser);
  const page = await context.newPage();
  await signIn(page, "bob");
  expect(await heading(page)).toBe("No account yet");
  expect(await page.getByRole("main").textContent()).toContain("bob@acme.test");
  await expectAccessibleInBoth(page);
  await context.close();

  const other = await newVisitor(browser);
  const lost = await other.newPage();
  await lost.goto(`${world.gateway.url}/console`);
  await lost.getByRole("link", { name: /^Sign in with/ }).click();
  await lost.getByRole("button", { name: "Cancel" }).click();
  await lost.waitForURL(`${world.gateway.url}/**`);
  expect(await heading(lost)).toBe("You are not signed in");
  expect(await lost.getByRole("main").textContent()).toContain("you cancelled");
  await expectAccessibleInBoth(lost);
  await other.close();
});

test("an impatient second click does not send a form again", async () => {
  const context = await newVisitor(browser);
  const page = await context.newPage();
  await page.goto(await world.link("acme"));
  let posts = 0;
  await page.route("**/console/sign-out", async (route) => {
    posts += 1;
    await new Promise((done) => setTimeout(done, 400));
    await route.continue().catch(() => {}); // given up for a second one
  });
  const button = (await page.getByRole("button", { name: "Sign out" }).boundingBox())!;
  for (const pause of [150, 0]) {
    await page.mouse.click(button.x + 5, button.y + 5);
    await page.waitForTimeout(pause);
  }
  await page.waitForURL("**/console/signed-out");
  expect(posts).toBe(1);
  await context.close();
});

test("the pages on the way are accessible, in light and dark", async () => {
  const context = await newVisitor(browser);
  const page = await context.newPage();
  for (const path of ["/console/sign-in", "/console/signed-out"]) {
    await page.goto(world.gateway.url + path);
    await expectAccessibleInBoth(page);
  }
  await page.goto(await world.link(["acme", "other"], ["viewer", "admin"]));
  await expectAccessibleInBoth(page);
  await page.goto(`${world.gateway.url}/console/nowhere`);
  expect(await heading(page)).toBe("There is no such page");
  await expectAccessibleInBoth(page);
  await context.close();
});
