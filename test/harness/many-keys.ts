/**
 * Fills an account with keys, by one statement: `INSERT … SELECT` from a recursive query. Every 1,000th is a
 * test key, every 777th is disabled, every 2,000th revoked, every 3,000th expired.
 */
export async function createManyKeys(db: D1Database, account: string, count: number): Promise<void> {
  await db
    .prepare(
      `WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?2)
       INSERT INTO keys (id, account_id, hash, prefix, name, environment, permissions, scopes, enabled,
                         created_at, created_by, expires_at, revoked_at)
       SELECT 'key_' || ?1 || printf('%018d', i), ?1, ?1 || printf('%060d', i),
              'pst_live_' || printf('%05x', i % 1048576), 'Service ' || i,
              CASE WHEN i % 1000 = 0 THEN 'test' ELSE 'production' END,
              '{"graphql":"none","inference":"read_write","kubernetes_exec":"none"}', '{"inference":true}',
              i % 777 <> 0, 1700000000000 + i / 10, CASE WHEN i % 4000 = 0 THEN 'max@acme.test' ELSE 'olga@acme.test' END,
              CASE WHEN (i + 1) % 3000 = 0 THEN 1700000000000 ELSE NULL END,
              CASE WHEN i % 2000 = 0 THEN 1700000000000 ELSE NULL END
       FROM numbers`,
    )
    .bind(account, count)
    .run();
}

/** A database whose queries add up, in `read`, the rows that they read (D1's own `meta.rows_read`). */
export function counting(db: D1Database): { db: D1Database; read: number } {
  const counter = { db: {} as D1Database, read: 0 };
  const watched = (statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async () => {
      const result = await statement.all<Record<string, unknown>>();
      counter.read += result.meta.rows_read;
      return result;
    };
    return {
      bind: (...values: unknown[]) => watched(statement.bind(...values)),
      all,
      async first(column?: string) {
        const row = (await all()).results[0] ?? null;
        return row === null || column === undefined ? row : row[column];
      },
    } as unknown as D1PreparedStatement;
  };
  counter.db = { prepare: (sql: string) => watched(db.prepare(sql)) } as unknown as D1Database;
  return counter;
}
