import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig, unstable_splitSqlQuery } from "wrangler";
import { bundleWorker } from "../../scripts/bundle.ts";
import { startGateway } from "../../scripts/gateway.ts";
import { applyMigrations, readMigrations } from "../../scripts/migrate.ts";
import { createKeyFormat, parseTagSecrets } from "../../src/keys/format.ts";
import { call } from "../harness/http.ts";
import { Origin } from "../harness/origin.ts";
import { createSessions } from "../harness/sessions.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIRST_SCHEMA = readFileSync(join(import.meta.dirname, "first-schema.sql"), "utf8");

/**
 * The first release's Worker, bundled from the last commit that had the first schema:
 * `git archive aaa92c1`, then esbuild with the settings of scripts/bundle.ts and `--minify`, then `gzip -9`.
 * It is kept because a fresh clone may be shallow.
 */
const FIRST_WORKER = gunzipSync(readFileSync(join(import.meta.dirname, "first-worker.js.gz"))).toString(
  "utf8",
);

const tagSecrets = JSON.stringify({ a: randomBytes(36).toString("base64url") });
const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
const sessions = await createSessions();
const NOW = Date.now();

/** Rows of keys as the first release wrote them, and what each is good for. */
interface OldKey {
  secret: string;
  row: Record<string, string | number | null>;
  /** Status of a read and of a write. */
  read: number;
  write: number;
}

const EVERYTHING = { graphql: "read_write", inference: "read_write", kubernetes_exec: "all_namespaces" };
const READING = { graphql: "read", inference: "read", kubernetes_exec: "none" };

function oldKey(name: string, change: OldKey["row"], read: number, write: number, secret?: string): OldKey {
  const key = secret ?? format.generate(change.environment === "test" ? "test" : "production");
  const row = {
    id: `key-${name}`,
    account_id: "acme",
    hash: createHash("sha256").update(key).digest("hex"),
    prefix: key.slice(0, 12),
    name,
    environment: "production",
    permissions: JSON.stringify(EVERYTHING),
    scopes: JSON.stringify({ all: true }),
    created_at: NOW - 1000,
    created_by: "first",
    ...change,
  };
  return { secret: key, row, read, write };
}

const keys = {
  full: oldKey("full", {}, 200, 200),
  readOnly: oldKey("read-only", { permissions: JSON.stringify(READING) }, 200, 403),
  test: oldKey("test", { environment: "test" }, 200, 200),
  legacy: oldKey(
    "legacy",
    { legacy: 1, scopes: null },
    200,
    200,
    `OLD${randomBytes(20).toString("hex").toUpperCase()}`,
  ),
  later: oldKey("later", { expires_at: NOW + 3_600_000 }, 200, 200),
  expired: oldKey("expired", { expires_at: NOW - 1 }, 401, 401),
  revoked: oldKey("revoked", { revoked_at: NOW - 1 }, 401, 401),
  disabled: oldKey("disabled", { enabled: 0 }, 401, 401),
};

interface Pair {
  miniflare: Miniflare;
  db: D1Database;
  old: string;
  today: string;
}

/** Both releases at once, on one database, one KV namespace and one ledger, whose class is the host's. */
async function startPair(host: "old" | "today", origin: Origin): Promise<Pair> {
  const code = { old: FIRST_WORKER, today: await bundleWorker(join(ROOT, "src/index.ts"), ROOT) };
  const { compatibility_date, compatibility_flags } = unstable_readConfig({
    config: join(ROOT, "wrangler.toml"),
  });
  const worker = (name: "old" | "today") => ({
    name,
    modules: [{ type: "ESModule" as const, path: "index.js", contents: code[name] }],
    compatibilityDate: compatibility_date!,
    compatibilityFlags: compatibility_flags,
    d1Databases: { DB: "db" },
    kvNamespaces: { KEYS: "keys" },
    durableObjects: {
      LEDGER: { className: "Ledger", useSQLite: true, ...(name !== host && { scriptName: host }) },
    },
    ratelimits: { LEGACY_LIMITER: { namespace_id: "1", simple: { limit: 100, period: 60 as const } } },
    bindings: {
      KEY_TAG_SECRETS: tagSecrets,
      LEGACY_KEYS: "on",
      LEASE_SECONDS: "1",
      FLUSH_SECONDS: "1",
      INSECURE_ORIGIN_HOSTS: "127.0.0.1",
      ...sessions.vars,
    },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    stripCfConnectingIp: false,
  });
  const others = host === "old" ? [worker("old"), worker("today")] : [worker("today"), worker("old")];
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      workers: others,
      cf: false,
      logRequests: false,
      handleStructuredLogs: () => {},
    }),
    enableDevRegistry: false,
    telemetry: { enabled: false },
  });
  await miniflare.ready;
  const db = (await miniflare.getD1Database("DB", host)) as unknown as D1Database;
  await fillAsFirstRelease(db, origin);
  return {
    miniflare,
    db,
    old: (await miniflare.unsafeGetDirectURL("old")).origin,
    today: (await miniflare.unsafeGetDirectURL("today")).origin,
  };
}

/** The first schema, with data as the first release kept it. */
async function fillAsFirstRelease(db: D1Database, origin: Origin): Promise<void> {
  const insert = (table: string, row: OldKey["row"]) =>
    db
      .prepare(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${Object.keys(row).map(() => "?")})`)
      .bind(...Object.values(row));
  const times = { created_at: NOW, updated_at: NOW };
  await db.batch([
    ...unstable_splitSqlQuery(FIRST_SCHEMA).map((sql) => db.prepare(sql)),
    insert("accounts", { id: "acme", name: "Acme", active_key_limit: 100, ...times }),
    insert("endpoints", {
      id: "web",
      account_id: "acme",
      name: "Web",
      api: "inference",
      protocol: "http",
      path: "/v2/web",
      origin: origin.url,
      test_origin: origin.url,
      ...times,
    }),
    ...Object.values(keys).map(({ row }) => insert("keys", row)),
  ]);
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** The first release's local state is a directory: its database, before there were migrations. */
it("npm start takes over the local state of the first release", async () => {
  const origin = await Origin.start();
  const root = mkdtempSync(join(tmpdir(), "postern-first-"));
  const state = join(root, "state");
  const main = JSON.stringify(join(ROOT, "src/index.ts"));
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8").replace('"src/index.ts"', main);
  writeFileSync(join(root, "wrangler.toml"), toml);
  cpSync(join(ROOT, "tsconfig.json"), join(root, "tsconfig.json"));
  const settings = {
    port: 0,
    persist: state,
    vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", LEGACY_KEYS: "on" },
    secrets: { KEY_TAG_SECRETS: tagSecrets },
  };
  try {
    const first = await startGateway({ ...settings, root });
    await fillAsFirstRelease((await first.miniflare.getD1Database("DB")) as unknown as D1Database, origin);
    await first.stop();
    const today = await startGateway(settings);
    await expectEveryKeyWorks(today.url).finally(() => today.stop());
  } finally {
    await origin.stop();
    rmSync(root, { recursive: true, force: true });
  }
});

async function expectEveryKeyWorks(url: string): Promise<void> {
  for (const [name, { secret, read, write }] of Object.entries(keys)) {
    const statuses = [];
    for (const method of ["GET", "POST"]) {
      statuses.push((await call(url, "/v2/web/x", { method, headers: bearer(secret) })).status);
    }
    expect(statuses, name).toEqual([read, write]);
  }
}

describe.each(["old", "today"] as const)("while a release rolls out, the ledger being %s's", (host) => {
  let origin: Origin;
  let pair: Pair;
  beforeAll(async () => {
    origin = await Origin.start();
    pair = await startPair(host, origin);
  });
  afterAll(async () => {
    await pair?.miniflare.dispose();
    await origin?.stop();
  });

  it("the first release serves its own database", () => expectEveryKeyWorks(pair.old));

  it("migrating it, under load, fails no request", async () => {
    let migrated = false;
    const load = (async () => {
      const statuses = new Set<number>();
      do {
        statuses.add((await call(pair.old, "/v2/web/x", { headers: bearer(keys.full.secret) })).status);
      } while (!migrated);
      return [...statuses];
    })();
    const names = await applyMigrations(pair.db, readMigrations(join(ROOT, "migrations")));
    migrated = true;
    expect(names.length).toBeGreaterThan(0);
    expect(await load).toEqual([200]);
    expect(await applyMigrations(pair.db, readMigrations(join(ROOT, "migrations")))).toEqual([]);
  });

  it("every key works as it did, in both", async () => {
    await expectEveryKeyWorks(pair.old);
    await expectEveryKeyWorks(pair.today);
  });

  it("a key revoked through today's stops in both within the lease", async () => {
    const { secret, row } = keys.later;
    const session = await sessions.of("acme");
    const path = `/v1/account/api-keys/${row.id}/revoke`;
    expect((await call(pair.today, path, { method: "POST", headers: session })).status).toBe(200);
    await new Promise((done) => setTimeout(done, 1100));
    for (const url of [pair.old, pair.today]) {
      expect((await call(url, "/v2/web/x", { headers: bearer(secret) })).status, url).toBe(401);
    }
  });

  it("both count what they serve, in the same table", async () => {
    const count = async () => {
      const sql =
        "SELECT coalesce(sum(count), 0) AS n FROM key_usage WHERE key_id = 'key-test' AND kind = 'read'";
      return (await pair.db.prepare(sql).first<{ n: number }>())!.n;
    };
    // Once before and once after the migration in the old one, once in the new.
    await expect.poll(count, { timeout: 15_000, interval: 200 }).toBe(3);
  });
});
