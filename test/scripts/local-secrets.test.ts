import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

test("secrets from before the console gain what it needs, and keep the rest", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "postern-"));
  const token = () =>
    promisify(execFile)(process.execPath, ["scripts/token.ts", "--admin"], {
      cwd: ROOT,
      env: { ...process.env, POSTERN_STATE_DIR: stateDir },
    });
  const path = join(stateDir, "local-secrets.json");
  const read = () => JSON.parse(readFileSync(path, "utf8"));
  try {
    await token();
    const { SESSION_SECRETS: made, ...before } = read();
    expect(made.a.length).toBeGreaterThanOrEqual(32);
    writeFileSync(path, JSON.stringify(before));
    await token();
    const { SESSION_SECRETS: again, ...after } = read();
    expect(after).toEqual(before);
    expect(again.a.length).toBeGreaterThanOrEqual(32);
    expect(again.a).not.toBe(made.a);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await token();
    expect(read().SESSION_SECRETS).toEqual(again);
  } finally {
    rmSync(stateDir, { recursive: true });
  }
});
