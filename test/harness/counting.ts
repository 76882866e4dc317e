import type { Env } from "../../src/env.ts";
import { shardName } from "../../src/freshness/world.ts";
import worker, { Ledger as RealLedger } from "../../src/index.ts";

/** The real ledger, but for a way to have it lose its memory, as the platform may at any time. */
export class Ledger extends RealLedger {
  async die(): Promise<void> {
    this.ctx.abort("a test ended it");
  }
}

/** What the Worker has asked of KV, D1 and the ledger so far. */
const calls = { kv: 0, d1: 0, ledger: 0 };

/** The same binding, with every call of these methods counted. */
function counted<T extends object>(binding: T, service: keyof typeof calls, methods: readonly string[]): T {
  return new Proxy(binding, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (!methods.includes(name as string)) return member.bind(target);
      return (...args: unknown[]) => {
        calls[service] += 1;
        return member.apply(target, args);
      };
    },
  });
}

let wrapped: Env | undefined;

/** One for the isolate's life: the Worker tells by it whether its settings are still the same. */
function wrap(env: Env): Env {
  const { LEDGER } = env;
  wrapped ??= {
    ...env,
    KEYS: counted(env.KEYS, "kv", ["get", "put", "list", "delete"]),
    DB: counted(env.DB, "d1", ["prepare", "batch"]),
    LEDGER: new Proxy(LEDGER, {
      get: (target, name) =>
        name === "getByName"
          ? (shard: string) => {
              calls.ledger += 1;
              return target.getByName(shard);
            }
          : Reflect.get(target, name),
    }),
  };
  return wrapped;
}

/** The real Worker; `/calls-so-far` says what it has asked for, and `/evict-ledger` ends every shard. */
export default {
  async fetch(request, env, context) {
    if (request.url.endsWith("/calls-so-far")) return Response.json(calls);
    if (request.url.endsWith("/evict-ledger")) {
      const shards = [0, 1, 2, 3].map((shard) => env.LEDGER.getByName(shardName(shard)) as unknown as Ledger);
      await Promise.allSettled(shards.map((shard) => shard.die()));
      return new Response();
    }
    return worker.fetch(request, wrap(env), context);
  },
} satisfies ExportedHandler<Env>;
