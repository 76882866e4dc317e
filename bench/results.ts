import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/** Where and on what a measurement was made. */
export interface Setting {
  at: string;
  commit: string;
  /** Whether the tree held changes that the commit does not. */
  dirty: boolean;
  command: string;
  machine: string;
  node: string;
}

const git = (...args: string[]) => {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return "";
  }
};

/** Writes what a bench found to `bench/results/NAME.json`, with where it was found. */
export function writeResults(name: string, command: string, results: object): void {
  const all = cpus();
  const setting: Setting = {
    at: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD") || "unknown",
    dirty: git("status", "--porcelain", "--", "src") !== "",
    command,
    machine: `${all.length} × ${all[0]?.model.trim() ?? "unknown"}, ${process.platform} ${process.arch}`,
    node: process.version,
  };
  const directory = join(import.meta.dirname, "results");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({ setting, ...results }, null, 2)}\n`);
}

/** What `writeResults` wrote last; null when it never did. */
export function readResults<T>(name: string): (T & { setting: Setting }) | null {
  try {
    return JSON.parse(readFileSync(join(import.meta.dirname, "results", `${name}.json`), "utf8"));
  } catch {
    return null;
  }
}
