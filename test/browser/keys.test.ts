import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessibleInBoth } from "./axe.ts";
import { complaintsOf, type Page, tabTo } from "./browser.ts";
import {
  chooseCard,
  choosePermission,
  create,
  type KeysWorld,
  LIST,
  notice,
  openForm,
  option,
  rowOf,
  shownKey,
  startKeysWorld,
  toggle,
} from "./keys-world.ts";

let world: KeysWorld;
beforeAll(async () => {
  world = await startKeysWorld();
});
afterAll(() => world?.stop());

const url = (path = "") => `${world.gateway.url}${LIST}${path}`;
const inForce = (ask: () => Promise<unknown>) => expect.poll(ask, { timeout: 4000, interval: 100 });
const heading = (page: Page) => page.getByRole("heading", { level: 1 }).textContent();
const countKeys = async () =>
  (await world.gateway.db.prepare("SELECT count(*) AS n FROM keys").first<number>("n"))!;

describe("by keyboard alone", () => {
  test("create, try, disable, enable, edit, rotate and revoke", async () => {
    const page = await world.signedIn();
    const complaints = complaintsOf(page);
    const press = async (role: Parameters<typeof tabTo>[1], name: string | RegExp, key = "Enter") => {
      await tabTo(page, role, name);
      await page.keyboard.press(key);
    };
    await press("link", "+ Create API key");
    await page.waitForURL(url("/new"));
    await tabTo(page, "textbox", "Name");
    await page.keyboard.type("By keyboard");
    // From the chosen card, an arrow goes to the next: Restricted, Inference only.
    await tabTo(page, "radio", "Restricted");
    await page.keyboard.press("ArrowDown");
    await tabTo(page, "radio", "Never");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("radio", { name: "30 days" }).isChecked()).toBe(true);
    await page.keyboard.press("Enter");
    const key = await shownKey(page);
    expect(await world.use(key)).toBe(200);
    await press("link", "I have copied it");
    await page.waitForURL(url());

    await press("switch", "API key By keyboard", "Space");
    // The dialog has the focus; it starts at Yes.
    await press("button", "Yes");
    await page.getByText("By keyboard is disabled.").waitFor();
    await inForce(() => world.use(key)).toBe(401);
    await press("switch", "API key By keyboard", "Space");
    await page.keyboard.press("Escape");
    expect(await page.getByRole("dialog").count()).toBe(0);
    await press("switch", "API key By keyboard", "Space");
    await press("button", "Yes");
    await page.getByText("By keyboard is enabled.").waitFor();

    await press("link", "Edit By keyboard");
    await page.waitForURL(/\/edit$/);
    await tabTo(page, "textbox", "Name");
    await page.keyboard.press("End");
    await page.keyboard.type(", renamed");
    await press("button", "Update");
    await page.getByText("By keyboard, renamed is updated").waitFor();

    await press("link", "Rotate");
    await page.waitForURL(/\/rotate$/);
    await press("button", "Rotate key");
    const fresh = await shownKey(page);
    expect([await world.use(fresh), await world.use(key)]).toEqual([200, 200]);

    await press("link", "Open the key’s page");
    await press("link", "Revoke");
    await page.waitForURL(/\/revoke$/);
    await tabTo(page, "textbox", /^Type By keyboard, renamed/);
    await page.keyboard.type("By keyboard, renamed");
    await page.keyboard.press("Enter");
    await page.getByText("By keyboard, renamed is revoked.").waitFor();
    await inForce(() => world.use(fresh)).toBe(401);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe("the one-time reveal", () => {
  test("reloaded, makes no other key and shows nothing", async () => {
    const page = await world.signedIn();
    await openForm(page);
    await page.getByLabel("Name", { exact: true }).fill("Reloaded");
    const key = await create(page);
    const before = await countKeys();
    const [answer] = await Promise.all([page.waitForNavigation(), page.reload()]);
    expect(answer?.request().method()).toBe("POST");
    expect(answer?.status()).toBe(409);
    expect(await countKeys()).toBe(before);
    expect(await page.content()).not.toContain(key);
    expect(await heading(page)).toBe("This key exists already");

    // Back to the form that made it, and sent again.
    await page.goBack();
    await page.goto(url("/new"));
    await page.getByLabel("Name", { exact: true }).fill("Another");
    expect(await create(page)).not.toBe(key);
    await page.context().close();
  });

  test("is not lost to a double click", async () => {
    const page = await world.signedIn();
    await openForm(page);
    await page.getByLabel("Name", { exact: true }).fill("Clicked twice");
    const posts: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") posts.push(request.url());
    });
    await page.getByRole("button", { name: "Create", exact: true }).dblclick();
    expect(await shownKey(page)).toMatch(/^pst_live_/);
    expect(posts).toEqual([url("/new")]);
    await page.context().close();
  });

  /** What curl would send, read by a real shell. */
  function readCommand(command: string) {
    const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
    const [target, ...rest] = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0");
    const valuesAfter = (flag: string) => rest.filter((_, at) => rest[at - 1] === flag);
    const headers = Object.fromEntries(valuesAfter("-H").map((line) => line.split(": ") as [string, string]));
    return { target: new URL(target!), headers, body: valuesAfter("-d")[0] };
  }

  test.each<[string, (page: Page) => Promise<void>, string[]]>([
    [
      "a serverless endpoint",
      async (page) => {
        await page.getByRole("radio", { name: "Voice model: Read/Write" }).check();
      },
      ["GET /v2/voices/health", "POST /v2/voices/runsync"],
    ],
    [
      "an OpenAI-compatible endpoint",
      async (page) => {
        await page.getByRole("radio", { name: "Chat: Read Only" }).check();
      },
      ["GET /v2/llm/models"],
    ],
    [
      "GraphQL",
      async (page) => {
        await option(page, "GraphQL access", "Read Only").check();
      },
      ["POST /graphql"],
    ],
    [
      "Kubernetes",
      async (page) => {
        await option(page, "Credentials for kubectl", "Chosen namespaces").check();
        await page.getByRole("checkbox", { name: /staging/ }).check();
      },
      ["GET /v1/kubernetes/namespaces/6f1c2d3e-0000-4000-8000-00000000000b/kubeconfig"],
    ],
  ])("has commands that work: %s", async (what, choose, expected) => {
    const page = await world.signedIn();
    await page.goto(url("/new"));
    await page.getByLabel("Name", { exact: true }).fill(`Try ${what}`);
    await choose(page);
    const key = await create(page);
    const commands = await page.locator("pre[id^=call-]").allTextContents();
    const sent = [];
    for (const command of commands) {
      const { target, headers, body } = readCommand(command);
      expect(target.origin).toBe(world.gateway.url);
      expect(target.href).not.toContain(key);
      const method = body === undefined ? "GET" : "POST";
      const answer = await world.gateway.call(target.pathname, { method, headers, ...(body && { body }) });
      expect([command, answer.status]).toEqual([command, 200]);
      sent.push(`${method} ${target.pathname}`);
    }
    expect(sent).toEqual(expected);
    await page.context().close();
  });
});

describe("a form that allows nothing", () => {
  test.each([{ scripts: true }, { scripts: false }])(
    "says so, and no longer where something is allowed: %o",
    async ({ scripts }) => {
      const page = await world.signedIn({ scripts });
      await page.goto(url("/new"));
      const warned = () => page.getByText("This key allows nothing yet").isVisible();
      expect(await warned()).toBe(true);
      for (const card of ["Read Only", "From a template", "Individual scopes", "Kubernetes only"]) {
        await choosePermission(page, card);
        expect([card, await warned()]).toEqual([card, false]);
      }
      await choosePermission(page, "Restricted");
      expect(await warned()).toBe(true);
      for (const [group, allowing, nothing] of [
        ["GraphQL access", "Read Only", "None"],
        ["Access to inference endpoints", "Read/Write", "None"],
        ["Access to inference endpoints", "Read/Write", "Restricted"],
        ["Voice model", "Read Only", "None"],
        ["All other endpoints, those added later too", "Read Only", "None"],
        ["Credentials for kubectl", "All namespaces", "None"],
      ] as const) {
        const radio = (name: string) =>
          group === "Voice model"
            ? page.getByRole("radio", { name: `${group}: ${name}` })
            : option(page, group, name);
        await radio(allowing).check();
        expect([group, allowing, await warned()]).toEqual([group, allowing, false]);
        await radio(nothing).check();
        expect([group, nothing, await warned()]).toEqual([group, nothing, true]);
      }
      // What is chosen for single endpoints counts only while they are chosen singly.
      await page.getByRole("radio", { name: "Voice model: Read Only" }).check();
      await option(page, "Access to inference endpoints", "None").check();
      expect(await warned()).toBe(true);
      await page.context().close();
    },
  );
});

describe("a form that is refused", () => {
  test.each([{ scripts: true }, { scripts: false }])(
    "says all that is wrong, and keeps the rest: %o",
    async ({ scripts }) => {
      const page = await world.signedIn({ scripts });
      await page.goto(url("/new"));
      await chooseCard(page, "Environment", "Test");
      await option(page, "GraphQL access", "Named fields").check();
      await page.getByLabel("Mutations", { exact: true }).fill("podStop, not a field!");
      await page.getByRole("radio", { name: "Voice model: Read Only" }).check();
      await option(page, "Credentials for kubectl", "All namespaces").check();
      await option(page, "When does it expire?", "On a day").check();
      await page.getByLabel("Day", { exact: true }).fill("2001-01-01");
      await page.getByRole("button", { name: "Create", exact: true }).click();

      const links = page.getByRole("alert").getByRole("link");
      expect(await links.allTextContents()).toEqual([
        "Name must be 1 to 64 characters",
        "Name 4 of the list must be the name of a root field",
        "Expiry must be in the future",
      ]);
      expect(await page.title()).toMatch(/^Error: /);
      for (const [label, described] of [
        ["Name", "Name must be 1 to 64 characters"],
        ["Mutations", "Name 4 of the list must be the name of a root field"],
        ["Day", "Expiry must be in the future"],
      ] as const) {
        const input = page.getByLabel(label, { exact: true });
        expect(await input.getAttribute("aria-invalid")).toBe("true");
        const ids = (await input.getAttribute("aria-describedby"))!.split(" ");
        const texts = await Promise.all(ids.map((id) => page.locator(`#${id}`).textContent()));
        expect(texts).toContain(described);
      }
      expect(await page.getByLabel("Mutations", { exact: true }).inputValue()).toBe("podStop, not a field!");
      for (const [group, name] of [
        ["Environment", "Test"],
        ["GraphQL access", "Named fields"],
        ["Credentials for kubectl", "All namespaces"],
        ["When does it expire?", "On a day"],
      ] as const) {
        expect([name, await option(page, group, name).isChecked()]).toEqual([name, true]);
      }
      expect(await page.getByRole("radio", { name: "Voice model: Read Only" }).isChecked()).toBe(true);

      await page.getByLabel("Name", { exact: true }).fill("Mended");
      await page.getByLabel("Mutations", { exact: true }).fill("podStop");
      await page.getByLabel("Day", { exact: true }).fill("2999-01-01");
      expect(await create(page)).toMatch(/^pst_test_/);
      await page.context().close();
    },
  );
});

describe("the permission form", () => {
  test("gives every endpoint a level at once, and leaves those to come alone", async () => {
    const page = await world.signedIn();
    await page.goto(url("/new"));
    await page.getByLabel("Name", { exact: true }).fill("All at once");
    await page.getByRole("button", { name: "All Read/Write" }).click();
    await page.getByRole("button", { name: "All Read Only" }).click();
    await page.getByRole("radio", { name: "Chat: None" }).check();
    await create(page);
    await page.getByRole("link", { name: "Open the key’s page" }).click();
    await page.getByText("Scopes as the API has them").click();
    expect(JSON.parse((await page.locator("pre.scopes").textContent())!)).toEqual({
      restricted: { inference: { endpoints: { images: "read", voices: "read" } } },
    });
    await page.context().close();
  });

  test("names an endpoint that a wildcard serves, and shows it again", async () => {
    const account_id = "wild";
    await world.gateway.createAccount(account_id);
    const endpoint = { account_id, protocol: "serverless", origin: `${world.origin.url}/any` } as const;
    await world.gateway.createEndpoint({ ...endpoint, id: "anything", path: "/wild/*" });
    const page = await world.signedIn({ account: account_id });
    await page.goto(url("/new"));
    await page.getByLabel("Name", { exact: true }).fill("One of many");
    await page.getByLabel("Id of another endpoint").fill("model-7");
    await option(page, "Access to that endpoint", "Read Only").check();
    const key = await create(page);
    expect(await page.locator("#call-0").textContent()).toContain("/wild/model-7/health");
    expect(await world.use(key, "/wild/model-7/health")).toBe(200);
    expect(await world.use(key, "/wild/model-8/health")).toBe(403);
    await page.getByRole("link", { name: "Open the key’s page" }).click();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    expect(await page.getByRole("radio", { name: "model-7: Read Only" }).isChecked()).toBe(true);
    await page.context().close();
  });

  test("an edit that changes nothing leaves scopes as they were sent, whatever their shape", async () => {
    const page = await world.signedIn();
    const owner = await world.sessions.of("acme", "owner", { email: "olga@acme.test" });
    for (const scopes of [
      { all: true },
      { read_only: true },
      { inference: true },
      { kubernetes_exec: { all_namespaces: true } },
      { restricted: {} },
      { restricted: { graphql: { queries: "*", mutations: ["podStop"] } } },
      { restricted: { inference: { endpoints: { images: "none" }, others: "read" } } },
      ["inference:read", "inference:images:write", "kubernetes_exec:*"],
    ]) {
      const made = await world.gateway.call("/v1/account/api-keys", {
        method: "POST",
        headers: owner,
        body: { name: "As it was", scopes },
      });
      await page.goto(url(`/${made.json.id}/edit`));
      await page.getByLabel("Name", { exact: true }).fill("Renamed");
      await page.getByRole("button", { name: "Update" }).click();
      const now = await world.gateway.call(`/v1/account/api-keys/${made.json.id}`, { headers: owner });
      expect([now.json.name, now.json.scopes]).toEqual(["Renamed", scopes]);
      expect(now.json.permission).toBe(made.json.permission);
    }
    await page.context().close();
  });
});

describe("the list", () => {
  const ACCOUNT = "many";
  beforeAll(async () => {
    await world.gateway.createAccount(ACCOUNT, { name: "Many" });
    const start = Date.now() - 3_600_000;
    for (let i = 1; i <= 30; i += 1) {
      await world.gateway.createKey({
        account_id: ACCOUNT,
        name: `Service ${i}`,
        created_at: start + i,
        created_by: i % 10 === 0 ? "max@acme.test" : "olga@acme.test",
        environment: i % 3 === 0 ? "test" : "production",
        enabled: i !== 7,
      });
    }
  });
  const names = (page: Page) => page.getByRole("rowheader").getByRole("link").allTextContents();

  test("comes in pages, and narrows", async () => {
    const page = await world.signedIn({ account: ACCOUNT });
    expect((await names(page)).length).toBe(25);
    expect((await names(page))[0]).toBe("Service 30");
    await page.getByRole("link", { name: "Next page" }).click();
    expect(await names(page)).toEqual([5, 4, 3, 2, 1].map((i) => `Service ${i}`));
    await page.goBack();
    expect((await names(page))[0]).toBe("Service 30");

    await page.getByLabel("Status").selectOption("Disabled");
    await page.getByRole("button", { name: "Apply" }).click();
    expect(await names(page)).toEqual(["Service 7"]);
    await page.getByLabel("Status").selectOption("Any");
    await page.getByLabel("Environment").selectOption("Test");
    await page.getByLabel("Search by name or prefix").fill("service 1");
    await page.getByRole("button", { name: "Apply" }).click();
    expect(await names(page)).toEqual([18, 15, 12].map((i) => `Service ${i}`));
    await page.getByLabel("Search by name or prefix").fill("no such name");
    await page.getByRole("button", { name: "Apply" }).click();
    expect(await page.getByRole("heading", { name: "No key matches" }).isVisible()).toBe(true);
    await page.getByRole("link", { name: "Show all keys" }).click();
    expect((await names(page)).length).toBe(25);
    await page.context().close();
  });

  test.each([{ scripts: true }, { scripts: false }])(
    "disables many at once, and comes back to where it was: %o",
    async ({ scripts }) => {
      const [first, second] = scripts ? ["Service 21", "Service 24"] : ["Service 26", "Service 29"];
      const page = await world.signedIn({ account: ACCOUNT, scripts });
      await page.goto(`${url()}?q=Service+2`);
      await page.getByRole("button", { name: "Disable ticked keys" }).click();
      if (scripts) await page.getByRole("button", { name: "Disable keys" }).click();
      expect(await notice(page)).toBe("Tick the keys to disable first.");
      if (scripts) {
        await page.getByRole("button", { name: "Tick all" }).click();
        expect(await page.getByRole("checkbox", { checked: true }).count()).toBeGreaterThan(5);
        await page.getByRole("button", { name: "Tick none" }).click();
      }
      for (const name of [first, second]) await page.getByRole("checkbox", { name: `Tick ${name}` }).check();
      await page.getByRole("button", { name: "Disable ticked keys" }).click();
      if (!scripts) expect(await page.getByRole("main").textContent()).toContain(`${second}, ${first}`);
      await page.getByRole("button", { name: scripts ? "Disable keys" : "Disable 2 keys" }).click();
      await page.getByText("2 keys are disabled.").waitFor();
      expect(new URL(page.url()).search).toBe("?q=Service+2");
      for (const name of [first!, second!]) {
        expect(await page.getByRole("switch", { name: `API key ${name}` }).getAttribute("aria-checked")).toBe(
          "false",
        );
      }
      await page.context().close();
    },
  );

  test("finds a key by itself, of which only the prefix goes into the address", async () => {
    const { key } = await world.gateway.createKey({ name: "Whose is this?" });
    const page = await world.signedIn();
    for (const text of [key, `${key.slice(0, 14)}…`]) {
      await page.getByLabel("Search by name or prefix").fill(text);
      await page.getByRole("button", { name: "Apply" }).click();
      expect(await names(page)).toEqual(["Whose is this?"]);
      expect(page.url()).toContain(key.slice(0, 14));
      expect(page.url()).not.toContain(key);
    }
    await page.context().close();
  });

  test("invites to create the first key, or says who can", async () => {
    await world.gateway.createAccount("empty");
    const owner = await world.signedIn({ account: "empty" });
    await owner.getByRole("heading", { name: "Create your first API key" }).waitFor();
    await owner.getByRole("main").getByRole("link", { name: "+ Create API key" }).last().click();
    expect(await heading(owner)).toBe("Create API key");
    const viewer = await world.signedIn({ account: "empty", role: "viewer" });
    expect(await viewer.getByRole("main").textContent()).toContain(
      "An owner or a member of this account can create one",
    );
    expect(await viewer.getByRole("link", { name: /Create/ }).count()).toBe(0);
    await owner.context().close();
    await viewer.context().close();
  });

  test("a viewer looks and changes nothing", async () => {
    const page = await world.signedIn({ account: ACCOUNT, role: "viewer" });
    expect((await names(page)).length).toBe(25);
    expect(await page.getByRole("main").getByRole("button").allTextContents()).toEqual(["Apply"]);
    for (const name of [/^Edit/, /^Revoke/, /Create/]) {
      expect(await page.getByRole("link", { name }).count()).toBe(0);
    }
    const row = page.getByRole("rowheader").getByRole("link").first();
    const href = (await row.getAttribute("href"))!;
    await row.click();
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
    for (const part of ["/edit", "/rotate", "/revoke"]) {
      const answer = await page.goto(world.gateway.url + href + part);
      expect(answer?.status()).toBe(403);
      expect(await page.getByRole("main").textContent()).toContain("viewer");
    }
    await page.context().close();
  });

  test("a member sees and changes the keys they made", async () => {
    const page = await world.signedIn({ account: ACCOUNT, role: "member", email: "max@acme.test" });
    expect(await names(page)).toEqual([30, 20, 10].map((i) => `Service ${i}`));
    await toggle(page, "Service 20");
    expect(await notice(page)).toBe("Service 20 is disabled.");
    const foreign = await world.gateway.createKey({ account_id: ACCOUNT, created_by: "olga@acme.test" });
    expect((await page.goto(url(`/${foreign.id}`)))?.status()).toBe(404);
    await page.context().close();
  });

  test("shows a hostile name as the text it is", async () => {
    const name = `<img src=x onerror="document.title='hit'">&amp;'"`;
    await world.gateway.createKey({ name, account_id: "acme" });
    const page = await world.signedIn();
    const complaints = complaintsOf(page);
    await rowOf(page, name).waitFor();
    await toggle(page, name);
    expect(await notice(page)).toBe(`${name} is disabled.`);
    await page.getByRole("link", { name: `Revoke ${name}`, exact: true }).click();
    expect(await heading(page)).toBe(`Revoke ${name}?`);
    expect(await page.title()).not.toBe("hit");
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe.each([{ phone: false }, { phone: true }])(
  "axe-core finds nothing, in light and dark, with %o",
  ({ phone }) => {
    let page: Page;
    let id: string;
    beforeAll(async () => {
      page = await world.signedIn({ phone });
      const DAY = 24 * 3_600_000;
      const made = { created_at: Date.now() - 100 * DAY, expires_at: Date.now() + DAY };
      id = (
        await world.gateway.createKey({ name: "W".repeat(64), permissions: { inference: "read" }, ...made })
      ).id;
      await world.gateway.createKey({ name: "Revoked one", revoked_at: Date.now() });
    });
    afterAll(() => page?.context().close());

    /** A page as wide as the screen: nothing to scroll sideways. */
    const fits = () => page.evaluate("document.documentElement.scrollWidth <= innerWidth");

    test.each([
      ["list", ""],
      ["empty list", "?q=nothing+like+it"],
      ["a key", "/{id}"],
      ["edit", "/{id}/edit"],
      ["rotate", "/{id}/rotate"],
      ["revoke", "/{id}/revoke"],
      ["usage", "/{id}/usage"],
      ["templates", "/../templates"],
      ["new template", "/../templates/new"],
    ])("%s", async (_, path) => {
      await page.goto(url(path.replace("{id}", id)));
      await expectAccessibleInBoth(page);
      expect(await fits()).toBe(true);
    });

    test("the form, with everything open, refused, and the key it makes", async () => {
      await page.goto(url("/new"));
      for (const permission of ["From a template", "Individual scopes", "Restricted"]) {
        await choosePermission(page, permission);
        await expectAccessibleInBoth(page);
      }
      await option(page, "GraphQL access", "Read/Write").check();
      await option(page, "Credentials for kubectl", "Chosen namespaces").check();
      await option(page, "When does it expire?", "On a day").check();
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.getByRole("alert").waitFor();
      await expectAccessibleInBoth(page);
      expect(await fits()).toBe(true);
      await page.getByLabel("Name", { exact: true }).fill("Seen by axe");
      await option(page, "Credentials for kubectl", "None").check();
      await option(page, "When does it expire?", "7 days").check();
      await create(page);
      await expectAccessibleInBoth(page);
      expect(await fits()).toBe(true);
    });
  },
);
