/**
 * `npm run deploy`: creates the KV namespace, the database and the secrets that are missing, applies
 * schema.sql, and deploys. Safe to run again: what exists is kept. Flags are passed on to `wrangler deploy`;
 * `--dry-run` creates nothing.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { unstable_readConfig } from "wrangler";
import { parseConfig } from "../src/env.ts";

const ROOT = join(import.meta.dirname, "..");
const WORK = join(ROOT, ".wrangler", "deploy");
const CONFIG = join(WORK, "wrangler.toml");
const flags = process.argv.slice(2);
const dryRun = flags.includes("--dry-run");
const environment = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };

/** Stops with one line that says what is wrong. */
function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Runs wrangler. With `quiet`, gives back what it printed instead of showing it. */
function wrangler(args: string[], { quiet = false } = {}): string {
  const { status, stdout } = spawnSync("wrangler", args, {
    cwd: ROOT,
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", quiet ? "pipe" : "inherit", "inherit"],
  });
  if (status !== 0) fail(`wrangler ${args.slice(0, 3).join(" ")} failed`);
  return stdout ?? "";
}

/** The JSON in what wrangler printed, which may begin with a notice. */
const jsonIn = (text: string): unknown => JSON.parse(text.slice(text.search(/[[{]/)));

type Named = { id?: string; uuid?: string; title?: string; name?: string };

/** The id of the KV namespace or database of that name, created if there is none. */
function ensure(kind: "kv" | "d1", name: string): string {
  const list = kind === "kv" ? ["kv", "namespace", "list"] : ["d1", "list", "--json"];
  const create = kind === "kv" ? ["kv", "namespace", "create", name] : ["d1", "create", name];
  const find = () =>
    (jsonIn(wrangler(list, { quiet: true })) as Named[]).find((item) => (item.title ?? item.name) === name);
  let found = find();
  if (found === undefined) {
    console.log(`Creating ${kind === "kv" ? "KV namespace" : "D1 database"} ${name}`);
    wrangler(create, { quiet: true });
    found = find();
  }
  return found?.id ?? found?.uuid ?? fail(`${name} was created but is not listed; run the command again`);
}

/** Secrets the Worker has; none when it was never deployed. */
function existingSecrets(): Set<string> {
  const { status, stdout } = spawnSync("wrangler", ["secret", "list", "--config", CONFIG], {
    cwd: ROOT,
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new Set(status === 0 ? (jsonIn(stdout) as { name: string }[]).map(({ name }) => name) : []);
}

/** Random secrets for what is missing. They go to Cloudflare and are kept nowhere else. */
async function missingSecrets(existing: ReadonlySet<string>): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  if (!existing.has("KEY_TAG_SECRETS")) {
    secrets.KEY_TAG_SECRETS = JSON.stringify({ a: randomBytes(32).toString("base64url") });
  }
  if (!existing.has("SIGNING_KEYS")) {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const kid = new Date().toISOString().slice(0, 10);
    secrets.SIGNING_KEYS = JSON.stringify({
      keys: [{ ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" }],
    });
  }
  return secrets;
}

const config = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
try {
  // The secret exists only at Cloudflare, so another stands in for it; the variables can be judged here, before anything is created.
  parseConfig({ ...config.vars, KEY_TAG_SECRETS: JSON.stringify({ a: "-".repeat(32) }) });
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const keys = config.kv_namespaces[0] ?? fail("wrangler.toml names no KV namespace");
const d1 = config.d1_databases[0] ?? fail("wrangler.toml names no D1 database");
const database = d1.database_name ?? fail("the D1 database in wrangler.toml has no database_name");
const namespace = `${config.name}-keys`;

/** wrangler.toml with this account's ids in it. The file itself stays as it is. */
function writeConfig(namespaceId: string, databaseId: string): void {
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const put = (before: string, after: string) => {
    if (!text.includes(before)) fail(`wrangler.toml holds no line ${before}`);
    text = text.replace(before, after);
  };
  put('main = "src/index.ts"', 'main = "../../src/index.ts"');
  if (keys.id === undefined)
    put(`binding = "${keys.binding}"`, `binding = "${keys.binding}"\nid = "${namespaceId}"`);
  if (d1.database_id === undefined) {
    put(`database_name = "${database}"`, `database_name = "${database}"\ndatabase_id = "${databaseId}"`);
  }
  mkdirSync(WORK, { recursive: true });
  writeFileSync(CONFIG, text);
}

if (dryRun) {
  console.log(
    `Would create the KV namespace ${namespace} and the D1 database ${database} unless they exist,`,
  );
  console.log(
    "apply schema.sql, create the secrets KEY_TAG_SECRETS and SIGNING_KEYS unless they exist, and deploy:",
  );
  writeConfig("0".repeat(32), "00000000-0000-0000-0000-000000000000");
  wrangler(["deploy", "--config", CONFIG, ...flags]);
} else {
  writeConfig(keys.id ?? ensure("kv", namespace), d1.database_id ?? ensure("d1", database));
  console.log("Applying schema.sql");
  wrangler([
    "d1",
    "execute",
    database,
    "--remote",
    "--yes",
    "--config",
    CONFIG,
    "--file",
    join(ROOT, "schema.sql"),
  ]);
  const secrets = await missingSecrets(existingSecrets());
  const file = join(WORK, "secrets.json");
  const withSecrets = Object.keys(secrets).length === 0 ? [] : ["--secrets-file", file];
  try {
    if (withSecrets.length > 0) writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    wrangler(["deploy", "--config", CONFIG, ...withSecrets, ...flags]);
  } finally {
    rmSync(file, { force: true });
  }
}
