/**
 * `npm run bench`: Postern beside a Worker that only passes requests on, in the same build of workerd, with
 * the same origin and load, in turn (A B A B …). Ratios are what counts: the machine's speed drifts.
 */
import { join } from "node:path";
import { startGateway } from "../scripts/gateway.ts";
import { createKeyFormat, displayPrefix, parseTagSecrets } from "../src/keys/format.ts";
import { sha256Hex } from "../src/keys/hash.ts";
import { load, type Run } from "./load.ts";
import { startOrigin } from "./origin.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 10_000);
const CONNECTIONS = 16;

const origin = await startOrigin();
const tagSecrets = JSON.stringify({ a: crypto.randomUUID() + crypto.randomUUID() });
const postern = await startGateway({
  port: 0,
  persist: null,
  vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", REQUEST_LOG: process.env.BENCH_LOG ?? "off" },
  secrets: { KEY_TAG_SECRETS: tagSecrets },
});
const bare = await startGateway({
  port: 0,
  persist: null,
  root: join(import.meta.dirname, "bare"),
  vars: { ORIGIN: `http://127.0.0.1:${origin.port}` },
});

const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
const db = await postern.miniflare.getD1Database("DB");
await db.exec(
  "INSERT INTO accounts (id, name, active_key_limit, created_at, updated_at) VALUES ('bench', 'Bench', 10, 0, 0)",
);
async function addKey(id: string, permissions: object): Promise<string> {
  const key = format.generate("production");
  await db
    .prepare(
      `INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, created_at, created_by)
       VALUES (?, 'bench', ?, ?, ?, 'production', ?, 0, 'bench')`,
    )
    .bind(id, sha256Hex(key), displayPrefix(key), id, JSON.stringify(permissions))
    .run();
  return key;
}
async function addEndpoint(id: string, api: string, protocol: string, path: string): Promise<void> {
  await db
    .prepare(
      `INSERT INTO endpoints (id, name, api, protocol, path, origin, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, 0, 0)`,
    )
    .bind(id, id, api, protocol, path, `http://127.0.0.1:${origin.port}`)
    .run();
}
const full = await addKey("full", {
  graphql: "read_write",
  inference: "read_write",
  kubernetes_exec: "none",
});
const reader = await addKey("reader", { graphql: "read", inference: "read", kubernetes_exec: "none" });
await addEndpoint("chat", "inference", "http", "/v2/chat");
await addEndpoint("graphql", "graphql", "graphql", "/graphql");

const request = (method: string, path: string, key: string, body?: string) =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "User-Agent: bench/1.0",
    "Accept: application/json",
    "Accept-Encoding: identity",
    `Authorization: Bearer ${key}`,
    ...(body === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`]),
    "",
    body ?? "",
  ].join("\r\n");

const kilobyte = JSON.stringify({ prompt: "y".repeat(1010) });
const query = JSON.stringify({ query: `query Pods { ${"pods { id name } ".repeat(55)} }` });
const cases = [
  { name: "warm key, GET", request: request("GET", "/v2/chat/models", full), status: 200 },
  { name: "warm key, 1 KiB POST", request: request("POST", "/v2/chat/run", full, kilobyte), status: 200 },
  {
    name: "GraphQL query of 1 KiB, inspected",
    request: request("POST", "/graphql", reader, query),
    status: 200,
  },
  { name: "denied", request: request("POST", "/v2/chat/run", reader, kilobyte), status: 403 },
];

const port = (url: string) => Number(new URL(url).port);
const median = (runs: Run[], of: (run: Run) => number) =>
  runs.map(of).sort((a, b) => a - b)[runs.length >> 1] as number;
const rows = [];
for (const { name, request: bytes, status } of cases) {
  const sides = [
    { gateway: postern, status, runs: [] as Run[] },
    { gateway: bare, status: 200, runs: [] as Run[] },
  ];
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { gateway, status: expected, runs } of sides) {
      const run = await load({
        port: port(gateway.url),
        pid: gateway.workerdPid(),
        request: bytes,
        status: expected,
        count: round === -1 ? REQUESTS / 5 : REQUESTS,
        connections: CONNECTIONS,
      });
      if (round >= 0) runs.push(run); // the first warms up
    }
  }
  const [ours, theirs] = sides.map(({ runs }) => runs) as [Run[], Run[]];
  const perSecond = (run: Run) => run.requests / run.seconds;
  rows.push({
    case: name,
    "throughput ratio": (median(ours, perSecond) / median(theirs, perSecond)).toFixed(2),
    "CPU ratio (bare/Postern)": (median(theirs, (run) => run.cpu) / median(ours, (run) => run.cpu)).toFixed(
      2,
    ),
    "CPU µs Postern": Math.round(median(ours, (run) => run.cpu)),
    "CPU µs bare": Math.round(median(theirs, (run) => run.cpu)),
    "p50 µs added": Math.round(median(ours, (run) => run.p50) - median(theirs, (run) => run.p50)),
    "p99 µs added": Math.round(median(ours, (run) => run.p99) - median(theirs, (run) => run.p99)),
  });
}
console.table(rows);
await Promise.all([postern.stop(), bare.stop()]);
origin.stop();
