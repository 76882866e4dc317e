import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessibleInBoth } from "./axe.ts";
import type { Page } from "./browser.ts";
import { type KeysWorld, LIST, startKeysWorld } from "./keys-world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let world: KeysWorld;
let id: string;
/** The hour that goes on. */
let now: number;
let page: Page;
beforeAll(async () => {
  world = await startKeysWorld();
  now = Math.floor(Date.now() / HOUR) * HOUR;
  id = (await world.gateway.createKey({ name: "Counted" })).id;
  const used = await world.gateway.db
    .prepare(
      `INSERT INTO key_usage (key_id, hour, endpoint_id, kind, count)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)`,
    )
    .bind(
      id,
      JSON.stringify([
        [now, "images", "read", 3],
        [now, "images", "write", 2],
        [now - 2 * HOUR, "llm", "read", 1200],
        [now - 2 * HOUR, "llm", "denied:insufficient_scope", 40],
        [now - 2 * HOUR, "", "denied:endpoint_not_found", 4],
        [now - 5 * DAY, "images", "write", 70],
        [now - 20 * DAY, "images", "denied:disabled", 9],
        [now - 200 * DAY, "images", "read", 1_000_000],
      ]),
    )
    .run();
  expect(used.meta.changes).toBe(8);
  page = await world.signedIn();
});
afterAll(() => world?.stop());

const open = (span: string) => page.goto(`${world.gateway.url}${LIST}/${id}/usage?span=${span}`);
const totals = () => page.locator(".totals dd").allTextContents();
const table = (name: RegExp) => page.getByRole("table", { name });
/** A table's rows as text, those of nothing but zeros left out. */
async function rows(name: RegExp): Promise<string[][]> {
  const all = await table(name)
    .getByRole("row")
    .evaluateAll((lines) =>
      lines.map((line) => [...line.children].map(({ textContent }) => textContent!.trim())),
    );
  return all.slice(1).filter(([, ...figures]) => figures.some((figure) => figure !== "0"));
}
const columns = (name: RegExp) => table(name).getByRole("columnheader").allTextContents();
const clock = (at: number) => new Date(at).toISOString().slice(11, 16);

describe("usage of a key", () => {
  test("by the hour of the last day: reads, writes, denials by reason", async () => {
    await open("day");
    expect(await totals()).toEqual(["1,203", "2", "44"]);
    const byHour = /by the hour$/;
    expect(await columns(byHour)).toEqual([
      "From",
      "Reads",
      "Writes",
      "Denied",
      "No such endpoint",
      "Not allowed by the key’s permissions",
    ]);
    expect(await rows(byHour)).toEqual([
      [clock(now - 2 * HOUR), "1,200", "0", "44", "4", "40"],
      [clock(now), "3", "2", "0", "0", "0"],
    ]);
    expect(await table(byHour).getByRole("row").count()).toBe(25);
    expect(await rows(/by endpoint$/)).toEqual([
      ["llm", "1,200", "0", "40"],
      ["images", "3", "2", "0"],
      ["None (refused before)", "0", "0", "4"],
    ]);
  });

  test("the chart says what it shows, and draws it to scale", async () => {
    await open("day");
    const chart = page.getByRole("img", {
      name: /1,203 reads, 2 writes and 44 denials in the last 24 hours/,
    });
    expect(await chart.count()).toBe(1);
    const height = async (kind: string, at: number) =>
      Number(await chart.locator(`g:nth-of-type(${at}) .${kind}`).getAttribute("height"));
    // 1,200 reads of an axis that ends at 2,000.
    expect(await height("read", 1)).toBeCloseTo((1200 / 2000) * 240, 0);
    expect(await height("denied", 1)).toBeCloseTo((44 / 2000) * 240, 0);
    expect(await chart.locator("g").count()).toBe(2);
    expect(await chart.locator("title").first().textContent()).toBe(
      `${clock(now - 2 * HOUR)}: 1,200 reads, 0 writes, 44 denied`,
    );
  });

  test("by the day of the last week, and of the last month", async () => {
    await open("day");
    await page.getByRole("link", { name: "Week" }).click();
    expect(await totals()).toEqual(["1,203", "72", "44"]);
    expect(
      await table(/by the day$/)
        .getByRole("row")
        .count(),
    ).toBe(8);
    await page.getByRole("link", { name: "Month" }).click();
    expect(await totals()).toEqual(["1,203", "72", "53"]);
    expect(
      await table(/by the day$/)
        .getByRole("row")
        .count(),
    ).toBe(31);
    expect(await columns(/by the day$/)).toContain("The key was disabled");
    expect(await page.getByRole("link", { name: "Month" }).getAttribute("aria-current")).toBe("page");
  });

  test("an unknown span is a day's; a key that was not used says so", async () => {
    await open("constructor");
    expect(await totals()).toEqual(["1,203", "2", "44"]);
    const idle = await world.gateway.createKey({ name: "Idle" });
    await page.goto(`${world.gateway.url}${LIST}/${idle.id}/usage`);
    expect(await page.getByRole("heading", { name: "Not used" }).isVisible()).toBe(true);
  });

  test("real requests show, and the last use to the second", async () => {
    const used = await world.gateway.createKey({
      name: "In use",
      permissions: { inference: { endpoints: { images: "read" } } },
    });
    const began = Math.floor(Date.now() / 1000) * 1000;
    expect(await world.use(used.key)).toBe(200);
    expect(await world.use(used.key, "/v2/images/run", { method: "POST", body: {} })).toBe(403);
    const ended = Date.now();
    await page.goto(`${world.gateway.url}${LIST}/${used.id}`);
    const lastUsed = page
      .getByRole("definition")
      .locator("time")
      .filter({ hasText: /\d\d:\d\d:\d\d UTC/ });
    const at = async () => {
      await page.reload();
      return Date.parse((await lastUsed.count()) === 0 ? "" : (await lastUsed.getAttribute("datetime"))!);
    };
    await expect.poll(at, { timeout: 10_000, interval: 200 }).toBeGreaterThanOrEqual(began);
    expect(await at()).toBeLessThanOrEqual(ended);
    await page.getByRole("link", { name: "Usage", exact: true }).click();
    await expect
      .poll(
        async () => {
          await page.reload();
          return totals();
        },
        { timeout: 15_000, interval: 300 },
      )
      .toEqual(["1", "0", "1"]);
    expect(await page.getByRole("main").textContent()).toContain("Not allowed by the key’s permissions");
  });
});

describe.each([{ phone: false }, { phone: true }])("axe-core finds nothing with %o", ({ phone }) => {
  test.each(["day", "week", "month"])("%s", async (span) => {
    const visitor = await world.signedIn({ phone });
    await visitor.goto(`${world.gateway.url}${LIST}/${id}/usage?span=${span}`);
    await expectAccessibleInBoth(visitor);
    expect(await visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await visitor.context().close();
  });
});
