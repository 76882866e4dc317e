/**
 * `npm run deploy`: creates the KV namespace, the database and the secrets that are missing, applies the
 * migrations the database lacks, and then deploys the Worker. Every step looks first, so that running it again
 * resumes where it failed, and changes nothing where everything is there.
 *
 * `--dry-run` only asks what exists and says what it would do. `--force` deploys although nothing changed.
 * Some flags of `wrangler deploy` are passed on (deploy/flags.ts); any other is refused. `--help` lists them.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { unstable_readConfig } from "wrangler";
import { bundleWorker } from "./bundle.ts";
import {
  appliedMigrations,
  createMissing,
  type Existing,
  findExisting,
  type Ids,
  secretsOf,
  servingVersions,
  type Wanted,
} from "./deploy/account.ts";
import { readFlags, USAGE } from "./deploy/flags.ts";
import { digestOf, readReceipt, writeReceipt } from "./deploy/receipt.ts";
import { keepSecrets, MADE_SECRETS, makeSecrets } from "./deploy/secrets.ts";
import { checkSettings } from "./deploy/settings.ts";
import { WranglerError, wrangler } from "./deploy/wrangler.ts";
import { die, orDie } from "./die.ts";
import { readMigrations } from "./migrate.ts";
import { replaceSetting, wranglerConfigIn } from "./wrangler-config.ts";

const ROOT = join(import.meta.dirname, "..");
const WORK = process.env.POSTERN_DEPLOY_DIR || join(ROOT, ".wrangler", "deploy");
const CONFIG = join(WORK, "wrangler.toml");
const RECEIPT = join(WORK, "receipt.json");
/** What hands new secrets to wrangler; gone when this ends. */
const HANDED_OVER = join(WORK, "handed-over.json");

const { dryRun, force, passedOn, vars, help } = await orDie(() =>
  readFlags(process.argv.slice(2), process.env),
);
if (help) {
  console.log(USAGE);
  process.exit(0);
}

const config = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
const { wanted, keysBinding } = readWanted();
const migrations = readMigrations(join(ROOT, "migrations"));

// Before anything is asked or created.
const odd = await orDie(() => checkSettings({ ...config.vars, ...vars }));
for (const what of odd) console.warn(`Warning: ${what}`);

// Nor is anything created for a Worker that does not build.
const code = await orDie(() => bundleWorker(join(ROOT, "src/index.ts"), ROOT));

mkdirSync(WORK, { recursive: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
process.on("exit", () => rmSync(HANDED_OVER, { force: true }));
try {
  await (dryRun ? describe() : deploy());
} catch (error) {
  if (!(error instanceof WranglerError)) die(`${(error as Error).message}\nNothing after that was done.`);
  if (error.output !== "") console.error(error.output);
  die(`${error.message}. Nothing after that was done: put it right, and run the command again.`);
}

async function deploy(): Promise<void> {
  const existing = await findExisting(wanted);
  const ids = await createMissing(wanted, existing);
  say("KV namespace", wanted.namespace.title, existing.namespaceId ? "exists" : "created");
  say("D1 database", wanted.database.name, existing.databaseId ? "exists" : "created");
  writeConfig(ids);

  // Before the Worker: a new one must not meet an old schema. The old one works with the new (docs/upgrade.md).
  const [applied, has] = await Promise.all([appliedMigrations(CONFIG), secretsOf(CONFIG)]);
  if (migrations.some(({ name }) => !applied.has(name))) {
    await wrangler(["d1", "migrations", "apply", "DB", "--remote", "--config", CONFIG]);
  }
  for (const { name } of migrations)
    say("Migration", name, applied.has(name) ? "was applied" : "applied now");

  const missing = MADE_SECRETS.filter((name) => !has.has(name));
  const digest = digestOfDeployment();
  const last = readReceipt(RECEIPT);
  if (missing.length === 0 && !force && last?.digest === digest) {
    const serving = await servingVersions(CONFIG);
    if (serving.length === 1 && serving[0] === last.version) {
      for (const name of MADE_SECRETS) say("Secret", name, "exists");
      return say("Worker", wanted.worker, `serves this already (version ${last.version})`);
    }
  }

  for (const name of MADE_SECRETS)
    say("Secret", name, has.has(name) ? "exists" : "made, goes with the Worker");
  const version = await upload(missing, ids);
  writeReceipt(RECEIPT, { digest, version });
}

/** Uploads and deploys the Worker, new secrets with it: no version of it ever runs without them. */
async function upload(missing: readonly string[], { databaseId }: Ids): Promise<string> {
  const report = join(WORK, "output.ndjson");
  rmSync(report, { force: true });
  const args = ["deploy", "--config", CONFIG, ...passedOn];
  if (missing.length > 0) {
    const made = await makeSecrets(missing);
    // Kept before they go up: Cloudflare never tells a secret again, and rotating one needs its value.
    const kept = join(WORK, `secrets-${databaseId}.json`);
    keepSecrets(kept, made);
    console.log(
      `The values of new secrets are in ${relative(ROOT, kept)}, for you alone: move it to a vault.`,
    );
    // wrangler takes them from a file alone.
    writeFileSync(HANDED_OVER, JSON.stringify(made), { mode: 0o600 });
    args.push("--secrets-file", HANDED_OVER);
  }
  try {
    await wrangler(args, { show: true, ask: true, env: { WRANGLER_OUTPUT_FILE_PATH: report } });
  } finally {
    rmSync(HANDED_OVER, { force: true });
  }
  const lines = readFileSync(report, "utf8").trim().split("\n");
  const deployed = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "deploy");
  if (typeof deployed?.version_id !== "string")
    throw new Error("wrangler did not say which version it deployed");
  return deployed.version_id;
}

/** `--dry-run`: what would be done, as far as it can be told without writing anything. */
async function describe(): Promise<void> {
  const existing = await findExisting(wanted).catch((error): undefined => {
    console.log(`Cloudflare could not be asked what exists there:\n${indent(error.output || error.message)}`);
  });
  const would = (id: string | undefined) =>
    existing === undefined ? "would be created unless it exists" : id ? "exists" : "would be created";
  say("KV namespace", wanted.namespace.title, would(existing?.namespaceId));
  say("D1 database", wanted.database.name, would(existing?.databaseId));
  writeConfig(placeholders(existing));

  const [applied, has] = await Promise.all([
    existing?.databaseId && appliedMigrations(CONFIG),
    existing && secretsOf(CONFIG),
  ]);
  const unknown = existing === undefined ? " unless it was" : "";
  for (const { name } of migrations) {
    const was = applied instanceof Set && applied.has(name);
    say("Migration", name, was ? "was applied" : `would be applied${unknown}`);
  }
  for (const name of MADE_SECRETS) {
    say("Secret", name, would(has?.has(name) ? name : undefined));
  }
  console.log(`Worker ${wanted.worker}: this would be deployed`);
  await wrangler(["deploy", "--dry-run", "--config", CONFIG, ...passedOn], { show: true });
}

/** Everything a deployment consists of, so that one that would change nothing is recognised. */
function digestOfDeployment(): string {
  const lockfile = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  return digestOf([code, readFileSync(CONFIG, "utf8"), lockfile, ...passedOn]);
}

/** wrangler.toml with this account's ids in it, where git does not see it. */
function writeConfig({ namespaceId, databaseId }: Ids): void {
  let text = wranglerConfigIn(WORK);
  const put = (name: string, value: string, id: string) => {
    text = replaceSetting(text, name, value, `${name} = "${value}"\n${id}`);
  };
  if (wanted.namespace.id === undefined) put("binding", keysBinding, `id = "${namespaceId}"`);
  if (wanted.database.id === undefined) {
    put("database_name", wanted.database.name, `database_id = "${databaseId}"`);
  }
  const before = readdirSync(WORK).includes("wrangler.toml") ? readFileSync(CONFIG, "utf8") : undefined;
  if (text !== before) writeFileSync(CONFIG, text);
}

function placeholders(existing: Existing | undefined): Ids {
  return {
    namespaceId: existing?.namespaceId ?? "0".repeat(32),
    databaseId: existing?.databaseId ?? "00000000-0000-0000-0000-000000000000",
  };
}

function readWanted(): { wanted: Wanted; keysBinding: string } {
  const worker = config.name ?? die("wrangler.toml has no name");
  const keys = config.kv_namespaces[0] ?? die("wrangler.toml names no KV namespace");
  const d1 = config.d1_databases[0] ?? die("wrangler.toml names no D1 database");
  const name = d1.database_name ?? die("the D1 database in wrangler.toml has no database_name");
  return {
    keysBinding: keys.binding,
    wanted: {
      worker,
      namespace: { title: `${worker}-keys`, id: keys.id },
      database: { name, id: d1.database_id },
    },
  };
}

function say(kind: string, name: string, state: string): void {
  console.log(`${kind} ${name}: ${state}`);
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
