import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const GUARD = join(import.meta.dirname, "../../scripts/installed.cjs");

const run = (path: string) => spawnSync(process.execPath, [path], { encoding: "utf8" });

it("what runs before npm start says in one line that npm ci comes first, and nothing once it was run", () => {
  const fresh = mkdtempSync(join(tmpdir(), "postern-fresh-"));
  try {
    mkdirSync(join(fresh, "scripts"));
    const copy = join(fresh, "scripts/installed.cjs");
    copyFileSync(GUARD, copy);
    expect(run(copy)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "Nothing is installed yet: run npm ci first.\n",
    });
    expect(run(GUARD)).toMatchObject({ status: 0, stdout: "", stderr: "" });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});
