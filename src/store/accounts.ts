import { FIRST_VERSION, type Write } from "./write.ts";

export interface AccountRow {
  id: string;
  name: string;
  /** Most keys that may be active at once. */
  active_key_limit: number;
  suspended: boolean;
  version: number;
  created_at: number;
  updated_at: number;
}

const fromRow = (row: Record<string, unknown>) => ({ ...row, suspended: row.suspended === 1 }) as AccountRow;

export async function readAccount(db: D1Database, id: string): Promise<AccountRow | null> {
  const row = await db
    .prepare("SELECT * FROM accounts WHERE id = ?")
    .bind(id)
    .first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** A page of accounts in the order of their ids, after `after`. */
export async function listAccounts(
  db: D1Database,
  page: { limit: number; after: string | null },
): Promise<AccountRow[]> {
  const { results } = await db
    .prepare("SELECT * FROM accounts WHERE id > ? ORDER BY id LIMIT ?")
    .bind(page.after ?? "", page.limit)
    .all<Record<string, unknown>>();
  return results.map(fromRow);
}

/** The subject an account's changes are fenced under, in every shard. */
export function accountSubject(id: string): string {
  return `account:${id}`;
}

/** Which of `ids` have no account. */
export async function unknownAccounts(db: D1Database, ids: readonly string[]): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT value AS id FROM json_each(?) EXCEPT SELECT id FROM accounts")
    .bind(JSON.stringify(ids))
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Creates an account, or changes it; guarded by nobody having changed it since `before` was read. */
export function putAccount(before: AccountRow | null, row: Omit<AccountRow, "version">): Write {
  const subjects = [accountSubject(row.id)];
  const values = [row.name, row.active_key_limit, Number(row.suspended), row.updated_at];
  if (before === null) {
    return {
      subjects,
      guard: { sql: "NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?)", values: [row.id] },
      statements: [
        {
          sql: `INSERT INTO accounts (name, active_key_limit, suspended, updated_at, created_at, id, version)
                SELECT ?, ?, ?, ?, ?, ?, ${FIRST_VERSION} WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?)`,
          values: [...values, row.created_at, row.id, row.id],
        },
      ],
    };
  }
  return {
    subjects,
    guard: {
      sql: "EXISTS (SELECT 1 FROM accounts WHERE id = ? AND version = ?)",
      values: [row.id, before.version],
    },
    statements: [
      {
        sql: `UPDATE accounts SET name = ?, active_key_limit = ?, suspended = ?, updated_at = ?,
              version = version + 1 WHERE id = ? AND version = ?`,
        values: [...values, row.id, before.version],
      },
    ],
  };
}

/**
 * Whether nothing belongs to the account any more; `?` is its id, four times. Members count: who is left in
 * the table would be let into a later account of the same id.
 */
const UNUSED = `NOT EXISTS (SELECT 1 FROM keys WHERE account_id = ?)
  AND NOT EXISTS (SELECT 1 FROM endpoints WHERE account_id = ?)
  AND NOT EXISTS (SELECT 1 FROM namespaces WHERE account_id = ?)
  AND NOT EXISTS (SELECT 1 FROM members, json_each(members.accounts) held WHERE held.value ->> 'account_id' = ?)`;

/** Deletes an account that owns nothing any more, with its permission templates. */
export function deleteAccount(row: AccountRow): Write {
  const unused = [row.id, row.id, row.id, row.id];
  return {
    subjects: [accountSubject(row.id)],
    guard: {
      sql: `EXISTS (SELECT 1 FROM accounts WHERE id = ? AND version = ?) AND ${UNUSED}`,
      values: [row.id, row.version, ...unused],
    },
    statements: [
      { sql: "DELETE FROM permission_templates WHERE account_id = ?", values: [row.id] },
      {
        sql: `DELETE FROM accounts WHERE id = ? AND version = ? AND ${UNUSED}`,
        values: [row.id, row.version, ...unused],
      },
    ],
  };
}
