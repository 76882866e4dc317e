import type { Subject } from "../ledger/protocol.ts";

/** A piece of SQL with the values for its placeholders, in order. */
export interface Bound {
  sql: string;
  values: (string | number | null)[];
}

/** Holds where all of them hold. */
export const and = (...parts: Bound[]): Bound => ({
  sql: parts.map(({ sql }) => `(${sql})`).join(" AND "),
  values: parts.flatMap(({ values }) => values),
});

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
 * Each statement's SQL must end in a `WHERE` clause, to which the condition on the audit row is added.
 */
export interface Write {
  readonly subjects: readonly Subject[];
  readonly guard: Bound;
  readonly statements: readonly Bound[];
}

/**
 * A new row's version, as SQL: a random one. Were it always the same, a change made from a row would also
 * fit another row that took its name after it was deleted, which it never saw and whose path it does not
 * fence.
 */
export const FIRST_VERSION = "abs(random() % 1000000000000)";

/** What became of a change: null when its guard did not hold, so that nothing was written. */
export type Outcome = "committed" | "abandoned" | null;

const COMMITTED = "EXISTS (SELECT 1 FROM audit_log WHERE id = ? AND outcome = 'committed')";

/**
 * The one D1 batch (a transaction) of a change: the audit row first, if every guard holds; then the
 * writes, if the audit row is there; then its outcome.
 *
 * An id that is there already, committed or abandoned, fails the batch as a whole (see `isRepeat`): sent
 * twice, or arriving after the ledger gave it up, it cannot write anything. Skipping the row instead would
 * let a late repeat bring back what another change has deleted since.
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
        `INSERT INTO audit_log (id, at, outcome, account_id, actor, address, action, subject, before, after)
         SELECT ?, ?, 'committed', ?, ?, ?, ?, ?, ?, ?
         WHERE (${guards.map(({ sql }) => `(${sql})`).join(" AND ")}) OR EXISTS (SELECT 1 FROM audit_log WHERE id = ?)`,
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
        audit.id,
      ),
    ...writes
      .flatMap(({ statements }) => statements)
      .map(({ sql, values }) => db.prepare(`${sql} AND ${COMMITTED}`).bind(...values, audit.id)),
    outcomeQuery(db, audit.id),
  ];
}

const outcomeQuery = (db: D1Database, id: string) =>
  db.prepare("SELECT outcome FROM audit_log WHERE id = ?").bind(id);

/** Whether a batch failed because the id of its change is taken: it was sent before, or abandoned. */
export function isRepeat(error: unknown): boolean {
  return String(error).includes("UNIQUE constraint failed: audit_log.id");
}

/** Sends a change's batch, or finds out what became of it when it was sent before. */
export async function commitChange(
  db: D1Database,
  audit: AuditEntry,
  writes: readonly Write[],
): Promise<Outcome> {
  try {
    return outcomeOf(await db.batch(changeBatch(db, audit, writes)));
  } catch (error) {
    if (!isRepeat(error)) throw error;
    return outcomeOf([await outcomeQuery(db, audit.id).all()]);
  }
}

/** The outcome that a batch ended with. */
function outcomeOf(results: readonly D1Result[]): Outcome {
  const [row] = (results.at(-1)?.results ?? []) as { outcome: "committed" | "abandoned" }[];
  return row?.outcome ?? null;
}
