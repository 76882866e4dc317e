import type { Membership } from "../session/session.ts";
import { FIRST_VERSION, type Write } from "./write.ts";

/** What a person may manage, where their session token does not say. */
export interface MemberRow {
  /** Lower case. */
  email: string;
  accounts: Membership[];
  admin: boolean;
  version: number;
  created_at: number;
  updated_at: number;
}

const fromRow = (row: Record<string, unknown>) =>
  ({ ...row, accounts: JSON.parse(row.accounts as string), admin: row.admin === 1 }) as MemberRow;

export async function readMember(db: D1Database, email: string): Promise<MemberRow | null> {
  const row = await db
    .prepare("SELECT * FROM members WHERE email = ?")
    .bind(email)
    .first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** A page of members in the order of their addresses, after `after`; with `account_id`, that account's. */
export async function listMembers(
  db: D1Database,
  filter: { account_id?: string | undefined },
  page: { limit: number; after: string | null },
): Promise<MemberRow[]> {
  const { account_id } = filter;
  const ofAccount =
    account_id === undefined
      ? ""
      : "AND EXISTS (SELECT 1 FROM json_each(accounts) held WHERE held.value ->> 'account_id' = ?)";
  const { results } = await db
    .prepare(`SELECT * FROM members WHERE email > ? ${ofAccount} ORDER BY email LIMIT ?`)
    .bind(page.after ?? "", ...(account_id === undefined ? [] : [account_id]), page.limit)
    .all<Record<string, unknown>>();
  return results.map(fromRow);
}

/** Adds a member, or changes one; guarded by every account being there and nobody having changed it since. */
export function putMember(before: MemberRow | null, row: Omit<MemberRow, "version">): Write {
  const accounts = JSON.stringify(row.accounts);
  const known = `NOT EXISTS (SELECT value ->> 'account_id' FROM json_each(?) EXCEPT SELECT id FROM accounts)`;
  if (before === null) {
    return {
      subjects: [],
      guard: {
        sql: `NOT EXISTS (SELECT 1 FROM members WHERE email = ?) AND ${known}`,
        values: [row.email, accounts],
      },
      statements: [
        {
          sql: `INSERT INTO members (email, accounts, admin, created_at, updated_at, version)
                SELECT ?, ?, ?, ?, ?, ${FIRST_VERSION} WHERE NOT EXISTS (SELECT 1 FROM members WHERE email = ?)`,
          values: [row.email, accounts, Number(row.admin), row.created_at, row.updated_at, row.email],
        },
      ],
    };
  }
  return {
    subjects: [],
    guard: {
      sql: `EXISTS (SELECT 1 FROM members WHERE email = ? AND version = ?) AND ${known}`,
      values: [row.email, before.version, accounts],
    },
    statements: [
      {
        sql: `UPDATE members SET accounts = ?, admin = ?, updated_at = ?, version = version + 1
              WHERE email = ? AND version = ?`,
        values: [accounts, Number(row.admin), row.updated_at, row.email, before.version],
      },
    ],
  };
}

export function deleteMember(row: MemberRow): Write {
  const same = { values: [row.email, row.version] };
  return {
    subjects: [],
    guard: { sql: "EXISTS (SELECT 1 FROM members WHERE email = ? AND version = ?)", ...same },
    statements: [{ sql: "DELETE FROM members WHERE email = ? AND version = ?", ...same }],
  };
}
