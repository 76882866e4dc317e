import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SECRET_SCANNER_PATTERN } from "../../src/keys/format.ts";

it("docs/keys.md publishes the pattern that secret scanners are given (spec 3)", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/keys.md"), "utf8");
  const [, published] = /## Pattern for secret scanners\n\n```\n(.+)\n```/.exec(text) ?? [];
  expect(published).toBe(SECRET_SCANNER_PATTERN(["pst"]));
});
