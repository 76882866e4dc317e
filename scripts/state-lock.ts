import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { makeDirectory, stateProblem } from "./local-secrets.ts";

/** How long the oldest of several processes that start at once waits for the others to give way. */
const GIVE_WAY_MS = 1000;

const LOCK = /^gateway-(\d+)-(\d+)\.lock$/;

interface Holder {
  pid: number;
  /** When it started, in clock ticks since the machine did: tells it from a later process of the same id. */
  start: number;
}

/**
 * Keeps a state directory for this process until it ends: two gateways on one would overwrite each other.
 *
 * Each process makes a lock file of its own, named after itself, and then looks for others. So whoever comes
 * later sees whoever came first, and the file of a process that is gone may be removed by anybody: no live
 * process ever has that name.
 * @throws Error that names the other process, or says why the directory cannot be written
 */
export async function lockState(directory: string): Promise<void> {
  const own = { pid: process.pid, start: startOf(process.pid) ?? 0 };
  const file = join(directory, nameOf(own));
  try {
    makeDirectory(directory);
    writeFileSync(file, "");
  } catch (error) {
    throw new Error(stateProblem(error as Error));
  }
  const remove = () => rmSync(file, { force: true });
  process.once("exit", remove);

  const deadline = Date.now() + GIVE_WAY_MS;
  for (;;) {
    const others = readdirSync(directory)
      .flatMap((name) => holderIn(directory, name) ?? [])
      .filter(({ pid }) => pid !== own.pid);
    const [other] = others;
    if (other === undefined) return;
    // Of processes that start at once, the oldest stays.
    if (others.some((each) => isOlder(each, own)) || Date.now() > deadline) {
      remove();
      throw new Error(
        `Another gateway (pid ${other.pid}) already uses ${directory}; stop it, or set another PORT (and POSTERN_STATE_DIR for npm run dev)`,
      );
    }
    await wait(20);
  }
}

/** Whose lock file this is. Removes it where its process is gone. */
function holderIn(directory: string, name: string): Holder | undefined {
  const [, pid, start] = LOCK.exec(name)?.map(Number) ?? [];
  if (pid === undefined || start === undefined) return undefined;
  if (startOf(pid) === start) return { pid, start };
  rmSync(join(directory, name), { force: true });
  return undefined;
}

const nameOf = ({ pid, start }: Holder) => `gateway-${pid}-${start}.lock`;

const isOlder = (one: Holder, other: Holder) =>
  one.start < other.start || (one.start === other.start && one.pid < other.pid);

/** When a process started; undefined where there is none, or only its remains. */
function startOf(pid: number): number | undefined {
  try {
    // Its second field, the program's name in parentheses, may hold anything.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : Number(fields[18]);
  } catch {
    return undefined;
  }
}
