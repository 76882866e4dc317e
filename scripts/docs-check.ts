/**
 * `npm run docs:check`: runs every command that README.md and docs/ mark with "sh run", in order, against a fresh
 * local gateway, and compares what it answers with what the document shows. `--write` pastes the answers in
 * instead; `--clone` does it all in a fresh clone of the last commit, beginning with `npm ci`.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { portWithTwoAbove } from "../test/harness/free-ports.ts";
import { CloudflareApi } from "../test/scripts/cloudflare-api.ts";
import { commandBlocks, normal, withAnswers } from "./docs/blocks.ts";

const ROOT = join(import.meta.dirname, "..");
/** The port that documents speak of. */
const DOCUMENTED = "127.0.0.1:8787";
const READY_MS = 60_000;

const write = process.argv.includes("--write");
const home = mkdtempSync(join(tmpdir(), "postern-docs-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));

if (process.argv.includes("--clone")) {
  const clone = join(home, "clone");
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${ROOT}`, clone]);
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: clone, stdio: "inherit" });
  execFileSync("npm", ["run", "docs:check"], { cwd: clone, stdio: "inherit" });
  process.exit(0);
}

const port = await portWithTwoAbove();
const address = `127.0.0.1:${port}`;
/** Documents that deploy meet a stand-in for Cloudflare: an account with nothing in it. */
const cloudflare = new CloudflareApi();
await cloudflare.start();
const environment: Record<string, string> = {
  PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`,
  HOME: home,
  PORT: String(port),
  POSTERN_STATE_DIR: join(home, "state"),
  POSTERN_DEPLOY_DIR: join(home, "deploy"),
  WRANGLER_CACHE_DIR: join(home, "cache"),
  NO_COLOR: "1",
  npm_config_update_notifier: "false",
  ...cloudflare.environment,
};

const gateway = spawn(process.execPath, ["scripts/start.ts"], {
  cwd: ROOT,
  env: environment,
  stdio: ["ignore", "pipe", "inherit"],
});
let started = "";
gateway.stdout.setEncoding("utf8").on("data", (text) => {
  started += text;
});
let differing = 0;
try {
  await ready();
  // As a reader would: the lines "export FULL_ACCESS_KEY=…" are copied as they stand.
  for (const [, name, value] of started.matchAll(/^ {2}export (\w+)=(\S+)$/gm)) environment[name!] = value!;
  const files = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  const documents = files.filter((name) => name.endsWith(".md")).map((name) => join(ROOT, "docs", name));
  for (const path of [join(ROOT, "README.md"), ...documents.sort()]) await check(path);
} finally {
  gateway.kill("SIGINT");
  await new Promise((done) => gateway.once("close", done));
  await cloudflare.stop();
}
process.exit(differing === 0 ? 0 : 1);

/** Runs a document's commands in one shell's worth of environment, one after the other. */
async function check(path: string): Promise<void> {
  const document = readFileSync(path, "utf8");
  const blocks = commandBlocks(document);
  if (blocks.length === 0) return;
  const answers: string[] = [];
  // What a command assigns is there for those after it.
  const variables = join(home, "variables");
  writeFileSync(variables, "");
  for (const { command, answer, line } of blocks) {
    const { code, output } = await run(command.replaceAll(DOCUMENTED, address), variables);
    const now = normal(
      output
        .replaceAll(address, DOCUMENTED)
        .replaceAll(new URL(environment.DEMO_ORIGIN!).host, "127.0.0.1:8788")
        .replaceAll(ROOT, "/home/you/postern"),
      Date.now(),
    );
    answers.push(now);
    const where = `${relative(ROOT, path)}:${line}`;
    const failed = code !== 0;
    const differs = answer !== undefined && now !== answer;
    if (failed || (differs && !write)) {
      differing++;
      console.log(
        `${failed ? `exit ${code}` : "differs"}  ${where}\n--- documented\n${answer ?? "(nothing)\n"}--- answered\n${now}`,
      );
    } else {
      console.log(`${differs ? "written" : "holds  "}  ${where}`);
    }
  }
  if (write) writeFileSync(path, withAnswers(document, answers));
}

async function run(command: string, variables: string): Promise<{ code: number | null; output: string }> {
  const script = `. ${variables}\nset -eu -o pipefail\n${command}\n{ set +x; } 2>/dev/null; declare -p | grep -E '^declare -- [A-Z_]+=' | sed 's/^declare -- //' > ${variables} || true`;
  const child = spawn("bash", ["-c", script], {
    cwd: ROOT,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, output };
}

async function ready(): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!started.includes("Postern is ready on")) {
    if (gateway.exitCode !== null || Date.now() > deadline)
      throw new Error(`npm start did not get ready:\n${started}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
