import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../../scripts/gateway.ts";
import { defaultPath } from "../../src/endpoints/path.ts";
import type { Env } from "../../src/env.ts";
import { applyChange, changeWorldOf } from "../../src/freshness/change.ts";
import { createKeyFormat, displayPrefix, parseTagSecrets } from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import type { Permissions } from "../../src/keys/permissions.ts";
import { type AccountRow, putAccount, readAccount } from "../../src/store/accounts.ts";
import { deleteEndpoint, type EndpointRow, putEndpoint, readEndpoint } from "../../src/store/endpoints.ts";
import { insertKey, type KeyRow, readKey, updateKey } from "../../src/store/keys.ts";
import type { Write } from "../../src/store/write.ts";
import { type Answer, type Call, call, type OpenAnswer, open, raw } from "./http.ts";
import { LeakFinder, secretsIn } from "./leaks.ts";

/** Every access there is; `permissions` of a key start from none of it. */
export const NOTHING: Permissions = { graphql: "none", inference: "none", kubernetes_exec: "none" };
export const EVERYTHING: Permissions = {
  graphql: "read_write",
  inference: "read_write",
  kubernetes_exec: "all_namespaces",
};

/** A key that a test made: the secret, and the id of its record. */
export interface TestKey {
  id: string;
  key: string;
  /** The header a client presents it in. */
  bearer: { authorization: string };
}

export interface NewKey extends Partial<Omit<KeyRow, "permissions">> {
  permissions?: Partial<Permissions>;
  /** The secret itself, for keys of other shapes than ours. */
  secret?: string;
}

export type NewEndpoint = Partial<EndpointRow> & { id: string; origin: string };

/** One log line of the Worker: what it wrote, and how loud. */
export interface LogLine {
  text: string;
  level: string;
}

/** The real Worker in the real runtime, with a state of its own that is gone afterwards. */
export interface TestGateway {
  url: string;
  port: number;
  logs: LogLine[];
  db: D1Database;
  kv: KVNamespace;
  /** Every secret made, presented or shown here. None may be found in the logs or in storage afterwards. */
  secrets: string[];
  /** Sends a request whose path goes out as written. */
  call(path: string, options?: Call): Promise<Answer>;
  open(path: string, options?: Call): Promise<OpenAnswer>;
  /** Sends bytes as they are. `Host` and `Connection: close` are added unless `lines` name a Host. */
  raw(lines: string[], body?: string | Uint8Array): Promise<Answer>;
  createAccount(id: string, change?: Partial<AccountRow>): Promise<void>;
  changeAccount(id: string, change: Partial<AccountRow>): Promise<void>;
  createEndpoint(endpoint: NewEndpoint): Promise<void>;
  changeEndpoint(id: string, change: Partial<EndpointRow>): Promise<void>;
  deleteEndpoint(id: string): Promise<void>;
  createKey(key?: NewKey): Promise<TestKey>;
  changeKey(id: string, change: Parameters<typeof updateKey>[1]): Promise<void>;
  /** A secret in our format, with a true tag, that no record knows. */
  strayKey(): string;
  /** Resident memory of workerd, in bytes. */
  memory(): number;
  /** CPU time that workerd has used so far, in seconds. */
  cpuSeconds(): number;
  /** Process id of workerd. Killed, it is started anew on the same storage. */
  workerdPid(): number;
  /** Waits for a log line about a request, by its `x-request-id`. */
  logOf(requestId: string): Promise<Record<string, unknown>>;
  /** Rejects where a secret is in a log line, or in a file of D1, KV or the ledger. */
  stop(): Promise<void>;
}

export interface TestGatewayOptions {
  vars?: Record<string, string>;
  secrets?: Record<string, string>;
  /** Directory with another wrangler.toml, migrations and Worker; default this project's. */
  root?: string;
}

/**
 * Starts a gateway for one test file. Records are made and changed the way the management routes do it:
 * with the stores' own writes, through the freshness protocol, so that a change is in force a lease later.
 */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const tagSecrets = JSON.stringify({ a: randomBytes(36).toString("base64url") });
  const logs: LogLine[] = [];
  const listeners = new Set<() => void>();
  const state = mkdtempSync(join(tmpdir(), "postern-test-"));
  const gateway = await startGateway({
    port: 0,
    persist: state,
    vars: { INSECURE_ORIGIN_HOSTS: "127.0.0.1", LEASE_SECONDS: "1", FLUSH_SECONDS: "1", ...options.vars },
    secrets: { KEY_TAG_SECRETS: tagSecrets, ...options.secrets },
    ...(options.root === undefined ? {} : { root: options.root }),
    log: (text, level) => {
      logs.push({ text, level });
      for (const listener of listeners) listener();
    },
  });
  const format = createKeyFormat({ prefixes: ["pst"], tagSecrets: parseTagSecrets(tagSecrets) });
  const port = Number(new URL(gateway.url).port);
  const { miniflare } = gateway;
  const db = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  const kv = (await miniflare.getKVNamespace("KEYS")) as unknown as KVNamespace;
  const ledger = await miniflare.getDurableObjectNamespace("LEDGER");
  const secrets: string[] = [tagSecrets.slice(6, -2)];
  const noted = (path: string, { headers = [] }: Call, answer: Answer | null): void => {
    const values = Array.isArray(headers) ? headers : Object.values(headers);
    secrets.push(...secretsIn([path, ...values].join(" ")), ...secretsIn(answer?.text ?? ""));
  };

  const settled: Promise<unknown>[] = [];
  const changes = changeWorldOf({ DB: db, LEDGER: ledger } as unknown as Env, 4, {
    waitUntil: (work) => settled.push(work),
  });
  async function apply(action: string, write: Write): Promise<void> {
    const audit = {
      id: randomUUID(),
      at: Date.now(),
      account_id: null,
      actor: "test",
      address: null,
      action,
      subject: "test",
      before: null,
      after: null,
    };
    const result = await applyChange(changes, audit, [write]);
    if (result !== "committed") throw new Error(`${action}: ${result}`);
  }
  async function found<T>(row: Promise<T | null>): Promise<T> {
    const value = await row;
    if (value === null) throw new Error("no such record");
    return value;
  }

  return {
    url: gateway.url,
    port,
    logs,
    db,
    kv,
    secrets,
    async call(path, options = {}) {
      const answer = await call(gateway.url, path, options);
      noted(path, options, answer);
      return answer;
    },
    open(path, options = {}) {
      noted(path, options, null);
      return open(gateway.url, path, options);
    },
    raw([requestLine = "", ...headers], body) {
      const named = headers.some((line) => /^host\s*:/i.test(line));
      const host = named ? [] : [`Host: 127.0.0.1:${port}`];
      return raw(port, [requestLine, ...host, ...headers, "Connection: close"], body);
    },
    async createAccount(id, change = {}) {
      const now = Date.now();
      await apply(
        "account.create",
        putAccount(null, {
          id,
          name: id,
          active_key_limit: 1000,
          suspended: false,
          created_at: now,
          updated_at: now,
          ...change,
        }),
      );
    },
    async changeAccount(id, change) {
      const before = await found(readAccount(db, id));
      await apply("account.update", putAccount(before, { ...before, ...change }));
    },
    async createEndpoint(given) {
      const now = Date.now();
      const api = given.api ?? (given.protocol === "graphql" ? "graphql" : "inference");
      await apply(
        "endpoint.create",
        putEndpoint(null, {
          account_id: null,
          name: given.id,
          api,
          protocol: api === "graphql" ? "graphql" : "http",
          path: defaultPath(api, given.id),
          test_origin: null,
          operations: null,
          credential: null,
          assertion: false,
          allow_query_key: false,
          redirects: "refuse",
          timeout_seconds: 120,
          freshness: "bounded",
          cors: null,
          version: 1,
          created_at: now,
          updated_at: now,
          ...given,
        }),
      );
    },
    async changeEndpoint(id, change) {
      const before = await found(readEndpoint(db, id));
      await apply("endpoint.update", putEndpoint(before, { ...before, ...change }));
    },
    async deleteEndpoint(id) {
      await apply("endpoint.delete", deleteEndpoint(await found(readEndpoint(db, id)), Date.now()));
    },
    async createKey({ permissions, secret, ...given } = {}) {
      const environment = given.environment ?? "production";
      const key = secret ?? format.generate(environment);
      const id = given.id ?? `key_${randomUUID()}`;
      secrets.push(key);
      await apply(
        "api_key.create",
        insertKey(
          {
            id,
            account_id: "acme",
            hash: sha256Hex(key),
            prefix: displayPrefix(key),
            name: "test",
            environment,
            permissions: { ...NOTHING, ...permissions },
            scopes: null,
            template: null,
            enabled: true,
            legacy: false,
            created_at: Date.now(),
            created_by: "test",
            expires_at: null,
            revoked_at: null,
            rotated_from: null,
            rotated_to: null,
            version: 1,
            ...given,
          },
          Date.now(),
        ),
      );
      return { id, key, bearer: { authorization: `Bearer ${key}` } };
    },
    async changeKey(id, change) {
      await apply("api_key.update", updateKey(await found(readKey(db, id)), change, Date.now()));
    },
    strayKey() {
      const key = format.generate("production");
      secrets.push(key);
      return key;
    },
    memory() {
      const status = readFileSync(`/proc/${gateway.workerdPid()}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    workerdPid: gateway.workerdPid,
    cpuSeconds() {
      const stat = readFileSync(`/proc/${gateway.workerdPid()}/stat`, "utf8");
      // proc(5): fields 14 and 15, user and system time in ticks of a hundredth; the name in field 2 has brackets.
      const [user, system] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(11, 13)
        .map(Number);
      return (user! + system!) / 100;
    },
    async logOf(requestId) {
      for (;;) {
        const line = logs.find(({ text }) => text.includes(requestId));
        if (line !== undefined) return JSON.parse(line.text);
        await new Promise<void>((done) => {
          const listener = () => {
            listeners.delete(listener);
            done();
          };
          listeners.add(listener);
        });
      }
    },
    async stop() {
      await Promise.allSettled(settled);
      await gateway.stop();
      const finder = new LeakFinder(secrets);
      const lines = logs.filter(({ text }) => finder.isIn(Buffer.from(text))).length;
      const files = finder.filesIn(state).map((file) => file.slice(state.length));
      rmSync(state, { recursive: true, force: true });
      if (lines > 0) throw new Error(`${lines} log lines hold a secret`);
      if (files.length > 0) throw new Error(`Secrets are stored in ${files.join(", ")}`);
    },
  };
}
