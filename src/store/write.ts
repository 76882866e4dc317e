import type { Subject } from "../ledger/protocol.ts";

/** A piece of SQL with the values for its placeholders, in order. */
export interface Bound {
  sql: string;
  values: (string | number | null)[];
}

/** One row of the audit log: what changed, by whom, from where. Never holds a key or its hash. */
export interface AuditEntry {
  /** The change's id. */
  id: string;
  at: number;
  account_id: string | null;
  /** Who: the session's e-mail or subject, or the name of a machine interface. */
  actor: string;
  /** Client address as the platform reports it. */
  address: string | null;
  /** `api_key.create`, `endpoint.delete`, … */
  action: string;
  /** Id of what changed. */
  subject: string;
  before: unknown;
  after: unknown;
}

/**
 * A write to a table whose state is cached at the edge. It cannot be run by itself: every statement asks
 * for the audit row of a committed change, and only `changeBatch` builds that. `subjects` is what the
 * change must fence; `guard` is what must hold for it to happen at all.
 *
 * Each statement's SQL must end in a `WHERE` clause, to which the condition on the audit row is added,
 * and must do nothing when it runs a second time.
 */
export interface Write {
  readonly subjects: readonly Subject[];
  readonly guard: Bound;
  readonly statements: readonly Bound[];
}

/** What became of a change: null when its guard did not hold, so that nothing was written. */
export type Outcome = "committed" | "abandoned" | null;

const COMMITTED = "EXISTS (SELECT 1 FROM audit_log WHERE id = ? AND outcome = 'committed')";

/**
 * The one D1 batch (a transaction) of a change: the audit row first, if every guard holds; then the
 * writes, if the audit row is there; then its outcome. Sending it again changes nothing more, and after
 * the ledger has abandoned the id it changes nothing at all.
 */
export function changeBatch(
  db: D1Database,
  audit: AuditEntry,
  writes: readonly Write[],
): D1PreparedStatement[] {
  const guards = writes.map(({ guard }) => guard);
  const text = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));
  return [
    db
      .prepare(
        `INSERT OR IGNORE INTO audit_log (id, at, outcome, account_id, actor, address, action, subject, before, after)
         SELECT ?, ?, 'committed', ?, ?, ?, ?, ?, ?, ? WHERE ${guards.map(({ sql }) => `(${sql})`).join(" AND ")}`,
      )
      .bind(
        audit.id,
        audit.at,
        audit.account_id,
        audit.actor,
        audit.address,
        audit.action,
        audit.subject,
        text(audit.before),
        text(audit.after),
        ...guards.flatMap(({ values }) => values),
      ),
    ...writes
      .flatMap(({ statements }) => statements)
      .map(({ sql, values }) => db.prepare(`${sql} AND ${COMMITTED}`).bind(...values, audit.id)),
    db.prepare("SELECT outcome FROM audit_log WHERE id = ?").bind(audit.id),
  ];
}

/** The outcome that a `changeBatch` came back with. */
export function outcomeOf(results: readonly D1Result[]): Outcome {
  const [row] = (results.at(-1)?.results ?? []) as { outcome: "committed" | "abandoned" }[];
  return row?.outcome ?? null;
}
