import { basename } from "node:path";
import { expect, it } from "vitest";
import { madeDocuments } from "../../scripts/docs/made.ts";
import { replaceRegion } from "../../scripts/docs/regions.ts";
import { VARIABLE_NAMES } from "../../src/env.ts";

it("docs say what the code says; `npm run docs:made` writes them (spec 12)", {
  timeout: 60_000,
}, async () => {
  const documents = await madeDocuments();
  for (const { path, is, should } of documents) expect(is, basename(path)).toBe(should);
  const configuration = documents.find(({ path }) => path.endsWith("configuration.md"))!.is;
  for (const name of VARIABLE_NAMES) expect(configuration).toContain(`\`${name}\``);
});

it("a region that is gone is an error, not silence", () => {
  expect(() => replaceRegion("nothing here", "routes", "x")).toThrow('no region "routes"');
  expect(replaceRegion("a\n<!-- made: r -->\nold\n<!-- /made -->\nb", "r", "new $1")).toBe(
    "a\n<!-- made: r -->\n\nnew $1\n\n<!-- /made -->\nb",
  );
});
