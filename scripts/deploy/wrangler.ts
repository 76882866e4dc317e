import { spawn } from "node:child_process";
import { join } from "node:path";
import { QUIET_WRANGLER } from "../wrangler-config.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** How wrangler says that nobody is logged in. It offers an account to throw away, which is not to deploy to. */
const NOT_LOGGED_IN = /necessary to set a CLOUDFLARE_API_TOKEN|rerun this command with `--temporary`/;

/** wrangler refused, or could not do it. */
export class WranglerError extends Error {
  /** What it printed, on both streams; empty where the message says it better. */
  readonly output: string;

  constructor(args: readonly string[], output: string) {
    const command = args.slice(0, args.findIndex((arg) => arg.startsWith("-")) >>> 0);
    const loggedIn = !NOT_LOGGED_IN.test(output);
    super(
      loggedIn
        ? `wrangler ${command.join(" ")} failed`
        : "You are not logged in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN",
    );
    this.output = loggedIn ? output : "";
  }
}

/** How to run wrangler. */
interface RunOptions {
  /** Shows what it prints instead of giving it back. */
  show?: boolean;
  /** Lets it ask: it would otherwise take over a DNS record or another Worker's domain unasked. */
  ask?: boolean;
  /** More of the environment. */
  env?: Record<string, string>;
}

/**
 * Runs wrangler, by default without a keyboard: where it would ask, it takes its default or says what is missing.
 * @returns what it printed on standard output; empty with `show`
 * @throws WranglerError where it fails
 */
export async function wrangler(
  args: string[],
  { show = false, ask = false, env = {} }: RunOptions = {},
): Promise<string> {
  const child = spawn("wrangler", args, {
    cwd: ROOT,
    env: { ...process.env, ...QUIET_WRANGLER, ...env },
    stdio: [ask ? "inherit" : "ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
  });
  const end = () => child.kill();
  process.once("exit", end);
  let stdout = "";
  let all = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    all += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    all += text;
  });
  const code = await new Promise((done, failed) => child.on("error", failed).on("close", done));
  process.off("exit", end);
  if (code !== 0) throw new WranglerError(args, all.trim());
  return stdout;
}

/** The same, for commands that answer in JSON, which a notice may precede. */
export async function wranglerJson<T>(args: string[]): Promise<T> {
  const text = await wrangler(args);
  return JSON.parse(text.slice(text.search(/^[[{]/m))) as T;
}
