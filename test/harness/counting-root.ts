import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A directory with this project but for the Worker's main file, which is `counting.ts`; the caller removes it. */
export function countingRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "postern-counting-"));
  const main = join(ROOT, "test/harness/counting.ts");
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8").replace(
    '"src/index.ts"',
    JSON.stringify(main),
  );
  writeFileSync(join(root, "wrangler.toml"), toml);
  for (const part of ["migrations", "tsconfig.json"]) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  return root;
}
