import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { as } from "../harness/sessions.ts";
import {
  ADMIN,
  type AdminWorld,
  choose,
  confirm,
  heading,
  notice,
  seen,
  startAdminWorld,
} from "./admin-world.ts";
import { tabTo } from "./browser.ts";

/** A change is in force a lease later at the latest: one second in tests. */
const IN_FORCE = { timeout: 4000 };

let world: AdminWorld;
beforeAll(async () => {
  world = await startAdminWorld();
});
afterAll(() => world.stop());

describe("endpoints", () => {
  test("are added, changed and deleted by clicking, and requests follow", async () => {
    const { gateway, origin, use } = world;
    const { key } = await gateway.createKey({ permissions: { inference: "read" } });
    const page = await world.open({ at: `${ADMIN}/endpoints` });
    await page.getByRole("link", { name: "Add endpoint" }).click();
    await page.getByLabel("Id", { exact: true }).fill("search");
    await page.getByLabel("Name", { exact: true }).fill("Search");
    await page.getByLabel("Account", { exact: true }).fill("acme");
    await choose(page, "Any HTTP");
    await page.getByLabel("Origin", { exact: true }).fill(`${origin.url}/search`);
    await page.getByLabel(/Own rules/).fill("POST /query read\npost /query/* READ");
    await page.getByRole("button", { name: "Add endpoint" }).click();
    expect(await notice(page)).toBe("Search is registered. It is reached under /v2/search.");

    expect(await use(key, "/v2/search/query", "POST")).toBe(200);
    expect(origin.requests.at(-1)?.target).toBe("/search/query");
    expect(await use(key, "/v2/search/other", "POST")).toBe(403);
    const { json } = await world.admin("GET", "/admin/endpoints/search");
    expect(json).toMatchObject({
      account_id: "acme",
      api: "inference",
      protocol: "http",
      timeout_seconds: 120,
      redirects: "refuse",
      freshness: "bounded",
      credential: null,
      cors: null,
      operations: [
        { method: "POST", path: "/query", access: "read" },
        { method: "POST", path: "/query/*", access: "read" },
      ],
    });

    await page.getByLabel("Path on this gateway").fill("/find");
    await page.getByLabel(/Own rules/).fill("");
    await page.getByLabel("Web pages that may call it").fill("https://app.example.com");
    await choose(page, "In force at once");
    await page.getByLabel(/Seconds to wait/).fill("30");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await notice(page)).toBe("Search is saved.");
    await expect.poll(() => use(key, "/v2/search/query"), IN_FORCE).toBe(404);
    expect(await use(key, "/find/query")).toBe(200);
    expect((await world.admin("GET", "/admin/endpoints/search")).json).toMatchObject({
      operations: null,
      cors: { origins: ["https://app.example.com"] },
      freshness: "strict",
      timeout_seconds: 30,
    });

    await page.getByRole("button", { name: "Delete endpoint" }).click();
    await confirm(page, "Delete endpoint");
    expect(await notice(page)).toBe("The endpoint search is deleted.");
    await expect.poll(() => use(key, "/find/query"), IN_FORCE).toBe(404);
    await page.close();
  });

  test("say at the field what the API refuses, and keep what was typed", async () => {
    const page = await world.open({ at: `${ADMIN}/endpoints/new` });
    const add = () => page.getByRole("button", { name: "Add endpoint" }).click();
    const wrong = () => page.locator(".field.wrong label").allInnerTexts();
    const said = () => seen(page.locator(".field.wrong .error"));
    await page.getByLabel("Id", { exact: true }).fill("llm");
    await page.getByLabel("Name", { exact: true }).fill("Mine");
    await page.getByLabel("Account", { exact: true }).fill("nobody");
    await page.getByLabel("Origin", { exact: true }).fill("https://10.0.0.1/v1");
    await add();
    expect([await wrong(), await said()]).toEqual([["Id"], "Must be a new one: LLM has this id already"]);
    await page.getByLabel("Id", { exact: true }).fill("mine");
    await add();
    expect([await wrong(), await said()]).toEqual([["Origin"], "Must not be a private or local address"]);
    expect(await page.title()).toMatch(/^Error: Add endpoint/);
    expect(await page.locator(":focus").getAttribute("id")).toBe("origin");
    await page.getByLabel("Origin", { exact: true }).fill("https://models.example.com");
    await page.getByLabel(/Own rules/).fill("GET /a read\n\nFETCH /b read");
    await add();
    expect(await said()).toMatch(/^Line 2: method must be "GET" or /);
    await page.getByLabel(/Own rules/).fill("");
    await page.getByLabel("Header", { exact: true }).fill("host");
    await page.getByLabel("Name of the secret").fill("ORIGIN_TOKEN");
    await add();
    expect([await wrong(), await said()]).toEqual([
      ["Header"],
      "Must not be a header with a role of its own",
    ]);
    await page.getByLabel("Header", { exact: true }).fill("x-token");
    await page.getByLabel("Path on this gateway").fill("/v1/account");
    await add();
    expect(await wrong()).toEqual(["Path on this gateway"]);
    await page.getByLabel("Path on this gateway").fill("/v2/llm");
    await add();
    expect(await said()).toBe("Unknown account: nobody");
    await page.getByLabel("Account", { exact: true }).fill("acme");
    await add();
    expect(await said()).toBe("The path /v2/llm is taken by the endpoint llm");
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Mine");
    expect((await world.admin("GET", "/admin/endpoints/mine")).status).toBe(404);
    await page.close();
  });

  test("in use stay, and the page shows the keys that hold them", async () => {
    const { gateway } = world;
    await gateway.createEndpoint({ id: "held", origin: world.origin.url });
    const { id } = await gateway.createKey({
      name: "Holder",
      permissions: { inference: { endpoints: { held: "read" } } },
    });
    await gateway.createKey({ name: "Bystander", permissions: { inference: "read" } });
    const page = await world.open({ at: `${ADMIN}/endpoints/held/edit`, scripts: false });
    await page.getByRole("button", { name: "Delete endpoint" }).click();
    expect(await heading(page)).toBe("Delete endpoint");
    await page.getByRole("button", { name: "Delete endpoint" }).click();
    expect(await heading(page)).toBe("The endpoint is in use");
    await page.getByRole("link", { name: "the keys that name held" }).click();
    expect(await page.getByRole("rowheader").allInnerTexts()).toEqual([expect.stringContaining("Holder")]);
    await gateway.changeKey(id, { revoked_at: Date.now() });
    await page.goto(`${gateway.url}${ADMIN}/endpoints/held/edit`);
    await page.getByRole("button", { name: "Delete endpoint" }).click();
    await page.getByRole("button", { name: "Delete endpoint" }).click();
    expect(await notice(page)).toBe("The endpoint held is deleted.");
    await page.close();
  });

  test("that somebody else changed meanwhile are not overwritten unseen", async () => {
    const { gateway } = world;
    await gateway.createEndpoint({ id: "busy", origin: world.origin.url });
    const page = await world.open({ at: `${ADMIN}/endpoints/busy/edit` });
    await gateway.changeEndpoint("busy", { timeout_seconds: 7, updated_at: Date.now() + 1000 });
    await page.getByLabel("Name", { exact: true }).fill("Mine");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await notice(page)).toMatch(/Somebody changed this/);
    expect((await world.admin("GET", "/admin/endpoints/busy")).json).toMatchObject({ timeout_seconds: 7 });
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await notice(page)).toBe("Mine is saved.");
    await page.close();
  });

  test("without scripts: a shared GraphQL endpoint", async () => {
    const page = await world.open({ at: `${ADMIN}/endpoints/new`, scripts: false });
    await page.getByLabel("Id", { exact: true }).fill("new");
    await page.getByLabel("Name", { exact: true }).fill("GraphQL");
    await choose(page, "Every account");
    await choose(page, "GraphQL");
    await page.getByLabel("Origin", { exact: true }).fill(`${world.origin.url}/graphql`);
    await page.getByRole("button", { name: "Add endpoint" }).click();
    expect(await notice(page)).toBe("GraphQL is registered. It is reached under /graphql/new.");
    expect((await world.admin("GET", "/admin/endpoints/new")).json).toMatchObject({
      account_id: null,
      api: "graphql",
      protocol: "graphql",
    });
    // An id may be any word, also one that our own paths use.
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await heading(page)).toBe("GraphQL");
    await page.close();
  });
});

describe("trying a path", () => {
  test("says which endpoint answers, and what a key needs, as the gateway then does", async () => {
    const { gateway, use } = world;
    await gateway.createEndpoint({ id: "gql", protocol: "graphql", origin: `${world.origin.url}/graphql` });
    const page = await world.open({ at: `${ADMIN}/endpoints` });
    await page.getByRole("link", { name: "Try a path" }).click();
    const verdict = page.locator(".verdict h2");
    const attempt = async (method: string, path: string, document?: string) => {
      await page.getByLabel("Method").selectOption(method);
      await page.getByLabel("Path", { exact: true }).fill(path);
      if (document !== undefined) {
        const field = page.getByLabel("GraphQL document", { exact: true });
        if (!(await field.isVisible())) await page.getByText("GraphQL document, WebSocket").click();
        await field.fill(document);
      }
      await page.getByRole("button", { name: "Try", exact: true }).click();
      await page.waitForLoadState();
      return seen(verdict);
    };
    expect(await attempt("GET", "/v2/llm/models")).toBe("A read: it needs Read Only");
    expect(await attempt("POST", "/v2/llm/chat/completions")).toBe("A write: it needs Read/Write");
    const { key } = await gateway.createKey({ permissions: { inference: "read" } });
    expect(await use(key, "/v2/llm/models")).toBe(200);
    expect(await use(key, "/v2/llm/chat/completions", "POST")).toBe(403);
    expect(await attempt("GET", "/v2/nowhere")).toBe("It reaches no endpoint: 404");
    expect(await attempt("GET", "/v2/llm/../x")).toBe("It reaches no endpoint: 400");
    expect(await attempt("GET", "/admin/keys")).toBe("It reaches no endpoint: 400");
    expect(await attempt("PATCH", "/graphql/gql")).toBe("Every key is refused: 405");
    expect(await attempt("POST", "/graphql/gql")).toBe("It depends on the GraphQL document");
    expect(await attempt("POST", "/graphql/gql", "{ pods { id } }")).toBe("A read: it needs Read Only");
    expect(await attempt("POST", "/graphql/gql", "mutation { podStop }")).toBe(
      "A write: it needs Read/Write",
    );
    expect(await seen(page.locator(".verdict"))).toContain("podStop");
    await page.close();
  });
});

describe("accounts", () => {
  test("by keyboard alone: added, then suspended, which stops their keys until they are reinstated", async () => {
    const { gateway, use } = world;
    const page = await world.open({ at: `${ADMIN}/accounts` });
    const press = async (role: "link" | "button", name: string) => {
      await tabTo(page, role, name);
      await page.keyboard.press("Enter");
      await page.waitForLoadState();
    };
    await press("link", "Add account");
    await tabTo(page, "textbox", "Id");
    await page.keyboard.type("fresh");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Fresh");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("7");
    await page.keyboard.press("Enter");
    await page.getByText("The account Fresh is there.").waitFor();
    expect((await world.admin("GET", "/admin/accounts/fresh")).json).toMatchObject({
      name: "Fresh",
      active_key_limit: 7,
      suspended: false,
    });

    const { key } = await gateway.createKey({ account_id: "fresh", permissions: { inference: "read" } });
    expect(await use(key)).toBe(200);
    await press("button", "Suspend account");
    const dialog = page.getByRole("dialog");
    // The dialog has the focus, its first button first.
    expect(
      await dialog
        .getByRole("button")
        .first()
        .evaluate((one) => one === document.activeElement),
    ).toBe(true);
    await page.keyboard.press("Enter");
    await page.getByText("Fresh is suspended.").waitFor();
    await expect.poll(() => use(key), IN_FORCE).toBe(401);
    await press("button", "Reinstate account");
    await page.keyboard.press("Enter");
    await page.getByText("Fresh is reinstated.").waitFor();
    await expect.poll(() => use(key), IN_FORCE).toBe(200);
    await page.close();
  });

  test("without scripts: renamed, suspended after a question, found by id; deleted only when nothing is left", async () => {
    const { gateway } = world;
    await gateway.createAccount("plain", { name: "Plain" });
    await gateway.createKey({ account_id: "plain" });
    const page = await world.open({ at: `${ADMIN}/accounts`, scripts: false });
    await page.getByLabel("Account id").fill("plain");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Plainer");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await heading(page)).toBe("Plainer");
    await page.getByRole("button", { name: "Suspend account" }).click();
    expect(await heading(page)).toBe("Suspend account");
    expect((await world.admin("GET", "/admin/accounts/plain")).json.suspended).toBe(false);
    await page.getByRole("button", { name: "Suspend account" }).click();
    expect((await world.admin("GET", "/admin/accounts/plain")).json).toMatchObject({
      name: "Plainer",
      suspended: true,
    });
    await page.getByRole("button", { name: "Delete account" }).click();
    await page.getByRole("button", { name: "Delete account" }).click();
    expect(await heading(page)).toBe("The account is in use");
    expect(await seen(page.locator("main"))).toContain("suspend the account instead");
    await gateway.createAccount("unused");
    await page.goto(`${gateway.url}${ADMIN}/accounts/unused/edit`);
    await page.getByRole("button", { name: "Delete account" }).click();
    await page.getByRole("button", { name: "Delete account" }).click();
    expect(await notice(page)).toBe("The account unused is deleted.");
    await page.close();
  });
});

describe("members", () => {
  test("are added, given another role, and removed: what they may do follows", async () => {
    const email = "max@acme.test";
    const { gateway, sessions } = world;
    const session = await sessions.of(undefined as never, undefined, {
      sub: "max",
      email,
      email_verified: true,
      role: undefined,
    });
    const max = as(gateway, session);
    const page = await world.open({ at: `${ADMIN}/members` });
    await page.getByRole("link", { name: "Add member" }).click();
    await page.getByLabel("E-mail address").fill("Max@acme.test");
    await page.getByLabel("Account 1").fill("acme");
    await page.getByLabel("Role 1").selectOption("viewer");
    await page.getByRole("button", { name: "Add member" }).click();
    expect(await notice(page)).toBe("max@acme.test is a member.");
    expect((await max("GET", "/v1/account/api-keys")).status).toBe(200);
    const make = () => max("POST", "/v1/account/api-keys", { name: "n", scopes: { all: true } });
    expect((await make()).status).toBe(403);

    await page.getByLabel("Role 1").selectOption("owner");
    await page.getByLabel("Account 2").fill("nowhere");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await notice(page)).toContain("Unknown account: nowhere");
    await page.getByLabel("Account 2").fill("");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect(await notice(page)).toBe("max@acme.test is saved.");
    const made = await make();
    gateway.secrets.push(made.json.key);
    expect(made.status).toBe(201);

    await page.getByRole("link", { name: "Members" }).first().click();
    await page.getByLabel("Address").fill("nobody@acme.test");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("There is no such member.").waitFor();
    await page.getByLabel("Address").fill("MAX@acme.test");
    await page.getByRole("button", { name: "Apply" }).click();
    expect(await heading(page)).toBe(email);
    await page.getByRole("button", { name: "Remove member" }).click();
    await confirm(page, "Remove member");
    expect(await notice(page)).toBe("The member max@acme.test is removed.");
    expect((await max("GET", "/v1/account/api-keys")).status).toBe(403);
    await page.close();
  });
});

describe("namespaces", () => {
  test("without scripts: added with a certificate as PEM, renamed, deleted", async () => {
    const page = await world.open({ at: `${ADMIN}/namespaces`, scripts: false });
    await page.getByRole("link", { name: "Add namespace" }).click();
    const id = await page.getByLabel("Id", { exact: true }).inputValue();
    await page.getByLabel("Name", { exact: true }).fill("training");
    await page.getByLabel("Account", { exact: true }).fill("acme");
    await page.getByLabel("Kubernetes API server").fill("http://kube.example.com");
    await page.getByLabel("Audience").fill("postern");
    const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    await page.getByLabel(/Certificate authority/).fill(pem);
    await page.getByRole("button", { name: "Add namespace" }).click();
    expect(await page.locator(".field.wrong label").allInnerTexts()).toEqual(["Kubernetes API server"]);
    await page.getByLabel("Kubernetes API server").fill("https://kube.example.com");
    await page.getByRole("button", { name: "Add namespace" }).click();
    expect(await notice(page)).toBe("training is there. Keys of its account can be given it.");
    const { json } = await world.admin("GET", `/admin/namespaces/${id}`);
    expect(atob(json.cluster.certificate_authority_data)).toBe(`${pem}\n`);

    // Its own people see it too.
    await page.goto(`${world.gateway.url}/console/settings/namespaces`);
    expect(await page.getByRole("rowheader").allInnerTexts()).toContain("training");

    await page.goto(`${world.gateway.url}${ADMIN}/namespaces/${id}/edit`);
    await page.getByLabel("Name", { exact: true }).fill("evaluation");
    await page.getByRole("button", { name: "Save changes" }).click();
    expect((await world.admin("GET", `/admin/namespaces/${id}`)).json).toMatchObject({
      name: "evaluation",
      cluster: json.cluster,
    });
    await page.getByRole("button", { name: "Delete namespace" }).click();
    await page.getByRole("button", { name: "Delete namespace" }).click();
    expect(await notice(page)).toBe(`The namespace ${id} is deleted.`);
    expect((await world.admin("GET", `/admin/namespaces/${id}`)).status).toBe(404);
    await page.close();
  });
});

test("no page had a script's error or broke the content policy", () => {
  // A refused form is answered 4xx, which browsers write to their console as an error.
  expect(world.complaints().filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
});
