import type { AuditEntry } from "./write.ts";

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
