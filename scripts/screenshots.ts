// `npm run screenshots`: a picture of every page of the console in docs/images/, from a local gateway with
// something in it. Needs no internet. Nothing on them is real: keys, people and gateway are gone afterwards.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, launchBrowser, newVisitor, type Page } from "../test/browser/browser.ts";
import { type ConsoleWorld, startConsole } from "../test/console/visit.ts";
import { OLGA, type Seeded, seed } from "./screenshots/seed.ts";
import { smallPng } from "./screenshots/small-png.ts";

const DIRECTORY = join(import.meta.dirname, "..", "docs", "images");
/** Longest picture, in pixels: what is further down a page is more of the same. */
const TALLEST = 1280;

interface Picture {
  /** Name of the file, without `.png` and without the colours it is in. */
  name: string;
  path: (seeded: Seeded) => string;
  /** What is done on the page before it is taken. */
  act?: (page: Page, seeded: Seeded) => Promise<unknown>;
  /** On a phone as well. */
  phone?: true;
  /** Before signing in. */
  outside?: true;
}

const KEYS = "/console/settings/api-keys";
const ADMIN = "/console/admin";

const PICTURES: readonly Picture[] = [
  { name: "sign-in", path: () => "/console/sign-in", outside: true },
  { name: "console", path: () => KEYS, phone: true },
  {
    name: "key-new",
    path: () => `${KEYS}/new`,
    act: async (page) => {
      await page.getByLabel("Name", { exact: true }).fill("Support dashboard");
    },
    phone: true,
  },
  { name: "key", path: ({ keyId }) => `${KEYS}/${keyId}` },
  { name: "key-edit", path: ({ keyId }) => `${KEYS}/${keyId}/edit` },
  { name: "key-rotate", path: ({ keyId }) => `${KEYS}/${keyId}/rotate` },
  { name: "key-revoke", path: ({ keyId }) => `${KEYS}/${keyId}/revoke` },
  { name: "usage", path: ({ keyId }) => `${KEYS}/${keyId}/usage`, phone: true },
  { name: "templates", path: () => "/console/settings/templates" },
  { name: "template-new", path: () => "/console/settings/templates/new" },
  { name: "account-endpoints", path: () => "/console/settings/endpoints" },
  { name: "account-namespaces", path: () => "/console/settings/namespaces" },
  { name: "account-audit-log", path: () => "/console/settings/audit-log" },
  { name: "admin-endpoints", path: () => `${ADMIN}/endpoints`, phone: true },
  { name: "admin-endpoint-new", path: () => `${ADMIN}/endpoints/new` },
  { name: "admin-endpoint", path: () => `${ADMIN}/endpoints/chat/edit` },
  {
    name: "admin-try-path",
    path: () => `${ADMIN}/endpoints/try`,
    act: async (page) => {
      await page.getByLabel("Method").selectOption("POST");
      await page.getByLabel("Path", { exact: true }).fill("/v2/chat/chat/completions");
      await page.getByRole("button", { name: "Try", exact: true }).click();
      await page.getByRole("heading", { name: /needs/ }).waitFor();
    },
  },
  { name: "admin-accounts", path: () => `${ADMIN}/accounts` },
  { name: "admin-account", path: () => `${ADMIN}/accounts/acme/edit` },
  { name: "admin-members", path: () => `${ADMIN}/members` },
  { name: "admin-member", path: () => `${ADMIN}/members/ines@acme.example/edit` },
  { name: "admin-namespaces", path: () => `${ADMIN}/namespaces` },
  { name: "admin-namespace", path: ({ namespaceId }) => `${ADMIN}/namespaces/${namespaceId}/edit` },
  { name: "admin-keys", path: () => `${ADMIN}/keys` },
  {
    name: "admin-find-key",
    path: () => `${ADMIN}/keys/find`,
    act: async (page, { leaked }) => {
      await page.getByLabel(/whole key/).fill(leaked);
      await page.getByRole("button", { name: "Find owner" }).click();
      await page.getByText("It belongs to").waitFor();
    },
  },
  { name: "admin-import", path: () => `${ADMIN}/import` },
  { name: "admin-audit-log", path: () => `${ADMIN}/audit-log` },
];

/** Takes all pictures as one visitor: light or dark, desktop or phone. */
async function take(
  world: ConsoleWorld,
  browser: Browser,
  seeded: Seeded,
  { dark, phone }: { dark: boolean; phone: boolean },
): Promise<void> {
  const context = await newVisitor(browser, { dark, phone });
  const page = await context.newPage();
  const wanted = PICTURES.filter((picture) => !phone || picture.phone);
  let inside = false;
  for (const { name, path, act, outside } of wanted) {
    if (!inside && !outside) {
      await page.goto(await world.link("acme", ["owner", "admin"], { ...OLGA, email_verified: true }));
      inside = true;
    }
    const answer = await page.goto(world.gateway.url + path(seeded));
    if (answer?.status() !== 200) throw new Error(`${path(seeded)} answered ${answer?.status()}`);
    await act?.(page, seeded);
    const { width, height } = await page.evaluate(() => ({
      width: document.documentElement.clientWidth,
      height: document.documentElement.scrollHeight,
    }));
    const clip = { x: 0, y: 0, width, height: Math.min(height, TALLEST) };
    const file = `${name}${phone ? "-phone" : ""}${dark ? "-dark" : ""}.png`;
    await writeFile(join(DIRECTORY, file), smallPng(await page.screenshot({ fullPage: true, clip })));
  }
  await context.close();
}

await mkdir(DIRECTORY, { recursive: true });
const world = await startConsole({ vars: { LEGACY_KEYS: "on", PUBLIC_URL: "https://gateway.example.com" } });
let browser: Browser | undefined;
try {
  const seeded = await seed(world);
  browser = await launchBrowser();
  for (const phone of [false, true]) {
    for (const dark of [false, true]) await take(world, browser, seeded, { dark, phone });
  }
} finally {
  await browser?.close();
  await world.stop();
}
