import type { Flush } from "../ledger/use-store.ts";

/** Writes absolute counts and last-used times, in one batch; repeating it changes nothing. */
export async function writeUses(
  db: D1Database,
  counts: Flush["counts"],
  lastUsed: Flush["lastUsed"],
): Promise<void> {
  await db.batch([
    // One bound value each, however many rows: D1 allows 100 parameters a statement.
    db
      .prepare(
        `INSERT INTO key_usage (key_id, hour, endpoint_id, kind, count)
         SELECT value ->> 'key_id', value ->> 'hour', value ->> 'endpoint_id', value ->> 'kind', value ->> 'count'
         FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET count = max(count, excluded.count)`,
      )
      .bind(JSON.stringify(counts)),
    db
      .prepare(
        `INSERT INTO key_last_used (key_id, last_used_at)
         SELECT value ->> 'key_id', value ->> 'last_used_at' FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET last_used_at = max(last_used_at, excluded.last_used_at)`,
      )
      .bind(JSON.stringify(lastUsed)),
  ]);
}

/** Forgets usage older than the retention, a bounded piece at a time. */
export async function forgetUsage(db: D1Database, before: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM key_usage WHERE (key_id, hour, endpoint_id, kind) IN
         (SELECT key_id, hour, endpoint_id, kind FROM key_usage WHERE hour < ? LIMIT 50000)`,
    )
    .bind(before)
    .run();
}

/** What one key did on one endpoint in one step of time. */
export interface UsageRow {
  /** First millisecond of the step. */
  start: number;
  /** Empty for requests that ended before an endpoint was known. */
  endpoint_id: string;
  /** `read`, `write`, or `denied:REASON`. */
  kind: string;
  count: number;
}

/**
 * A key's counts from `from` until before `to`, oldest first, at most `limit` rows.
 * @param step length of a step in milliseconds, a whole number of hours
 */
export async function readUsage(
  db: D1Database,
  keyId: string,
  { from, to, step }: { from: number; to: number; step: number },
  limit: number,
): Promise<UsageRow[]> {
  const { results } = await db
    .prepare(
      `SELECT hour - hour % ?1 AS start, endpoint_id, kind, sum(count) AS count FROM key_usage
       WHERE key_id = ?2 AND hour >= ?3 AND hour < ?4
       GROUP BY start, endpoint_id, kind ORDER BY start, endpoint_id, kind LIMIT ?5`,
    )
    .bind(step, keyId, from, to, limit)
    .all<UsageRow>();
  return results;
}
