import type { AuditEntry, Bound } from "./write.ts";

/**
 * A statement of a `Write` that changes many rows at once: one audit row for each entry of which `holds`,
 * which reads the entry as `value`, is true. It comes with the write's own condition that the change has
 * committed, and its ids keep it from counting twice.
 */
export function auditEach(entries: readonly AuditEntry[], holds: Bound): Bound {
  return {
    sql: `INSERT OR IGNORE INTO audit_log (id, at, outcome, account_id, actor, address, action, subject, before, after)
          SELECT value ->> 'id', value ->> 'at', 'committed', value ->> 'account_id', value ->> 'actor',
                 value ->> 'address', value ->> 'action', value ->> 'subject', value -> 'before', value -> 'after'
          FROM json_each(?) WHERE ${holds.sql}`,
    values: [JSON.stringify(entries), ...holds.values],
  };
}

/**
 * Ends an abandoned change: takes its id, so that a batch still on its way can never commit. When the
 * change had committed after all, its row stays as it is.
 */
export async function abandonChange(db: D1Database, id: string, now: number): Promise<void> {
  await db
    .prepare(
      `INSERT OR IGNORE INTO audit_log (id, at, outcome, actor, action, subject)
       VALUES (?, ?, 'abandoned', 'ledger', 'change.abandon', ?)`,
    )
    .bind(id, now, id)
    .run();
}

/** A page of the audit log, newest first. Tombstones of abandoned changes are not shown. */
export async function listAudit(
  db: D1Database,
  filter: { account_id?: string | undefined },
  page: { limit: number; before: { at: number; id: string } | null },
): Promise<AuditEntry[]> {
  const where = ["outcome = 'committed'"];
  const values: (string | number)[] = [];
  if (filter.account_id !== undefined) {
    where.push("account_id = ?");
    values.push(filter.account_id);
  }
  if (page.before !== null) {
    where.push("(at, id) < (?, ?)");
    values.push(page.before.at, page.before.id);
  }
  const { results } = await db
    .prepare(
      `SELECT id, at, account_id, actor, address, action, subject, before, after FROM audit_log
       WHERE ${where.join(" AND ")} ORDER BY at DESC, id DESC LIMIT ?`,
    )
    .bind(...values, page.limit)
    .all<AuditEntry & { before: string | null; after: string | null }>();
  return results.map((row) => ({
    ...row,
    before: row.before === null ? null : JSON.parse(row.before),
    after: row.after === null ? null : JSON.parse(row.after),
  }));
}
