import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const LOCK = join(import.meta.dirname, "../../scripts/state-lock.ts");
const PROGRAM = `
  const { lockState } = await import(${JSON.stringify(LOCK)});
  try { await lockState(process.argv[1]); console.log("held"); process.stdin.on("end", () => process.exit(0)).resume(); }
  catch (error) { console.log(error.message); process.exit(1); }
`;

let directory: string;
let children: ChildProcess[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "postern-lock-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(directory, { recursive: true });
});

/** A process that asks for the directory and keeps it. */
async function contender(): Promise<{ said: string; child: ChildProcess }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const [said] = await once(child.stdout!, "data");
  return { said: String(said).trim(), child };
}

const ended = async (child: ChildProcess, end: () => void) => {
  const exit = once(child, "exit");
  end();
  await exit;
};

it("gives a directory to one process at a time, until it ends", async () => {
  const { said, child } = await contender();
  expect(said).toBe("held");
  expect((await contender()).said).toBe(
    `Another gateway (pid ${child.pid}) already uses ${directory}; stop it, or set another PORT (and POSTERN_STATE_DIR for npm run dev)`,
  );
  await ended(child, () => child.stdin!.end());
  expect(await readdir(directory)).toEqual([]);
  expect((await contender()).said).toBe("held");
});

it("takes no notice of a process that was killed, or of a later one with its id", async () => {
  const { child } = await contender();
  await ended(child, () => child.kill("SIGKILL"));
  await writeFile(join(directory, `gateway-${process.pid}-1.lock`), "");
  expect(await readdir(directory)).toHaveLength(2);
  expect((await contender()).said).toBe("held");
  expect(await readdir(directory)).toHaveLength(1);
});

it("of processes that ask at once, gives it to exactly one", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, contender));
  expect(all.filter(({ said }) => said === "held")).toHaveLength(1);
});
