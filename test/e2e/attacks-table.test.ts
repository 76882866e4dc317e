import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** What a document says shows something: a test file below test/, without its ending, and words of a title in it. */
function namedIn(document: string): { file: string; title: string }[] {
  const text = readFileSync(join(ROOT, "docs", document), "utf8");
  return [...text.matchAll(/`([a-z0-9-]+\/[a-z0-9-]+)` "([^"]+)"/g)].map(([, file, title]) => ({
    file: join(ROOT, "test", `${file}.test.ts`),
    title: title!.replaceAll("\\|", "|"),
  }));
}

/** The words of a file's titles, labels and comments. */
const sources = new Map<string, string>();
function sourceOf(file: string): string {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const source = existsSync(file) ? readFileSync(file, "utf8").replaceAll('\\"', '"') : "";
  sources.set(file, source);
  return source;
}

describe.each([
  ["attacks.md", 150],
  ["threat-model.md", 20],
])("docs/%s", (document, least) => {
  test("names tests that there are", () => {
    const named = namedIn(document);
    expect(named.length).toBeGreaterThan(least);
    const missing = named.filter(({ file, title }) => {
      const source = sourceOf(file);
      return !['"', "'", "`"].some((quote) => source.includes(`${quote}${title}${quote}`));
    });
    expect(missing.map(({ file, title }) => `${file.slice(ROOT.length)}: ${title}`)).toEqual([]);
  });
});

test("docs/attacks.md has as many rows of our own as known ones, each with a test", () => {
  const rows = readFileSync(join(ROOT, "docs/attacks.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| [A-Z]\d{2,3} \|/.test(line));
  expect(rows.filter((row) => !/` "[^"]+" \|$|` "[^"]+"; .*\|$/.test(row))).toEqual([]);
  const ids = rows.map((row) => row.split(" ")[1]!);
  expect(new Set(ids).size).toBe(ids.length);
  const own = ids.filter((id) => id.startsWith("N")).length;
  expect(own).toBeGreaterThanOrEqual(ids.length - own);
});
