import type { Env } from "../env.ts";
import { isRolledBack, isTransient, within } from "../store/retry.ts";
import { type AuditEntry, commitChange, type Outcome, type Write } from "../store/write.ts";
import { shardsOf } from "./shards.ts";
import { shardName } from "./world.ts";

/** What a change touches outside itself. The Worker's is `changeWorldOf`; the model test has its own. */
export interface ChangeWorld {
  shards: number;
  open(shard: number, id: string, subjects: string[]): Promise<void>;
  close(shard: number, id: string): Promise<unknown>;
  /** Sends the change's one batch to D1. Rejects with D1's error; unless rolled back, it may commit yet. */
  commit(audit: AuditEntry, writes: readonly Write[]): Promise<Outcome>;
  /** Lets something finish after the response. */
  background(work: Promise<unknown>): void;
}

/**
 * - `committed`: written, and in force everywhere a lease from now.
 * - `refused`: a guard did not hold; nothing was written. Read again to see why.
 * - `unavailable`: ledger or D1 are away. It may have been written; if so it is in force all the same,
 *   and the ledger settles it.
 */
export type ChangeResult = "committed" | "refused" | "unavailable";

/** Tries of every step: each is idempotent. */
const TRIES = 3;

async function tried<T>(
  step: () => Promise<T>,
  worthRetrying: (error: unknown) => boolean = () => true,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      if (attempt === TRIES || !worthRetrying(error)) throw error;
    }
  }
}

/**
 * The only way to write what the edge caches (docs/architecture.md, "A change"): open its subjects in the
 * ledger, commit it with its audit row in one batch, close. Whoever dies in between leaves the subjects
 * open, so that nobody trusts a cache until the ledger has settled the change.
 */
export async function applyChange(
  world: ChangeWorld,
  audit: AuditEntry,
  writes: readonly Write[],
): Promise<ChangeResult> {
  const byShard = new Map<number, string[]>();
  for (const subject of new Set(writes.flatMap(({ subjects }) => subjects))) {
    for (const shard of shardsOf(subject, world.shards)) {
      byShard.set(shard, [...(byShard.get(shard) ?? []), subject]);
    }
  }
  const close = () =>
    Promise.allSettled([...byShard.keys()].map((shard) => tried(() => world.close(shard, audit.id))));

  const opened = await Promise.allSettled(
    [...byShard].map(([shard, subjects]) => tried(() => world.open(shard, audit.id, subjects))),
  );
  if (opened.some(({ status }) => status === "rejected")) {
    // Nothing was sent to D1, so whatever was opened may be closed again. An `open` that arrives only
    // after its `close` is left to the ledger's alarm.
    world.background(close());
    return "unavailable";
  }

  /** Whether an attempt was sent that, for all that is known, may commit yet. */
  let astray = false;
  let outcome: Outcome;
  try {
    outcome = await tried(async () => {
      try {
        return await world.commit(audit, writes);
      } catch (error) {
        if (!isRolledBack(error)) astray = true;
        throw error;
      }
    }, isTransient);
  } catch (error) {
    // Only an error of SQLite's own says that the batch left nothing behind.
    if (astray) return "unavailable";
    world.background(close());
    throw error;
  }
  // A guard that did not hold now may have held, or come to hold, for the attempt that is astray. The
  // subjects stay open: whether it committed is for the ledger's alarm to settle.
  if (outcome === null && astray) return "unavailable";

  // An id left open is safe, only slow: the new state is in force, and the alarm closes it.
  await close();
  if (outcome === "abandoned") return "unavailable";
  return outcome === "committed" ? "committed" : "refused";
}

/** Longest wait for one call to the ledger, and for the batch, in ms. */
const LEDGER_PATIENCE = 3000;
const D1_PATIENCE = 10_000;

/** The platform, as seen by one request. */
export function changeWorldOf(
  env: Env,
  shards: number,
  context: Pick<ExecutionContext, "waitUntil">,
): ChangeWorld {
  const stub = (shard: number) => env.LEDGER.getByName(shardName(shard));
  return {
    shards,
    open: (shard, id, subjects) => within(stub(shard).open(id, subjects), LEDGER_PATIENCE),
    close: (shard, id) => within(stub(shard).close(id) as Promise<unknown>, LEDGER_PATIENCE),
    commit: (audit, writes) => within(commitChange(env.DB, audit, writes), D1_PATIENCE),
    background: (work) => context.waitUntil(work.catch(() => undefined)),
  };
}
