import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Miniflare, serializeConfig } from "miniflare";
import { bundleWorker } from "../scripts/bundle.ts";
import { type GatewayOptions, startGateway } from "../scripts/gateway.ts";

/** How upstream requests leave: straight to the network, or through the JavaScript that Miniflare adds. */
export type Outbound = "network" | "miniflare";

/** A Worker to serve beside the gateway. */
export interface Side {
  name: string;
  /** Absolute path of its main file; left out, it is the gateway itself. */
  entry?: string;
  /** Variables, as text; for the gateway, those that differ. */
  vars: Record<string, string>;
}

export interface DirectServer {
  pid: number;
  /** Port of each side, by its name. */
  ports: Record<string, number>;
  /** Where workerd's inspector listens, as HOST:PORT, if it was asked for. */
  inspector: string | null;
  stop(): Promise<void>;
}

/** What Miniflare writes of the configuration it gives to workerd; only what is touched here. */
interface WorkerdConfig {
  services: { name: string; worker?: Record<string, unknown> }[];
  sockets: object[];
}

/** Miniflare's own services, which only its own entry point uses. */
const UNUSED = ["core:entry", "email:store", "email:store-disk", "MINIFLARE_DEV_CONTROL"];

export interface Prepared {
  /**
   * Serves the sides in one workerd, each on a port of its own.
   * @param inspected with an inspector, which slows all of them down
   */
  serve(sides: Side[], outbound: Outbound, options?: { inspected?: boolean }): Promise<DirectServer>;
  /** Removes the state. */
  remove(): Promise<void>;
}

/**
 * Builds the gateway and fills its database, so that workerd can be run on it without Miniflare: under
 * Miniflare every upstream request passes through a Worker of Miniflare's own, which costs a bare
 * pass-through as much as a gateway, and so flatters the gateway.
 * @param fill writes what the bench needs into the gateway's bindings
 */
export async function prepare(
  options: Omit<GatewayOptions, "port" | "persist">,
  fill: (miniflare: Miniflare) => Promise<void>,
): Promise<Prepared> {
  const directory = await mkdtemp(join(tmpdir(), "postern-bench-"));
  const file = join(directory, "config.json");
  process.env.MINIFLARE_WORKERD_CONFIG_DEBUG = file;
  const gateway = await startGateway({ ...options, port: 0, persist: join(directory, "state") });
  delete process.env.MINIFLARE_WORKERD_CONFIG_DEBUG;
  const program = await readlink(`/proc/${gateway.workerdPid()}/exe`);
  try {
    await fill(gateway.miniflare);
  } finally {
    await gateway.stop();
  }
  const text = await readFile(file, "utf8");
  return {
    serve: (sides, outbound, { inspected = false } = {}) =>
      serve(program, revived(JSON.parse(text)) as WorkerdConfig, sides, outbound, inspected),
    remove: () => rm(directory, { recursive: true }),
  };
}

async function serve(
  program: string,
  config: WorkerdConfig,
  sides: Side[],
  outbound: Outbound,
  inspected: boolean,
): Promise<DirectServer> {
  const gateway = config.services.find(({ name }) => name.startsWith("core:user:"))?.worker;
  if (gateway === undefined) throw new Error("Miniflare's configuration has no Worker of ours");
  if (outbound === "network") gateway.globalOutbound = { name: "internet" };
  const ports: Record<string, number> = {};
  config.services = config.services.filter(({ name }) => !UNUSED.includes(name));
  config.sockets = [];
  for (const side of sides) {
    const port = await freePort();
    ports[side.name] = port;
    config.services.push({ name: side.name, worker: await workerOf(side, gateway) });
    config.sockets.push({
      name: side.name,
      address: `127.0.0.1:${port}`,
      service: { name: side.name },
      http: {},
    });
  }
  // Miniflare's loopback is gone: what is measured asks nothing of it.
  const inspector = inspected ? `127.0.0.1:${await freePort()}` : null;
  const args = ["serve", "--binary", "--experimental", "--external-addr=loopback=127.0.0.1:1"];
  if (inspector !== null) args.push(`--inspector-addr=${inspector}`);
  const child = spawn(program, [...args, "-"], { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin!.end(serializeConfig(config as never));
  const ended = once(child, "exit");
  for (const port of Object.values(ports)) await answering(port, child);
  return {
    pid: child.pid!,
    ports,
    inspector,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The gateway again, with variables of its own; or another Worker in the gateway's place. */
async function workerOf(side: Side, gateway: Record<string, unknown>): Promise<Record<string, unknown>> {
  const vars = Object.entries(side.vars).map(([name, text]) => ({ name, text }));
  const { compatibilityDate, compatibilityFlags, globalOutbound } = gateway;
  if (side.entry !== undefined) {
    const esModule = await bundleWorker(side.entry, join(import.meta.dirname, ".."));
    const modules = [{ name: "index.js", esModule }];
    return { modules, compatibilityDate, compatibilityFlags, globalOutbound, bindings: vars };
  }
  const inherited = (gateway.bindings as { name: string }[]).filter(({ name }) => !(name in side.vars));
  // Its Durable Objects stay those of the Worker that Miniflare described: bindings name it.
  return {
    ...gateway,
    bindings: [...inherited, ...vars],
    durableObjectNamespaces: [],
    durableObjectStorage: undefined,
  };
}

/** JSON has no bytes: `Buffer` writes itself as an object. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== "object" || value === null) return value;
  const { type, data } = value as { type?: unknown; data?: unknown };
  if (type === "Buffer") return Buffer.from(data as number[]);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revived(each)]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something answers there. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}`);
    try {
      // Postern refuses it without asking anything.
      await (await fetch(`http://127.0.0.1:${port}/v2/nobody`)).arrayBuffer();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}
