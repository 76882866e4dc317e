import type { Operator } from "../api/operator.ts";
import { shardOfKey } from "../freshness/shards.ts";
import { shardName } from "../freshness/world.ts";
import type { KeyRowWithUse } from "../store/keys.ts";
import { within } from "../store/retry.ts";

/** Longest wait for the ledger, in ms: the answer is worth little more than D1's. */
const PATIENCE = 1000;

/**
 * A key with its last use as the ledger knows it, which is ahead of D1 by up to a flush. Where the ledger
 * has forgotten, or cannot be reached, D1's stands; the later of the two is true, since neither moves back.
 */
export async function withLatestUse(
  { env, isolate }: Pick<Operator, "env" | "isolate">,
  row: KeyRowWithUse,
): Promise<KeyRowWithUse> {
  const shard = shardName(shardOfKey(row.hash, isolate.config.LEDGER_SHARDS));
  const ledger = env.LEDGER.getByName(shard).lastUsed(row.id) as Promise<number | null>;
  const latest = await within(ledger, PATIENCE).catch(() => null);
  const known = [latest, row.last_used_at].filter((at) => at !== null);
  return { ...row, last_used_at: known.length === 0 ? null : Math.max(...known) };
}
