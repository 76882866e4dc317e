/**
 * The mutation check: puts each fault of test/model/mutants.ts into a copy of the source and runs the model
 * test on it until the fault shows, then, if it may, the unit tests. Prints a table; exits with 1 when a
 * fault goes unnoticed or its text is not found any more.
 *
 * `npm run test:mutants [-- PART OF A NAME]`; MUTANT_SCHEDULES sets how many schedules a fault has to survive.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MUTANTS, type Mutant } from "../test/model/mutants.ts";

const ROOT = join(import.meta.dirname, "..");
const SCHEDULES = Number(process.env.MUTANT_SCHEDULES ?? 6000);
const PROCESSES = 2;
const only = process.argv[2] ?? "";

interface Verdict {
  mutant: Mutant;
  /** What noticed it; null when nothing did. */
  by: "model" | "units" | null;
  /** Why the check itself cannot be relied on. */
  invalid?: string;
  seconds: number;
  how: string;
}

function spawned(
  command: string,
  args: string[],
  cwd: string,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 240_000);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

async function check(mutant: Mutant, directory: string): Promise<Verdict> {
  const began = performance.now();
  const verdict = (by: Verdict["by"], how: string, invalid?: string): Verdict => ({
    mutant,
    by,
    how,
    seconds: (performance.now() - began) / 1000,
    ...(invalid === undefined ? {} : { invalid }),
  });
  rmSync(join(directory, "src"), { recursive: true, force: true });
  cpSync(join(ROOT, "src"), join(directory, "src"), { recursive: true });
  for (const [file, text, replacement] of mutant.patches) {
    const path = join(directory, file);
    const parts = readFileSync(path, "utf8").split(text);
    if (parts.length !== 2)
      return verdict(null, "", `${file} has its text ${parts.length - 1} times: ${text}`);
    writeFileSync(path, parts.join(replacement));
  }
  const model = await spawned(process.execPath, ["test/model/run.ts", String(SCHEDULES), "1"], directory);
  const broken = /^(seed \d+|story .*): Broken: (.*)$/m.exec(model.output);
  if (broken !== null) return verdict("model", `${broken[1]}: ${broken[2]}`);
  if (model.code !== 0) return verdict(null, "", model.output.slice(0, 500));
  if (mutant.listed) return verdict(null, "");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const units = await spawned(
    process.execPath,
    [vitest, "run", "--root", ".", "--config", "vitest.units.ts"],
    directory,
  );
  const failed = / FAIL .*> (.*)$/m.exec(units.output);
  return units.code === 0 ? verdict(null, "") : verdict("units", failed?.[1] ?? units.output.slice(-300));
}

const queue = MUTANTS.filter(({ name }) => name.includes(only));
const verdicts: Verdict[] = [];

async function work(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "postern-mutant-"));
  try {
    for (const part of ["test/model", "test/freshness", "schema.sql", "package.json"]) {
      cpSync(join(ROOT, part), join(directory, part), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    writeFileSync(
      join(directory, "vitest.units.ts"),
      'export default { test: { include: ["test/freshness/**/*.test.ts"], maxWorkers: 1 } };',
    );
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await check(mutant, directory);
      verdicts.push(verdict);
      const by = verdict.invalid === undefined ? (verdict.by ?? "SURVIVES") : "INVALID";
      const mark = mutant.listed ? "*" : " ";
      const how = (verdict.invalid ?? verdict.how).replace(/\s+/g, " ").slice(0, 120);
      console.log(
        `${by.padEnd(8)} ${mark} ${verdict.seconds.toFixed(1).padStart(6)} s  ${mutant.name.padEnd(56)} ${how}`,
      );
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const began = performance.now();
console.log("noticed    after   fault (* named by docs/architecture.md)");
await Promise.all(Array.from({ length: PROCESSES }, work));
const good = verdicts.filter(({ by, invalid }) => by !== null && invalid === undefined).length;
console.log(`${good} of ${verdicts.length} noticed, in ${Math.round((performance.now() - began) / 1000)} s`);
process.exit(good === verdicts.length ? 0 : 1);
