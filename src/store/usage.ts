import type { Flush } from "../ledger/core.ts";

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
