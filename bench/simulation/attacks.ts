import type { Env } from "../../src/env.ts";
import { applyChange, type ChangeWorld } from "../../src/freshness/change.ts";
import type { World } from "../../src/freshness/world.ts";
import { findKey } from "../../src/journey/key-record.ts";
import type { Journey } from "../../src/journey/log.ts";
import type { Trip } from "../../src/journey/trip.ts";
import { UnknownKeys } from "../../src/journey/unknown-keys.ts";
import { createKeyFormat, parseTagSecrets } from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { keySubject } from "../../src/store/keys.ts";
import type { Write } from "../../src/store/write.ts";
import { Counts } from "./counts.ts";
import { hashOf, recordOf } from "./records.ts";
import { type Result, type Scenario, Simulation } from "./simulate.ts";

/** A key format as a deployment has it, with a secret of its own. */
const format = () =>
  createKeyFormat({
    prefixes: ["pst"],
    tagSecrets: parseTagSecrets(JSON.stringify({ a: crypto.randomUUID() + crypto.randomUUID() })),
  });

/** What was asked of the platform on behalf of an attacker. */
export interface AttackResult {
  requests: number;
  kvReads: number;
  kvWrites: number;
  d1Queries: number;
  ledgerCalls: number;
  limiterCalls: number;
  answers: Record<string, number>;
}

/**
 * Requests under keys that nobody has, through the gateway's own `findKey`: either native keys whose tag is
 * wrong, or legacy-shaped keys, from one address in each location.
 */
export async function attack(
  sort: "forged" | "legacy",
  scenario: Scenario,
  { requests, perSecond }: { requests: number; perSecond: number },
): Promise<AttackResult> {
  const simulation = new Simulation(scenario);
  await simulation.run(scenario.warmUp);
  const counts = new Counts();
  simulation.counts = counts;
  const theirs = format();
  const ours = format();
  const limiter = { calls: 0, left: new Map<number, number>() };
  const answers = new Map<string, number>();
  const unknownKeys = simulation.isolates.map((colo) => colo.map(() => new UnknownKeys()));
  let sent = 0;
  await simulation.run(requests / perSecond, () => {
    for (let n = 0; n < perSecond / 1000; n += 1) {
      const key = sort === "forged" ? theirs.generate("production") : `legacy-${sent}-${crypto.randomUUID()}`;
      const colo = sent % simulation.isolates.length;
      const isolates = simulation.isolates[colo]!;
      const number = Math.floor(simulation.random() * isolates.length);
      sent += 1;
      counts.requests += 1;
      const { freshness, world } = isolates[number]!.forRequest();
      const trip = {
        request: new Request("https://gateway.example/v2/chat"),
        env: {
          LEGACY_LIMITER: { limit: async () => limit(limiter, colo, simulation.clock.now) },
        } as unknown as Env,
        world: world as World,
        now: simulation.clock.now,
        isolate: {
          freshness,
          keys: simulation.shared.kinds.keys,
          keyFormat: ours,
          config: { LEGACY_KEYS: true, CLIENT_IP_HEADER: "cf-connecting-ip" },
          unknownKeys: unknownKeys[colo]![number],
        },
        journey: { postern_ms: 0 } as Journey,
      } as unknown as Trip;
      simulation.clock.touch();
      void findKey(trip, key, sha256Hex(key)).then((found) => {
        const answer = "code" in found ? `${found.code}` : "found";
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      });
    }
  });
  await simulation.run(1, () => undefined);
  return {
    requests: sent,
    kvReads: counts.kvReads,
    kvWrites: counts.kvWrites,
    d1Queries: counts.d1Queries,
    ledgerCalls: counts.ledgerCalls,
    limiterCalls: limiter.calls,
    answers: Object.fromEntries(answers),
  };
}

/** As wrangler.toml configures it: a hundred in a minute, in each location. */
function limit(limiter: { calls: number; left: Map<number, number> }, colo: number, now: number) {
  limiter.calls += 1;
  const window = colo * 1e9 + Math.floor(now / 60_000);
  const left = limiter.left.get(window) ?? 100;
  limiter.left.set(window, Math.max(0, left - 1));
  return { success: left > 0 };
}

/** Keys revoked one after the other, as fast as the changes go, while traffic goes on. */
export interface RevocationResult extends Result {
  /** Keys revoked, and how long that took, in seconds. */
  revoked: number;
  took: number;
  /** D1 queries in the busiest second. */
  d1QueriesInBusiestSecond: number;
  /** Requests allowed under a key whose revocation had been acknowledged for longer than the lease. */
  late: number;
}

/** @param atOnce changes under way at the same time */
export async function massRevocation(
  scenario: Scenario,
  { keys, atOnce }: { keys: number; atOnce: number },
): Promise<RevocationResult> {
  const simulation = new Simulation(scenario);
  const { clock, ledger } = simulation;
  await simulation.run(scenario.warmUp);
  simulation.counts = new Counts();
  const acknowledged = new Map<string, number>();
  let late = 0;
  simulation.shared.onAllowed = (hash, began) => {
    const at = acknowledged.get(hash);
    if (at !== undefined && began - at > (scenario.lease ?? 2000)) late += 1;
  };
  const began = clock.now;
  let ended = 0;
  let next = 0;
  const work = async () => {
    for (let key = next; key < keys; key = next) {
      next += 1;
      const hash = hashOf(key);
      const world: ChangeWorld = {
        shards: scenario.shards,
        open: (shard, id, subjects) => ledger.change(shard, (each) => each.open(id, subjects)),
        close: (shard, id) => ledger.change(shard, (each) => each.close(id)),
        commit: () =>
          clock.call(50, () => {
            simulation.changed.set(hash, { ...recordOf(key), revoked_at: clock.now });
            return "committed" as const;
          }),
        background: () => undefined,
      };
      const audit = { id: `change-${key}` } as Parameters<typeof applyChange>[1];
      await applyChange(world, audit, [{ subjects: [keySubject(hash)] } as unknown as Write]);
      acknowledged.set(hash, clock.now);
    }
    ended = clock.now;
  };
  clock.touch();
  for (let n = 0; n < atOnce; n += 1) void work();
  let busiest = 0;
  for (let second = 0; second < scenario.seconds; second += 1) {
    const before = simulation.counts.d1Queries;
    await simulation.run(1);
    busiest = Math.max(busiest, simulation.counts.d1Queries - before);
  }
  return {
    ...simulation.result(scenario.seconds),
    revoked: acknowledged.size,
    took: (ended - began) / 1000,
    d1QueriesInBusiestSecond: busiest,
    late,
  };
}
