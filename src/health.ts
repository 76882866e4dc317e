import type { Env } from "./env.ts";
import { ENDPOINT_SHARD } from "./freshness/shards.ts";
import { shardName } from "./freshness/world.ts";
import type { Isolate } from "./isolate.ts";
import { probe } from "./store/probe.ts";
import { within } from "./store/retry.ts";

/** How long what the services answered stands, in ms: an isolate asks no oftener, however often it is asked. */
const STANDS_MS = 5000;

/** Longest wait for a service, in ms; one that takes longer is away. */
const PATIENCE_MS = 2000;

export interface Readiness {
  /** `degraded`: keys are decided, with less than everything. `unavailable`: neither D1 nor the ledger answers. */
  status: "ready" | "degraded" | "unavailable";
  services: Record<"d1" | "kv" | "ledger", "up" | "away">;
}

/** What was found last, and when that began; by isolate, which a test may start anew. */
const found = new WeakMap<Isolate, { at: number; readiness: Readiness }>();

/**
 * `GET /healthz`: the Worker runs and its configuration is sound. Asks nothing of KV, D1 or the ledger, unless
 * `?ready` wants to know of them. Open to anybody, and so bounded: see `STANDS_MS`.
 */
export async function health(
  isolate: Isolate,
  env: Env,
  query: string,
  requestId: string,
): Promise<Response> {
  const body = query === "ready" ? await readiness(isolate, env) : { status: "ok" };
  return Response.json(body, {
    status: body.status === "unavailable" ? 503 : 200,
    headers: { "cache-control": "no-store", "x-request-id": requestId },
  });
}

async function readiness(isolate: Isolate, env: Env): Promise<Readiness> {
  const last = found.get(isolate);
  const now = Date.now();
  if (last !== undefined && now - last.at < STANDS_MS) return last.readiness;
  // Those who ask meanwhile get what was found before.
  if (last !== undefined) found.set(isolate, { ...last, at: now });
  const fresh = await ask(env);
  found.set(isolate, { at: now, readiness: fresh });
  return fresh;
}

async function ask(env: Env): Promise<Readiness> {
  const ledger = () => env.LEDGER.getByName(shardName(ENDPOINT_SHARD)).lastUsed("") as Promise<unknown>;
  const state = async (call: () => Promise<unknown>) => {
    try {
      await within(call(), PATIENCE_MS);
      return "up" as const;
    } catch {
      return "away" as const;
    }
  };
  const [d1, kv, shard] = await Promise.all([
    state(() => probe(env.DB)),
    state(() => env.KEYS.get("healthz")),
    state(ledger),
  ]);
  const services = { d1, kv, ledger: shard };
  if (d1 === "away" && shard === "away") return { status: "unavailable", services };
  const all = Object.values(services).every((service) => service === "up");
  return { status: all ? "ready" : "degraded", services };
}
