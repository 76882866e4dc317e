import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/env.ts";
import { CloudflareApi, type Recorded } from "./cloudflare-api.ts";

const ROOT = join(import.meta.dirname, "../..");
const HOST = "gateway.example.com";

/** The real script and the real wrangler, against a stand-in for Cloudflare: an account with nothing in it. */
const api = new CloudflareApi();
const home = mkdtempSync(join(tmpdir(), "postern-deploy-"));
const work = join(home, "deploy");

/** Stands before wrangler, and notes the command line and the environment it is started with. */
const SPY = `#!/bin/sh
{ printf '%s\\n' "$0" "$@"; env; } >>"$HOME/processes"
exec "${join(ROOT, "node_modules/.bin/wrangler")}" "$@"
`;

beforeAll(async () => {
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin/wrangler"), SPY, { mode: 0o755 });
  await api.start();
});
afterAll(async () => {
  await api.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Everything that any run printed. */
let outputs = "";

interface Run {
  code: number;
  output: string;
  requests: Recorded[];
}

/** `npm run deploy`, as somebody would run it who has an API token. */
async function deploy(...flags: string[]): Promise<Run> {
  return deployIn({}, ...flags);
}

/** The same, with more of the environment. */
async function deployIn(more: Record<string, string>, ...flags: string[]): Promise<Run> {
  const child = spawn(process.execPath, ["scripts/deploy.ts", "--domain", HOST, ...flags], {
    cwd: ROOT,
    env: {
      PATH: `${join(home, "bin")}:${process.env.PATH}`,
      HOME: home,
      // Where wrangler remembers the account; the developer's own is no business of a test.
      WRANGLER_CACHE_DIR: join(home, "cache"),
      NODE_COMPILE_CACHE: join(home, "compiled"),
      POSTERN_DEPLOY_DIR: work,
      ...api.environment,
      ...more,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const code = await new Promise<number>((done) => child.on("close", done));
  outputs += output;
  return { code, output, requests: api.take() };
}

/** Of the requests, those that could change something; reading a database is a POST, too. */
function writes(requests: Recorded[]): string[] {
  return requests
    .filter(({ method, path, body }) => {
      const reads = path.endsWith("/query") && (JSON.parse(body).sql as string).startsWith("SELECT");
      return method !== "GET" && !reads;
    })
    .map(({ method, path }) => `${method} ${path.split("?")[0]!.replace(/^\/accounts\/\w+/, "")}`);
}

const SCRIPT = "/workers/scripts/postern";

describe("npm run deploy refuses, before it asks anything,", () => {
  it.each<[string, Record<string, string>, string[], string]>([
    ["a flag that npm kept", { npm_config_dry_run: "true" }, [], "npm run deploy -- --dry-run"],
    ["one that npm kept, misspelt", { npm_config_dryrun: "true" }, [], "npm run deploy -- --dry-run"],
    ["one for wrangler that npm kept", { npm_config_keep_vars: "true" }, [], "npm run deploy -- --keep-vars"],
    ["another", { npm_config_force: "true" }, ["--dry-run"], "npm run deploy -- --force"],
    ["a flag misspelt", {}, ["--dryrun"], "'--dryrun'"],
    ["one that its own steps would not heed", {}, ["--env", "staging"], "'--env'"],
    ["what is no flag", {}, ["dry-run"], "'dry-run'"],
    [
      "a host name with a scheme",
      {},
      ["--var", "HOSTNAMES:https://gw.test"],
      "HOSTNAMES: must be host names",
    ],
    ["what is no address", {}, ["--var", "ADMIN_EMAILS:you at gw.test"], "ADMIN_EMAILS: must be e-mail"],
    [
      "a secret in the open",
      {},
      ["--var", "SESSION_SECRETS:{}"],
      "SESSION_SECRETS: set it by wrangler secret",
    ],
    ["half a way in", {}, ["--var", "SESSION_ISSUER:https://i.test"], "SESSION_AUDIENCE is not"],
    ["half of another", {}, ["--var", "OIDC_ISSUER:https://i.test"], "OIDC_CLIENT_ID is not"],
    [
      "a URL of its own without TLS",
      {},
      ["--var", "PUBLIC_URL:http://gw.test"],
      "PUBLIC_URL: must be an https",
    ],
    [
      "one under a host that it does not answer to",
      {},
      ["--var", "PUBLIC_URL:https://other.test", "--var", "HOSTNAMES:gw.test"],
      "HOSTNAMES lacks the host of PUBLIC_URL",
    ],
    ["one that is none", {}, ["--var", "PUBLIC_URL:https://gw.test:port"], "PUBLIC_URL: must be a URL"],
  ])("%s", async (_what, environment, flags, said) => {
    const { code, output, requests } = await deployIn(environment, ...flags);
    expect(output).toContain(said);
    expect(code).toBe(1);
    expect(requests).toEqual([]);
  });
});

it.each(["--help", "-h"])(
  "npm run deploy -- %s says what each flag does, and does nothing",
  {
    timeout: 60_000,
  },
  async (flag) => {
    const { code, output, requests } = await deploy(flag);
    const { output: refusal } = await deploy("--nonsense");
    const flags = /^Flags: (.*);/m.exec(refusal)![1]!.split(" ");
    expect(flags.length).toBeGreaterThan(10);
    for (const name of flags) expect(output).toMatch(new RegExp(`${name}\\b`));
    expect(code).toBe(0);
    expect(requests).toEqual([]);
  },
);

it("npm run deploy says how to log in where nobody is, and passes no other advice on", {
  timeout: 60_000,
}, async () => {
  for (const flags of [[], ["--dry-run"]]) {
    const { output, requests } = await deployIn({ CLOUDFLARE_API_TOKEN: "" }, ...flags);
    expect(output).toContain("run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
    expect(output).not.toContain("--temporary");
    expect(requests).toEqual([]);
  }
});

describe("npm run deploy", () => {
  it("with --dry-run writes nothing, and says what it would do", { timeout: 60_000 }, async () => {
    const { code, output, requests } = await deploy("--dry-run", "--var", "LEASE_SECOND:5");
    expect(output).toContain("Warning: LEASE_SECOND is no variable");
    expect(output).toMatch(/KV namespace postern-keys: would be created$/m);
    expect(output).toMatch(/D1 database postern: would be created$/m);
    expect(output).toMatch(/Migration 0001_first\.sql: would be applied$/m);
    expect(output).toMatch(/Secret KEY_TAG_SECRETS: would be created$/m);
    expect(code).toBe(0);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  // Each fails where the one before got to, so that all of it is one first deployment that never starts again.
  const failures: [string, (request: { method: string; path: string }) => boolean, string[]][] = [
    [
      "creating the namespace",
      ({ method, path }) => method === "POST" && path.endsWith("/storage/kv/namespaces"),
      ["POST /storage/kv/namespaces"],
    ],
    [
      "creating the database",
      ({ method, path }) => method === "POST" && path.endsWith("/d1/database"),
      ["POST /storage/kv/namespaces", "POST /d1/database"],
    ],
    // The namespace is not made again, here or below.
    ["a migration", ({ path }) => path.endsWith("/query"), ["POST /d1/database"]],
    ["the upload", ({ method }) => method === "PUT", ["migrations", `PUT ${SCRIPT}`]],
    [
      "the domain, after the upload",
      ({ path }) => path.endsWith("/domains/records"),
      [
        `PUT ${SCRIPT}`,
        `POST ${SCRIPT}/subdomain`,
        `POST ${SCRIPT}/domains/changeset`,
        `PUT ${SCRIPT}/domains/records`,
      ],
    ],
  ];
  it.each(failures)("stops where %s fails", { timeout: 60_000 }, async (_what, failing, expected) => {
    api.failing = failing;
    const { code, output, requests } = await deploy();
    api.failing = undefined;
    expect(output).toContain("run the command again");
    expect(code).toBe(1);
    expect(distinct(writes(requests))).toEqual(expected);
  });

  it("resumes, and is done once: the schema first, then the Worker with its secrets", {
    timeout: 60_000,
  }, async () => {
    const { code, output, requests } = await deploy();
    expect(output).toMatch(/KV namespace postern-keys: exists$/m);
    expect(code).toBe(0);
    expect(distinct(writes(requests))).toEqual([
      `PUT ${SCRIPT}`,
      `POST ${SCRIPT}/subdomain`,
      `POST ${SCRIPT}/domains/changeset`,
      `PUT ${SCRIPT}/domains/records`,
    ]);
    expect(api.namespaces).toHaveLength(1);
    expect(api.databases).toHaveLength(1);
    expect(api.domains).toEqual([HOST]);

    const { sqlite } = api.databases[0]!;
    const applied = sqlite.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    expect(applied.map(({ name }) => name)).toEqual(readdirSync(join(ROOT, "migrations")).sort());
    expect(sqlite.prepare("SELECT count(*) AS n FROM keys").get()).toEqual({ n: 0 });

    const { metadata, secrets } = api.versions.at(-1)!;
    const bindings = metadata.bindings as { name: string; namespace_id?: string; id?: string }[];
    expect(bindings.find(({ name }) => name === "KEYS")?.namespace_id).toBe(api.namespaces[0]!.id);
    expect(bindings.find(({ name }) => name === "DB")?.id).toBe(api.databases[0]!.uuid);
    expect(Object.keys(secrets).sort()).toEqual(["KEY_TAG_SECRETS", "SESSION_SECRETS", "SIGNING_KEYS"]);
    expect(parseConfig(secrets).KEY_TAG_SECRETS.current).toBe("a");
  });

  it("made each secret once, and kept it through every later upload", () => {
    const [first, ...later] = api.versions;
    expect(later).toHaveLength(1);
    for (const { secrets } of later) expect(secrets).toEqual(first!.secrets);
  });

  it("changes nothing the second time", { timeout: 60_000 }, async () => {
    const versions = api.versions.length;
    const { code, output, requests } = await deploy();
    expect(output).toMatch(/Worker postern: serves this already/);
    expect(code).toBe(0);
    expect(writes(requests)).toEqual([]);
    expect(api.versions).toHaveLength(versions);
  });

  it("replaces no secret where Cloudflare does not say which there are", { timeout: 60_000 }, async () => {
    // Only the first time: wrangler asks again, when it deploys.
    let asked = 0;
    api.failing = ({ path }) => path.endsWith("/secrets") && asked++ === 0;
    const { code, requests } = await deploy("--force");
    api.failing = undefined;
    expect(code).toBe(1);
    expect(writes(requests)).toEqual([]);
  });

  it("deploys what changed, and leaves secrets and data alone", { timeout: 60_000 }, async () => {
    const { code, requests } = await deploy("--var", "LEGACY_KEYS:on");
    expect(code).toBe(0);
    expect(distinct(writes(requests))[0]).toBe(`PUT ${SCRIPT}`);
    const put = requests.find(({ method, path }) => method === "PUT" && path.includes(`${SCRIPT}?`))!;
    expect(put.body).not.toContain('secret_text","text');
    expect(api.versions.at(-1)!.secrets).toEqual(api.versions[0]!.secrets);
  });
});

it("secrets are in the upload and in their owner's file: no output, no other file, no command line, no environment", () => {
  const secrets = api.versions[0]!.secrets;
  const values = Object.values(secrets);
  const files = readdirSync(work, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.some((file) => file.endsWith("receipt.json"))).toBe(true);
  expect(outputs).toContain("KEY_TAG_SECRETS: made");
  const processes = readFileSync(join(home, "processes"), "utf8");
  expect(processes).toContain("--secrets-file");
  for (const value of values)
    expect([outputs.includes(value), processes.includes(value)]).toEqual([false, false]);

  const kept = join(work, `secrets-${api.databases[0]!.uuid}.json`);
  expect(JSON.parse(readFileSync(kept, "utf8"))).toEqual(secrets);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  for (const file of files.filter((name) => name !== kept)) {
    const text = readFileSync(file, "utf8");
    for (const value of values) expect(text.includes(value), file).toBe(false);
  }
});

/** In order, each once; the statements of migrations as one word. */
function distinct(list: string[]): string[] {
  return [...new Set(list.map((line) => (line.endsWith("/query") ? "migrations" : line)))];
}
