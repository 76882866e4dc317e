/**
 * `node bench/compare/index.ts`: Postern beside what one would write or install instead, in one run: same
 * origin, same load, same machine, each in turn (A B C … A B C …). Their packages are installed into this
 * directory when they are missing. Writes bench/results/compare.json.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import type { GatewayOptions } from "../../scripts/gateway.ts";
import { createKeyFormat, displayPrefix, parseTagSecrets } from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { prepare } from "../direct.ts";
import { load, type Run } from "../load.ts";
import { startOrigin } from "../origin.ts";
import { writeResults } from "../results.ts";

const HERE = import.meta.dirname;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 5000);
const CONNECTIONS = 16;
const SECONDS = 3;

/** Someone who stands between clients and the origin. */
interface Entrant {
  name: string;
  /** What it does for a request. */
  does: string;
  port: number;
  pid: number;
  /** Sent over and over; answered 200. */
  request: string;
  stop(): Promise<void>;
}

const BODY = JSON.stringify({ model: "m", messages: [{ role: "user", content: "y".repeat(960) }] });
const requestOf = (key: string, path = "/v2/chat/completions", headers: string[] = []) =>
  [
    `POST ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "User-Agent: bench/1.0",
    "Accept: application/json",
    "Accept-Encoding: identity",
    `Authorization: Bearer ${key}`,
    ...headers,
    "Content-Type: application/json",
    `Content-Length: ${BODY.length}`,
    "",
    BODY,
  ].join("\r\n");

const random = () => crypto.randomUUID() + crypto.randomUUID();

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function untilListening(port: number, process: ChildProcess): Promise<void> {
  for (let n = 0; n < 100; n += 1) {
    if (process.exitCode !== null) throw new Error(`it ended with ${process.exitCode}`);
    const up = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it never listened");
}

const ended = (process: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (process.exitCode !== null) resolve();
    process.once("exit", () => resolve());
    process.kill();
  });

/** A Worker, built and its storage filled, then served by workerd itself: straight to the origin (bench/direct.ts). */
async function worker(
  name: string,
  does: string,
  options: Omit<GatewayOptions, "port" | "persist">,
  key: string,
  fill: (miniflare: Miniflare) => Promise<unknown>,
): Promise<Entrant> {
  const prepared = await prepare(options, async (miniflare) => {
    await fill(miniflare);
  });
  const server = await prepared.serve([{ name, vars: {} }], "network");
  return {
    name,
    does,
    port: server.ports[name]!,
    pid: server.pid,
    request: requestOf(key),
    stop: async () => {
      await server.stop();
      await prepared.remove();
    },
  };
}

function postern(origin: number): Promise<Entrant> {
  const tagSecrets = JSON.stringify({ a: random() });
  const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
  const key = format.generate("production");
  const permissions = { graphql: "none", inference: "read_write", kubernetes_exec: "none" };
  const options = {
    vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", REQUEST_LOG: "off" },
    secrets: { KEY_TAG_SECRETS: tagSecrets },
  };
  return worker(
    "Postern",
    "key, permission, revocation in 2 s, last use",
    options,
    key,
    async (miniflare) => {
      const db = await miniflare.getD1Database("DB");
      await db.batch([
        db.prepare(
          "INSERT INTO accounts (id, name, active_key_limit, created_at, updated_at) VALUES ('bench', 'Bench', 10, 0, 0)",
        ),
        db
          .prepare(
            `INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, created_at, created_by)
             VALUES ('key', 'bench', ?, ?, 'key', 'production', ?, 0, 'bench')`,
          )
          .bind(sha256Hex(key), displayPrefix(key), JSON.stringify(permissions)),
        db
          .prepare(
            `INSERT INTO endpoints (id, name, api, protocol, path, origin, created_at, updated_at)
             VALUES ('chat', 'chat', 'inference', 'http', '/v2/chat', ?, 0, 0)`,
          )
          .bind(`http://127.0.0.1:${origin}`),
      ]);
    },
  );
}

const optionsOf = (root: string, origin: number, secrets = {}) => ({
  root,
  vars: { ORIGIN: `http://127.0.0.1:${origin}` },
  secrets,
});

function bare(origin: number): Promise<Entrant> {
  return worker("bare Worker", "nothing", optionsOf(join(HERE, "../bare"), origin), "none", async () => {});
}

function honoKv(origin: number): Promise<Entrant> {
  const key = random();
  const options = optionsOf(join(HERE, "hono-kv"), origin);
  return worker("Hono, KV per request", "key, permission", options, key, async (miniflare) => {
    const keys = await miniflare.getKVNamespace("KEYS");
    await keys.put(
      `key:${sha256Hex(key)}`,
      JSON.stringify({ enabled: true, expires_at: null, access: "read_write" }),
    );
  });
}

function honoD1(origin: number): Promise<Entrant> {
  const key = random();
  const options = optionsOf(join(HERE, "hono-d1"), origin);
  return worker("Hono, D1 per request", "key, permission", options, key, async (miniflare) => {
    const db = await miniflare.getD1Database("DB");
    await db.batch([
      db.prepare(
        `CREATE TABLE keys (hash TEXT NOT NULL PRIMARY KEY, account_id TEXT NOT NULL, enabled INTEGER NOT NULL,
                            expires_at INTEGER, access TEXT NOT NULL) WITHOUT ROWID`,
      ),
      db
        .prepare("INSERT INTO keys (hash, account_id, enabled, access) VALUES (?, 'bench', 1, 'read_write')")
        .bind(sha256Hex(key)),
    ]);
  });
}

async function betterAuth(origin: number): Promise<Entrant> {
  const options = optionsOf(join(HERE, "better-auth"), origin, { AUTH_SECRET: random() });
  const entrant = await worker("better-auth, API-key plugin", "key, last use", options, "", async () => {});
  const answer = await fetch(`http://127.0.0.1:${entrant.port}/set-up`);
  if (!answer.ok) {
    await entrant.stop();
    throw new Error(`its set-up failed with ${answer.status}`);
  }
  return { ...entrant, request: requestOf(await answer.text()) };
}

async function portkey(origin: number): Promise<Entrant> {
  const port = await freePort();
  const main = join(HERE, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const process_ = spawn(process.execPath, [main, "--headless", `--port=${port}`], {
    stdio: "ignore",
    env: { ...process.env, NODE_ENV: "production" },
  });
  await untilListening(port, process_);
  const request = requestOf("none", "/v1/chat/completions", [
    "x-portkey-provider: openai",
    `x-portkey-custom-host: http://127.0.0.1:${origin}/v1`,
  ]);
  return {
    name: "@portkey-ai/gateway",
    does: "forwarding alone (a Node process)",
    port,
    pid: process_.pid as number,
    request,
    stop: () => ended(process_),
  };
}

async function nginx(origin: number): Promise<Entrant> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "postern-nginx-"));
  const key = random();
  const file = join(directory, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${directory}; proxy_temp_path ${directory};
  fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  map_hash_bucket_size 256;
  map $http_authorization $account { default ""; "Bearer ${key}" "bench"; }
  upstream origin { server 127.0.0.1:${origin}; keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      if ($account = "") { return 401; }
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
    }
  }
}
`,
  );
  const process_ = spawn("nginx", ["-c", file, "-p", directory], { stdio: "ignore" });
  await untilListening(port, process_);
  return {
    name: "nginx, map of keys",
    does: "key, from a static file (not a Worker)",
    port,
    pid: process_.pid as number,
    request: requestOf(key),
    stop: async () => {
      await ended(process_);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const has = (command: string) => {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

const skipped: { name: string; why: string }[] = [];
if (!existsSync(join(HERE, "node_modules"))) {
  try {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", HERE], {
      cwd: HERE,
      stdio: "inherit",
    });
  } catch {
    console.log("skipped: the packages to compare with cannot be installed");
  }
}
const origin = await startOrigin();
const entrants: Entrant[] = [];
const candidates: [name: string, start: (origin: number) => Promise<Entrant>, needs: string | null][] = [
  ["Postern", postern, null],
  ["bare Worker", bare, null],
  ["Hono, KV per request", honoKv, null],
  ["Hono, D1 per request", honoD1, null],
  ["better-auth, API-key plugin", betterAuth, null],
  ["@portkey-ai/gateway", portkey, null],
  ["nginx, map of keys", nginx, "nginx"],
];
for (const [name, start, needs] of candidates) {
  try {
    if (needs !== null && !has(needs))
      throw new Error(`${needs} is not installed (apt-get install nginx-light)`);
    entrants.push(await start(origin.port));
  } catch (error) {
    const why = String((error as Error).message).split("\n")[0] ?? "";
    skipped.push({ name, why });
    console.log(`skipped: ${name}: ${why}`);
  }
}

/** Requests in one run of each: fewer where it is slow, so that a run takes no longer than some seconds. */
const counts = new Map(entrants.map(({ name }) => [name, 200]));
const runs = new Map<string, Run[]>(entrants.map(({ name }) => [name, []]));
// The first round warms up, and tells how fast each is.
for (let round = -1; round < ROUNDS; round += 1) {
  for (const { name, port, pid, request } of entrants) {
    const count = counts.get(name) as number;
    const run = await load({ port, pid, request, status: 200, count, connections: CONNECTIONS });
    if (round >= 0) runs.get(name)?.push(run);
    else counts.set(name, Math.round(Math.min(REQUESTS, Math.max(200, (SECONDS * count) / run.seconds))));
  }
}
for (const { stop } of entrants) await stop();
origin.stop();

const median = (of: Run[], what: (run: Run) => number) =>
  of.map(what).sort((a, b) => a - b)[of.length >> 1] as number;
const rows = entrants.map(({ name, does }) => {
  const of = runs.get(name) as Run[];
  return {
    name,
    does,
    perSecond: median(of, (run) => run.requests / run.seconds),
    cpu: median(of, (run) => run.cpu),
    p50: median(of, (run) => run.p50),
    p99: median(of, (run) => run.p99),
  };
});
const [ours] = rows;
console.table(
  rows.map((row) => ({
    name: row.name,
    "throughput, Postern's over its": ((ours?.perSecond ?? 0) / row.perSecond).toFixed(2),
    "CPU time, its over Postern's": (row.cpu / (ours?.cpu ?? 1)).toFixed(2),
    "CPU µs": Math.round(row.cpu),
    "p50 µs": row.p50,
    "p99 µs": row.p99,
  })),
);
writeResults("compare", "npm run bench:compare", { rounds: ROUNDS, requests: REQUESTS, rows, skipped });
