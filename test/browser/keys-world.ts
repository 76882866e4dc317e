import { type ConsoleWorld, startConsole } from "../console/visit.ts";
import type { TestGatewayOptions } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { privateJwk } from "../signing/keys.ts";
import { type Browser, launchBrowser, newVisitor, type Page, type Visitor } from "./browser.ts";

/** Namespaces of the account. */
export const TRAINING = "6f1c2d3e-0000-4000-8000-00000000000a";
export const STAGING = "6f1c2d3e-0000-4000-8000-00000000000b";
/** Another account's. */
export const FOREIGN = "6f1c2d3e-0000-4000-8000-00000000000c";

export const LIST = "/console/settings/api-keys";

/** A console with something to make keys for, and a browser to look at it. */
export interface KeysWorld extends ConsoleWorld {
  browser: Browser;
  origin: Origin;
  /** A page of somebody signed in, by default an owner of `acme`, at the list of keys. */
  signedIn(as?: { role?: string; account?: string; email?: string } & Visitor): Promise<Page>;
  /** Status of a request with a key: a read on a serverless endpoint unless told otherwise. */
  use(key: string, path?: string, options?: { method?: string; body?: object }): Promise<number>;
  /** Status of a GraphQL document with a key. */
  graphql(key: string, document: string): Promise<number>;
  /** Whether a key gets credentials for a namespace. */
  kubectl(key: string, namespace: string): Promise<number>;
}

/**
 * Account `acme`, named Acme: endpoints `images` and `voices` (serverless, both with a test origin), `llm`
 * (openai, without one) and `graphql`; namespaces training and staging. Account `other` has a namespace.
 */
export async function startKeysWorld(options: TestGatewayOptions = {}): Promise<KeysWorld> {
  const [world, origin, browser] = await Promise.all([
    startConsole({
      ...options,
      vars: { LEGACY_KEYS: "on", PUBLIC_URL: "https://gateway.test", ...options.vars },
      secrets: { SIGNING_KEYS: JSON.stringify({ keys: [await privateJwk("one")] }), ...options.secrets },
    }),
    Origin.start(),
    launchBrowser(),
  ]);
  const { gateway } = world;
  await gateway.createAccount("acme", { name: "Acme" });
  await gateway.createAccount("other");
  const mine = { account_id: "acme", origin: `${origin.url}/live`, test_origin: `${origin.url}/test` };
  await Promise.all([
    gateway.createEndpoint({ ...mine, id: "images", name: "Image model", protocol: "serverless" }),
    gateway.createEndpoint({ ...mine, id: "voices", name: "Voice model", protocol: "serverless" }),
    gateway.createEndpoint({ ...mine, id: "llm", name: "Chat", protocol: "openai", test_origin: null }),
    gateway.createEndpoint({ ...mine, id: "graphql", name: "GraphQL", protocol: "graphql" }),
  ]);
  for (const [id, account, name] of [
    [TRAINING, "acme", "training"],
    [STAGING, "acme", "staging"],
    [FOREIGN, "other", "foreign"],
  ] as const) {
    const cluster = { server: "https://kube.example.com:6443", audience: "https://kube.example.com" };
    await gateway.db
      .prepare(
        "INSERT INTO namespaces (id, account_id, name, cluster, created_at, updated_at) VALUES (?, ?, ?, ?, 0, 0)",
      )
      .bind(id, account, name, JSON.stringify(cluster))
      .run();
  }

  const call = async (
    key: string,
    path: string,
    { method = "GET", body }: { method?: string; body?: object } = {},
  ) =>
    (
      await gateway.call(path, {
        method,
        headers: { authorization: `Bearer ${key}` },
        ...(body !== undefined && { body }),
      })
    ).status;
  return {
    ...world,
    browser,
    origin,
    async signedIn({ role = "owner", account = "acme", email = "olga@acme.test", ...visitor } = {}) {
      const context = await newVisitor(browser, visitor);
      const page = await context.newPage();
      await page.goto(await world.link(account, role, { email, email_verified: true, name: email }));
      return page;
    },
    use: (key, path = "/v2/images/health", more) => call(key, path, more),
    graphql: (key, query) => call(key, "/graphql", { method: "POST", body: { query } }),
    kubectl: (key, namespace) =>
      call(key, `/v1/kubernetes/namespaces/${namespace}/exec-credential`, { method: "POST" }),
    async stop() {
      await browser.close();
      await world.stop();
      await origin.stop();
    },
  };
}

/** The row of a key in the list. */
export const rowOf = (page: Page, name: string) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

/** Opens the form for a new key from the list. */
export async function openForm(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Create API key" }).first().click();
}

/** The secret that the page shows. */
export async function shownKey(page: Page): Promise<string> {
  return (await page.locator("#new-key").textContent())!.trim();
}

/** Sends the form, and reads the key off the next page. */
export async function create(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Create", exact: true }).click();
  return shownKey(page);
}

/** A radio button of a group, by the words that stand there. */
export const option = (page: Page, group: string, name: string) =>
  page.getByRole("group", { name: group, exact: true }).getByRole("radio", { name, exact: true });

/** Clicks one of the cards of a group: the words on it, since the radio button lies below the whole card. */
export const chooseCard = (page: Page, group: string, name: string) =>
  page.getByRole("group", { name: group, exact: true }).getByText(name, { exact: true }).click();

export const choosePermission = (page: Page, name: string) => chooseCard(page, "What may it do?", name);

/** Switches a key in the list, and says yes: in a dialog with scripts, on a page without. */
export async function toggle(page: Page, name: string): Promise<void> {
  await page.getByRole("switch", { name: `API key ${name}`, exact: true }).click();
  await page.getByRole("button", { name: "Yes", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/toggle"));
}

/** Revokes a key from the list. */
export async function revoke(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name: `Revoke ${name}`, exact: true }).click();
  await page.getByLabel(`Type ${name} to confirm`).fill(name);
  await page.getByRole("button", { name: "Revoke key" }).click();
  await page.waitForURL(`**${LIST}`);
}

/** What the page says has just been done. */
export const notice = (page: Page) => page.getByRole("status").first().textContent();
