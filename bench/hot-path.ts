import { join } from "node:path";
import { createKeyFormat, displayPrefix, parseTagSecrets } from "../src/keys/format.ts";
import { sha256Hex } from "../src/keys/hash.ts";
import { type DirectServer, type Prepared, prepare, type Side } from "./direct.ts";
import { load, type Run } from "./load.ts";

/** How much is asked of each side. */
export interface Effort {
  rounds: number;
  requests: number;
  connections: number;
}

/** What one side took for one case: medians over the rounds. */
export interface Took {
  cpu_us: number;
  /** Machine instructions per request; null where they cannot be counted. */
  instructions: number | null;
  per_second: number;
  p50_us: number;
  p99_us: number;
}

/** One case, all sides. Ratios are medians of the rounds' own ratios: the machine's speed drifts. */
export interface Row {
  case: string;
  sides: Record<string, Took>;
  /** Of each side against `bare`: 1 is as cheap, as fast. */
  ratios: Record<string, { cpu: number; instructions: number | null; throughput: number }>;
  /** Postern's latency less bare's. */
  added_us: { p50: number; p99: number };
}

interface Case {
  name: string;
  request: string;
  /** What Postern answers; the others answer 200. */
  status: number;
}

const BARE = "bare";
/** The sides: Postern, what passes everything on, what only keeps the rules on headers; Postern with log. */
const sidesFor = (port: number): Side[] => {
  const vars = { ORIGIN: `http://127.0.0.1:${port}` };
  return [
    { name: BARE, entry: join(import.meta.dirname, "bare/src/index.ts"), vars },
    { name: "headers only", entry: join(import.meta.dirname, "floor/src/index.ts"), vars },
    { name: "Postern", vars: {} },
    { name: "Postern, logging", vars: { REQUEST_LOG: "on" } },
  ];
};

/** Everything that the measurements share: the gateway, built and filled, and the requests to send. */
export interface Bench {
  prepared: Prepared;
  cases: Case[];
  sides: Side[];
}

export async function setUp(originPort: number): Promise<Bench> {
  const tagSecrets = JSON.stringify({ a: crypto.randomUUID() + crypto.randomUUID() });
  const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
  const full = format.generate("production");
  const reader = format.generate("production");
  const options = {
    vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", REQUEST_LOG: "off" },
    secrets: { KEY_TAG_SECRETS: tagSecrets },
  };
  const prepared = await prepare(options, async (miniflare) => {
    const db = await miniflare.getD1Database("DB");
    const key = db.prepare(
      `INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, created_at, created_by)
       VALUES (?1, 'bench', ?2, ?3, ?1, 'production', ?4, 0, 'bench')`,
    );
    const endpoint = db.prepare(
      `INSERT INTO endpoints (id, name, api, protocol, path, origin, created_at, updated_at)
       VALUES (?1, ?1, ?2, ?3, ?4, ?5, 0, 0)`,
    );
    const addKey = (id: string, secret: string, access: string) =>
      key.bind(
        id,
        sha256Hex(secret),
        displayPrefix(secret),
        JSON.stringify({ graphql: access, inference: access, kubernetes_exec: "none" }),
      );
    const origin = `http://127.0.0.1:${originPort}`;
    await db.batch([
      db.prepare(
        `INSERT INTO accounts (id, name, active_key_limit, created_at, updated_at)
         VALUES ('bench', 'Bench', 10, 0, 0)`,
      ),
      addKey("full", full, "read_write"),
      addKey("reader", reader, "read"),
      endpoint.bind("chat", "inference", "http", "/v2/chat", origin),
      endpoint.bind("graphql", "graphql", "graphql", "/graphql", origin),
    ]);
  });
  return { prepared, cases: casesFor(full, reader), sides: sidesFor(originPort) };
}

function casesFor(full: string, reader: string): Case[] {
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
  return [
    { name: "warm key, GET", request: request("GET", "/v2/chat/models", full), status: 200 },
    { name: "warm key, 1 KiB POST", request: request("POST", "/v2/chat/run", full, kilobyte), status: 200 },
    { name: "streamed response", request: request("GET", "/v2/chat/stream", full), status: 200 },
    {
      name: "GraphQL query of 1 KiB, inspected",
      request: request("POST", "/graphql", reader, query),
      status: 200,
    },
    { name: "denied", request: request("POST", "/v2/chat/run", reader, kilobyte), status: 403 },
  ];
}

/** Every case on every side, the sides in turn: there and back, so that drift falls on all alike. */
export async function measure(server: DirectServer, { cases, sides }: Bench, effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, request, status } of cases) {
    const runs = new Map<string, Run[]>(sides.map((side) => [side.name, []]));
    for (let round = -1; round < effort.rounds; round += 1) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const run = await load({
          port: server.ports[side.name]!,
          pid: server.pid,
          request,
          status: side.entry === undefined ? status : 200,
          // The first round warms up.
          count: round === -1 ? 2 * effort.requests : effort.requests,
          connections: effort.connections,
        });
        if (round >= 0) runs.get(side.name)!.push(run);
      }
    }
    rows.push(rowOf(name, runs));
  }
  return rows;
}

function rowOf(name: string, runs: ReadonlyMap<string, Run[]>): Row {
  const bare = runs.get(BARE)!;
  const perSecond = (run: Run) => run.requests / run.seconds;
  const sides: Row["sides"] = {};
  const ratios: Row["ratios"] = {};
  for (const [side, own] of runs) {
    sides[side] = {
      cpu_us: rounded(median(own.map((run) => run.cpu)), 1),
      instructions: whole(median(own.map(({ instructions }) => instructions ?? Number.NaN))),
      per_second: Math.round(median(own.map(perSecond))),
      p50_us: median(own.map((run) => run.p50)),
      p99_us: median(own.map((run) => run.p99)),
    };
    ratios[side] = {
      cpu: rounded(median(own.map((run, i) => bare[i]!.cpu / run.cpu)), 2),
      instructions: orNull(
        rounded(
          median(own.map((run, i) => (bare[i]!.instructions ?? Number.NaN) / (run.instructions ?? 1))),
          2,
        ),
      ),
      throughput: rounded(median(own.map((run, i) => perSecond(run) / perSecond(bare[i]!))), 2),
    };
  }
  const added = (of: "p50_us" | "p99_us") => sides.Postern![of] - sides[BARE]![of];
  return { case: name, sides, ratios, added_us: { p50: added("p50_us"), p99: added("p99_us") } };
}

/** JSON has no NaN. */
const orNull = (value: number) => (Number.isNaN(value) ? null : value);
const whole = (value: number) => orNull(Math.round(value));
const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

/** The middle value, or the mean of the middle two. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
