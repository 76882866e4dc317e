import type { Env } from "../../src/env.ts";
import { shardName } from "../../src/freshness/world.ts";
import worker, { Ledger as RealLedger } from "../../src/index.ts";
import type { SyncRequest } from "../../src/ledger/protocol.ts";

/** What a test can break: the Worker's bindings, and by `flush` the ledger's own way to D1. */
export type Service = "kv" | "d1" | "ledger" | "flush";

/** `away`: every call rejects. `lossy`: each is executed, but every other answer is lost. `stalled`: none is answered. */
export type State = "up" | "away" | "lossy" | "stalled";

/** What the Worker has asked of KV, D1 and the ledger so far, and what came of the tests' breaking it. */
export interface Calls {
  kv: number;
  d1: number;
  ledger: number;
  /** Those of them that change something; asking the ledger what is in force does not. */
  writes: Record<"kv" | "d1" | "ledger", number>;
  /** Calls that were rejected, by service. */
  refused: Record<Service, number>;
  /** Calls that were executed and whose answer was lost, by service. */
  lost: Record<Service, number>;
  /** Batches of uses that reached the ledger although it had stored them already. */
  repeated: number;
  /** Uses in batches that the ledger has acknowledged to this isolate. */
  acknowledged: number;
}

const none = () => ({ kv: 0, d1: 0, ledger: 0, flush: 0 });
const calls: Calls = {
  kv: 0,
  d1: 0,
  ledger: 0,
  writes: { kv: 0, d1: 0, ledger: 0 },
  refused: none(),
  lost: none(),
  repeated: 0,
  acknowledged: 0,
};
const states: Record<Service, State> = { kv: "up", d1: "up", ledger: "up", flush: "up" };
/** Latest batch number that was stored, by isolate and shard. */
const stored = new Map<string, number>();
let turn = 0;

/** Calls a service, or does not, as its state is. The message is one that D1 words a lost connection with. */
async function through<T>(service: Service, call: () => Promise<T>): Promise<T> {
  const lost = new Error("D1_ERROR: Network connection lost.");
  // D1 down is down for the ledger as well.
  if (states[service] === "away" || (service === "flush" && states.d1 === "away")) {
    calls.refused[service] += 1;
    throw lost;
  }
  if (states[service] === "stalled") {
    calls.refused[service] += 1;
    // Longer than anybody waits; not for ever, which the runtime would notice and end.
    await scheduler.wait(60_000);
    throw lost;
  }
  const answer = await call();
  if (states[service] !== "lossy") return answer;
  turn += 1;
  if (turn % 2 === 0) return answer;
  calls.lost[service] += 1;
  throw lost;
}

/** The same binding, with every call of these (asynchronous) methods passed through `call`. */
function intercepted<T extends object>(
  binding: T,
  methods: readonly string[],
  call: (run: () => Promise<unknown>) => unknown,
): T {
  return new Proxy(binding, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (!methods.includes(name as string)) return member.bind(target);
      return (...args: unknown[]) => call(() => member.apply(target, args));
    },
  });
}

/** A statement's methods that ask D1. */
const QUERIES = ["first", "all", "run", "raw"];

/** D1 as one of its users reaches it. */
function database(db: D1Database, service: "d1" | "flush", count: () => void): D1Database {
  const real = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const call = <T>(run: () => Promise<T>) => through(service, run);
  const watched = (statement: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(intercepted(statement, QUERIES, call), {
      get: (target, name) =>
        name === "bind"
          ? (...values: unknown[]) => watched(statement.bind(...values))
          : Reflect.get(target, name),
    });
    real.set(proxy, statement);
    return proxy;
  };
  return {
    prepare(sql: string) {
      count();
      if (service === "d1" && !/^\s*(SELECT|WITH)\b/i.test(sql)) calls.writes.d1 += 1;
      return watched(db.prepare(sql));
    },
    batch(statements: D1PreparedStatement[]) {
      count();
      return call(() => db.batch(statements.map((statement) => real.get(statement) ?? statement)));
    },
  } as unknown as D1Database;
}

/** The real ledger, but for a way to have it lose its memory, as the platform may at any time, and D1. */
export class Ledger extends RealLedger {
  constructor(state: DurableObjectState, env: Env) {
    super(state, { ...env, DB: database(env.DB, "flush", () => {}) });
  }

  async die(): Promise<void> {
    this.ctx.abort("a test ended it");
  }
}

let wrapped: Env | undefined;

/** One for the isolate's life: the Worker tells by it whether its settings are still the same. */
function wrap(env: Env): Env {
  const { KEYS, DB, LEDGER } = env;
  wrapped ??= {
    ...env,
    KEYS: intercepted(
      intercepted(KEYS, ["put", "delete"], (run) => {
        calls.writes.kv += 1;
        return run();
      }),
      ["get", "put", "list", "delete"],
      (run) => {
        calls.kv += 1;
        return through("kv", run);
      },
    ),
    DB: database(DB, "d1", () => {
      calls.d1 += 1;
    }),
    LEDGER: new Proxy(LEDGER, {
      get: (target, name) =>
        name === "getByName"
          ? (shard: string) => {
              calls.ledger += 1;
              return ledgerShard(target.getByName(shard), shard);
            }
          : Reflect.get(target, name),
    }),
  };
  return wrapped;
}

function ledgerShard(stub: DurableObjectStub<RealLedger>, shard: string) {
  const write = <T>(call: () => Promise<T>) => {
    calls.writes.ledger += 1;
    return through("ledger", call);
  };
  return {
    open: (id: string, subjects: string[]) => write(async () => stub.open(id, subjects)),
    close: (id: string) => write(async () => stub.close(id)),
    lastUsed: (id: string) => through("ledger", async () => stub.lastUsed(id)),
    sync: (request: SyncRequest) =>
      through("ledger", async () => {
        const { uses } = request;
        if (uses !== null) calls.writes.ledger += 1;
        const reply = await stub.sync(request);
        if (uses !== null) {
          const from = `${uses.isolate} ${shard}`;
          if (uses.number <= (stored.get(from) ?? 0)) calls.repeated += 1;
          else calls.acknowledged += uses.uses.reduce((sum, { count }) => sum + count, 0);
          stored.set(from, uses.number);
        }
        return reply;
      }),
  };
}

/**
 * The real Worker. `/calls-so-far` says what it has asked for, `/uses-in-d1` how many uses are written,
 * `/evict-ledger` ends every shard, `/new-isolate` has it forget all it knows, and `/switch/SERVICE/STATE` breaks a service or mends it.
 */
export default {
  async fetch(request, env, context) {
    if (request.url.endsWith("/calls-so-far")) return Response.json(calls);
    if (request.url.endsWith("/evict-ledger")) {
      const shards = [0, 1, 2, 3].map((shard) => env.LEDGER.getByName(shardName(shard)) as unknown as Ledger);
      await Promise.allSettled(shards.map((shard) => shard.die()));
      return new Response();
    }
    if (request.url.endsWith("/uses-in-d1")) {
      const sum = env.DB.prepare("SELECT coalesce(sum(count), 0) AS uses FROM key_usage");
      return Response.json(await sum.first());
    }
    if (request.url.endsWith("/new-isolate")) {
      wrapped = undefined;
      return new Response();
    }
    const [, service, state] = /\/switch\/(\w+)\/(\w+)$/.exec(request.url) ?? [];
    if (service !== undefined) {
      states[service as Service] = state as State;
      return new Response();
    }
    return worker.fetch(request, wrap(env), context);
  },
} satisfies ExportedHandler<Env>;
