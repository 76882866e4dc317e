import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { MINIFIED, minified } from "../../scripts/assets/minified.ts";

it("the Worker has the console's stylesheet and script as they are; `npm run assets` puts them there", async () => {
  expect(readFileSync(MINIFIED, "utf8")).toBe(await minified());
});
