import { AsyncLocalStorage } from "node:async_hooks";
import type { ChildProcess } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { bundleWorker } from "./bundle.ts";
import { applyMigrations, readMigrations } from "./migrate.ts";

const ROOT = join(import.meta.dirname, "..");

export interface GatewayOptions {
  /** TCP port to serve on; 0 takes a free one. */
  port: number;
  /** Address to serve on; default 127.0.0.1. */
  host?: string;
  /** Variables, as text. Those under [vars] in wrangler.toml describe production and are not read. */
  vars?: Record<string, string>;
  /** Secrets, as text. Bound the same way; apart only so that callers cannot mix them up. */
  secrets?: Record<string, string>;
  /** Directory that keeps D1, KV and Durable Objects; null: a temporary one, gone after `stop()`. */
  persist: string | null;
  /** Called with each line the Worker or the runtime logs. Default: warnings and errors go to stderr. */
  log?: (line: string, level: string) => void;
  /** Directory with the wrangler.toml, migrations and sources to run; default this project. */
  root?: string;
}

export interface Gateway {
  /** `http://HOST:PORT`, no trailing slash. */
  url: string;
  /** For bindings: `getD1Database("DB")`, `getKVNamespace("KEYS")`, `unsafeEvictDurableObject(…)`. */
  miniflare: Miniflare;
  /** Process id of workerd now; it changes if workerd crashed and was started again. */
  workerdPid(): number;
  /** Ends workerd, waits until it is gone, and removes a temporary state directory. */
  stop(): Promise<void>;
}

/** The port is taken. */
export class PortInUseError extends Error {}

/**
 * Builds the Worker and serves it in workerd on a socket of its own, which hands over paths, hosts and headers
 * as they arrived. `wrangler dev` would normalise them first and so hide attacks from tests.
 * Resolves once the schema is applied and requests are accepted. Nothing here needs the internet.
 * @throws PortInUseError, esbuild's BuildFailure, or whatever keeps workerd from starting
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const root = options.root ?? ROOT;
  const host = options.host ?? "127.0.0.1";
  const { name, main, worker } = readWranglerToml(`${root}/wrangler.toml`);
  const contents = await bundleWorker(main, root);
  if (options.persist !== null) await mkdir(options.persist, { recursive: true });

  const log = options.log ?? logProblems;
  const { value: miniflare, children } = watchingChildren(
    () =>
      new Miniflare({
        ...convertV4MiniflareOptions({
          workers: [
            {
              ...worker,
              name,
              modules: [{ type: "ESModule", path: "index.js", contents }],
              bindings: { ...options.vars, ...options.secrets },
              unsafeDirectSockets: [{ host, port: options.port }],
              // Left on, it rewrites the headers of every upstream request.
              stripCfConnectingIp: false,
            },
          ],
          // Otherwise Miniflare asks the internet for a sample `request.cf`.
          cf: false,
          logRequests: false,
          handleStructuredLogs: ({ message, level }) => log(message, level),
        }),
        ...(options.persist === null ? {} : { resourcePersistencePath: options.persist }),
        enableDevRegistry: false,
        telemetry: { enabled: false },
      }),
  );

  try {
    await miniflare.ready;
    await applyMigrations(await databaseOf(miniflare), readMigrations(join(root, "migrations")));
    const address = await miniflare.unsafeGetDirectURL(name);
    return {
      url: address.origin,
      miniflare,
      workerdPid: () => children.at(-1)?.pid ?? 0,
      stop: () => miniflare.dispose(),
    };
  } catch (error) {
    // `dispose` throws the start's own error again.
    await miniflare.dispose().catch(() => {});
    if ((error as { code?: string }).code === "ERR_ADDRESS_IN_USE") {
      throw new PortInUseError(`Port ${options.port} on ${host} is already in use`);
    }
    throw error;
  }
}

/** What wrangler.toml says about the Worker, in Miniflare's terms. */
function readWranglerToml(path: string) {
  // `secrets` would make wrangler warn about secrets it does not see and read the process environment.
  const { secrets: _, ...config } = unstable_readConfig({ config: path }, { hideWarnings: true });
  // State is kept by binding name: ids that a deployment writes into the file must not hide it.
  for (const namespace of config.kv_namespaces) delete namespace.id;
  for (const database of config.d1_databases) delete database.database_id;
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config, undefined, {
    // A file that is not there: no .dev.vars or .env changes what runs.
    envFiles: ["no-such-file"],
  } as object);
  if (config.name === undefined || main === undefined) throw new Error(`${path} names no Worker`);
  const { modulesRules: _rules, ...worker } = workerOptions;
  return { name: config.name, main, worker };
}

const databaseOf = async (miniflare: Miniflare) =>
  (await miniflare.getD1Database("DB")) as unknown as D1Database;

function logProblems(line: string, level: string): void {
  if (level === "warn" || level === "error") process.stderr.write(`${line}\n`);
}

const childrenOfCurrentStart = new AsyncLocalStorage<ChildProcess[]>();
diagnostics.subscribe("child_process", (message) => {
  childrenOfCurrentStart.getStore()?.push((message as { process: ChildProcess }).process);
});

/** Runs `start` and collects the child processes it spawns, then and later: Miniflare keeps them private. */
function watchingChildren<T>(start: () => T): { value: T; children: ChildProcess[] } {
  const children: ChildProcess[] = [];
  return { value: childrenOfCurrentStart.run(children, start), children };
}
