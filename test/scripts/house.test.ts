import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const STATEMENT =
  /\b(?:SELECT\s.+\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b/s;

/** Text of a source file without its comments. */
const codeOf = (path: string) => readFileSync(path, "utf8").replace(/\/\*.*?\*\/|^\s*\/\/.*$/gms, "");

function sources(directory: string): string[] {
  const files = readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" });
  return files.filter((name) => /\.tsx?$/.test(name)).map((name) => join(ROOT, directory, name));
}

describe("the house", () => {
  it("SQL is in src/store and src/ledger alone (docs/architecture.md)", () => {
    const elsewhere = sources("src").filter((path) => !/\/src\/(?:store|ledger)\//.test(path));
    expect(elsewhere.filter((path) => STATEMENT.test(codeOf(path)))).toEqual([]);
    expect(sources("src/store").some((path) => STATEMENT.test(codeOf(path)))).toBe(true);
  });

  it("no SQL is put together with values: what is not bound comes from the code itself", () => {
    for (const path of sources("src/store")) {
      const holes = codeOf(path).match(/`[^`]*\b(?:SELECT|INSERT|UPDATE|DELETE)\b[^`]*`/g) ?? [];
      for (const statement of holes) expect(statement, path).not.toMatch(/=\s*'?\$\{/);
    }
  });
});

describe("documents", () => {
  const markdown = [
    ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
    ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];

  it("docs/storage.md has every table there is, of D1 and of the ledger", () => {
    const page = readFileSync(join(ROOT, "docs/storage.md"), "utf8");
    const sql = [join(ROOT, "schema.sql"), ...sources("src/ledger")].map((path) =>
      readFileSync(path, "utf8"),
    );
    const tables = [...sql.join("\n").matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, name]) => name);
    expect(tables.length).toBeGreaterThan(9);
    for (const name of tables) expect(page).toContain(`| \`${name}\` |`);
  });

  /** Anchors of a document's headings, as GitHub makes them. */
  const anchorsOf = (path: string) =>
    [...readFileSync(path, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(markdown)("%s links to what is there", (name) => {
    const path = join(ROOT, name);
    const text = readFileSync(path, "utf8").replace(/```.*?^ *```$/gms, "");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? path : join(path, "..", file);
      const anchors = linked.endsWith(".md") ? anchorsOf(linked) : readFileSync(linked) && [];
      if (anchor !== undefined) expect(anchors, `${target} in ${name}`).toContain(anchor);
    }
  });
});
