/**
 * The mutation check: puts each fault of test/model/mutants into a copy of the source and runs the model
 * test on it until the fault shows. Prints a table; exits with 1 when a fault goes unnoticed or its text is
 * not found any more.
 *
 * `npm run test:mutants [-- PART OF A NAME]`; MUTANT_SCHEDULES sets how many schedules a fault has to survive.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MUTANTS } from "../test/model/mutants/index.ts";
import type { Mutant } from "../test/model/mutants/mutant.ts";

const ROOT = join(import.meta.dirname, "..");
const SCHEDULES = Number(process.env.MUTANT_SCHEDULES ?? 6000);
const PROCESSES = 2;
/** Without a sign of life for so long, the model has run into a loop without end, in ms. */
const PATIENCE = 30_000;
const only = process.argv[2] ?? "";

interface Verdict {
  mutant: Mutant;
  /** What noticed it: a story or a schedule, and the promise that was broken; null when nothing did. */
  how: string | null;
  /** Why the check itself cannot be relied on. */
  invalid?: string;
}

/** Tells the stories and runs the schedules on that copy of the source. */
function model(cwd: string): Promise<{ code: number | null; output: string; hangs: boolean }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["test/model/run.ts", String(SCHEDULES), "1"], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      child.kill("SIGKILL");
    }, PATIENCE);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        timer.refresh();
      });
    }
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output, hangs });
    });
  });
}

async function check(mutant: Mutant, directory: string): Promise<Verdict> {
  rmSync(join(directory, "src"), { recursive: true, force: true });
  cpSync(join(ROOT, "src"), join(directory, "src"), { recursive: true });
  for (const [file, text, replacement] of mutant.patches) {
    const path = join(directory, file);
    const parts = readFileSync(path, "utf8").split(text);
    if (parts.length !== 2) {
      const invalid = `${file} has its text ${parts.length - 1} times: ${text}`;
      return { mutant, how: null, invalid };
    }
    writeFileSync(path, parts.join(replacement));
  }
  const { code, output, hangs } = await model(directory);
  if (hangs) return { mutant, how: "never ends" };
  const broken = /^(seed \d+|story .*): Broken: (.*)$/m.exec(output);
  if (broken !== null) return { mutant, how: `${broken[1]}: ${broken[2]}` };
  return code === 0 ? { mutant, how: null } : { mutant, how: null, invalid: output.slice(0, 500) };
}

const queue = MUTANTS.filter(({ name }) => name.includes(only));
const verdicts: Verdict[] = [];

async function work(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "postern-mutant-"));
  try {
    for (const part of ["test/model", "schema.sql", "package.json"]) {
      cpSync(join(ROOT, part), join(directory, part), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const began = performance.now();
      const verdict = await check(mutant, directory);
      verdicts.push(verdict);
      const { how, invalid } = verdict;
      const word = invalid !== undefined ? "INVALID" : how !== null ? "noticed" : "SURVIVES";
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const why = (invalid ?? how ?? "").replace(/\s+/g, " ").slice(0, 120);
      console.log(`${word.padEnd(8)} ${seconds.padStart(6)} s  ${mutant.name.padEnd(56)} ${why}`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: PROCESSES }, work));
const good = verdicts.filter(({ how, invalid }) => how !== null && invalid === undefined).length;
console.log(`${good} of ${verdicts.length} noticed, in ${Math.round((performance.now() - began) / 1000)} s`);
process.exit(good === verdicts.length ? 0 : 1);
