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
                 value ->> 'address', value ->> 'action', value ->> 'subject',
                 nullif(value -> 'before', 'null'), nullif(value -> 'after', 'null')
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

/** What a page of the audit log is narrowed to. */
export interface AuditFilter {
  account_id?: string | undefined;
  /** Text in the actor's name; the case of A to Z does not matter. */
  actor?: string | undefined;
  /** What the action begins with. */
  action?: string | undefined;
  subject?: string | undefined;
  /** The earliest moment, and the first that is too late; ms. */
  from?: number | undefined;
  to?: number | undefined;
}

/** Where a page ends: after this row. */
export interface AuditPosition {
  at: number;
  id: string;
}

/** Some rows, newest first, and where the next page starts; null on the last. */
export interface AuditPage {
  rows: AuditEntry[];
  next: AuditPosition | null;
}

/** Rows looked at for one page, whether they fit or not: what a rare actor costs stays bounded. */
const MOST_SCANNED = 5000;

/**
 * A page of the audit log, newest first. Tombstones of abandoned changes are not shown. It reads a bounded
 * number of rows however few fit: so it may hold fewer than `limit`, even none, and not be the last.
 */
export async function listAudit(
  db: D1Database,
  filter: AuditFilter,
  page: { limit: number; before: AuditPosition | null },
): Promise<AuditPage> {
  const { account_id, actor, action, subject, from, to } = filter;
  const within: Bound[] = [];
  if (account_id !== undefined) within.push({ sql: "account_id = ?", values: [account_id] });
  if (from !== undefined) within.push({ sql: "at >= ?", values: [from] });
  if (to !== undefined) within.push({ sql: "at < ?", values: [to] });
  if (page.before !== null)
    within.push({ sql: "(at, id) < (?, ?)", values: [page.before.at, page.before.id] });
  const fits: Bound[] = [{ sql: "outcome = 'committed'", values: [] }];
  // Not LIKE: D1 refuses patterns of more than 50 bytes.
  if (actor !== undefined) fits.push({ sql: "instr(lower(actor), lower(?)) > 0", values: [actor] });
  if (action !== undefined) fits.push({ sql: "instr(action, ?) = 1", values: [action] });
  if (subject !== undefined) fits.push({ sql: "subject = ?", values: [subject] });

  const all = (bounds: readonly Bound[]) => bounds.map(({ sql }) => sql).join(" AND ");
  const values = (bounds: readonly Bound[]) => bounds.flatMap((bound) => bound.values);
  // The inner query runs only as far as the outer one asks. Its last row comes out whether it fits or not:
  // that is where the next page goes on.
  const index = account_id === undefined ? "audit_log_by_time" : "audit_log_of_account";
  const { results } = await db
    .prepare(
      `SELECT id, at, account_id, actor, address, action, subject, before, after, nth, ${all(fits)} AS fits
       FROM (
         SELECT *, row_number() OVER (ORDER BY at DESC, id DESC) AS nth FROM audit_log INDEXED BY ${index}
         WHERE ${within.length === 0 ? "true" : all(within)} ORDER BY at DESC, id DESC LIMIT ?
       ) WHERE fits OR nth = ? LIMIT ?`,
    )
    .bind(...values(fits), ...values(within), MOST_SCANNED, MOST_SCANNED, page.limit + 1)
    .all<AuditEntry & { before: string | null; after: string | null; nth: number; fits: number }>();
  const fitting = results.filter((row) => row.fits === 1);
  const rows = fitting.slice(0, page.limit).map(({ nth: _, fits: __, ...row }) => ({
    ...row,
    before: row.before === null ? null : JSON.parse(row.before),
    after: row.after === null ? null : JSON.parse(row.after),
  }));
  const end = fitting.length > page.limit ? rows.at(-1) : results.find(({ nth }) => nth === MOST_SCANNED);
  return { rows, next: end === undefined ? null : { at: end.at, id: end.id } };
}
