import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { chromiumPath } from "./chromium.ts";

export type { Browser, BrowserContext, Page };

/**
 * Not the package's own list, which switches the same-origin policy off. Nothing here talks to anybody
 * but the pages under test.
 */
const FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-default-browser-check",
  "--no-first-run",
  "--no-pings",
  "--no-sandbox", // tests run as root in containers
  // Else pages on loopback may not fetch from loopback, and an attack that does would fail for that alone.
  "--disable-features=LocalNetworkAccessChecks",
  "--no-zygote",
  "--disable-gpu",
  "--disable-dev-shm-usage",
];

/** How a visitor's browser is set up. */
export interface Visitor {
  /** Default on. */
  scripts?: boolean;
  dark?: boolean;
  /** Width of a small phone instead of a desktop's. */
  phone?: boolean;
}

/** A browser for one test file. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumPath(), args: FLAGS, headless: true });
}

/** A new visitor: no cookies yet. Steps time out after 5 s, so that a page that lacks something says so soon. */
export async function newVisitor(browser: Browser, { scripts = true, dark, phone }: Visitor = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: scripts,
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 860 },
    locale: "en-GB",
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(5000);
  return context;
}

/** What the browser complains about on a page: errors of scripts, and breaches of the content policy. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return complaints;
}

/** Presses Tab until the element with this accessible name has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, role: Parameters<Page["getByRole"]>[0], name: string | RegExp) {
  const target = page.getByRole(role, { name }).first();
  for (let presses = 0; presses < 200; presses += 1) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach the ${role} "${name}"`);
}
