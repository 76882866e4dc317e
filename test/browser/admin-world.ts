import type { Locator } from "playwright-core";
import { type ConsoleWorld, startConsole } from "../console/visit.ts";
import { Origin } from "../harness/origin.ts";
import { as } from "../harness/sessions.ts";
import { type Browser, complaintsOf, launchBrowser, newVisitor, type Page, type Visitor } from "./browser.ts";

export const ADMIN = "/console/admin";

/** Whoever opens a page: by default an admin who owns `acme`. */
export interface Who extends Visitor {
  role?: string | string[];
  account?: string;
  email?: string;
  /** The page to begin at; default the console's first. */
  at?: string;
}

/** A console to administer, an origin to put behind it, and a browser to do it with. */
export interface AdminWorld extends ConsoleWorld {
  origin: Origin;
  browser: Browser;
  /** The admin API, as an admin. */
  admin: ReturnType<typeof as>;
  open(who?: Who): Promise<Page>;
  /** Status of a request with a key: a read on the endpoint `llm` unless told otherwise. */
  use(key: string, path?: string, method?: string): Promise<number>;
  /** What browsers complained about on the pages so far: scripts' errors, breaches of the content policy. */
  complaints(): string[];
}

/** Account `acme` (named Acme) with the endpoint `llm`, and account `other`. */
export async function startAdminWorld(): Promise<AdminWorld> {
  const [world, origin, browser] = await Promise.all([
    startConsole({ vars: { LEGACY_KEYS: "on" } }),
    Origin.start(),
    launchBrowser(),
  ]);
  const { gateway, sessions } = world;
  await gateway.createAccount("acme", { name: "Acme" });
  await gateway.createAccount("other", { name: "Other" });
  await gateway.createEndpoint({ id: "llm", name: "LLM", protocol: "openai", origin: origin.url });
  const complaints: string[] = [];
  return {
    ...world,
    origin,
    browser,
    admin: as(gateway, await sessions.admin({ email: "root@acme.test" })),
    async open({
      role = ["owner", "admin"],
      account = "acme",
      email = "ada@acme.test",
      at,
      ...visitor
    } = {}) {
      const context = await newVisitor(browser, visitor);
      const page = await context.newPage();
      const heard = complaintsOf(page);
      page.on("close", () => complaints.push(...heard));
      await page.goto(await world.link(account, role, { email, email_verified: true, name: email }));
      if (at !== undefined) await page.goto(gateway.url + at);
      return page;
    },
    use: async (key, path = "/v2/llm/models", method = "GET") =>
      (await gateway.call(path, { method, headers: { authorization: `Bearer ${key}` } })).status,
    complaints: () => complaints,
    async stop() {
      await browser.close();
      await world.stop();
      await origin.stop();
    },
  };
}

/** Says yes in the dialog that a button opens. */
export async function confirm(page: Page, label: string): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name: label }).click();
}

/** Clicks one of a group of cards, which covers its radio button. */
export async function choose(page: Page, label: string): Promise<void> {
  await page.locator(".option label").getByText(label, { exact: true }).click();
}

/** What somebody sees of the first such element, once there is one. */
export async function seen(locator: Locator): Promise<string> {
  await locator.first().waitFor();
  return (await locator.allInnerTexts())[0]!.trim();
}

/** What the page says happened, or went wrong. */
export const notice = (page: Page) => seen(page.locator("main .notice"));

export const heading = (page: Page) => seen(page.getByRole("heading", { level: 1 }));
