import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { performancePage } from "../../bench/report/page.ts";

const DOCS = join(import.meta.dirname, "../../docs");

it("docs/performance.md and its plots are what `npm run bench:report` makes of the results beside it", () => {
  const { text, plots } = performancePage();
  expect(readFileSync(join(DOCS, "performance.md"), "utf8")).toBe(text);
  for (const [file, svg] of Object.entries(plots)) {
    expect(readFileSync(join(DOCS, "images", file), "utf8")).toBe(svg);
  }
});
