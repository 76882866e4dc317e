import type { Scopes } from "../keys/scopes.ts";
import type { Write } from "./write.ts";

/** An account's own permission template. */
export interface TemplateRow {
  account_id: string;
  name: string;
  description: string;
  /** As sent. */
  scopes: Scopes;
  created_at: number;
  created_by: string;
}

/** Most templates an account may have of its own; they are listed whole. */
export const MOST_TEMPLATES = 100;

const fromRow = (row: Record<string, unknown>) =>
  ({ ...row, scopes: JSON.parse(row.scopes as string) }) as TemplateRow;

export async function readTemplate(
  db: D1Database,
  accountId: string,
  name: string,
): Promise<TemplateRow | null> {
  const row = await db
    .prepare("SELECT * FROM permission_templates WHERE account_id = ? AND name = ?")
    .bind(accountId, name)
    .first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** All of an account's own, by name. */
export async function listTemplates(db: D1Database, accountId: string): Promise<TemplateRow[]> {
  const { results } = await db
    .prepare("SELECT * FROM permission_templates WHERE account_id = ? ORDER BY name")
    .bind(accountId)
    .all<Record<string, unknown>>();
  return results.map(fromRow);
}

/** Adds a template; guarded by the name being free and by the number an account may have. */
export function insertTemplate(row: TemplateRow): Write {
  const free = "NOT EXISTS (SELECT 1 FROM permission_templates WHERE account_id = ? AND name = ?)";
  return {
    subjects: [],
    guard: {
      sql: `${free} AND (SELECT count(*) FROM permission_templates WHERE account_id = ?) < ?
            AND EXISTS (SELECT 1 FROM accounts WHERE id = ?)`,
      values: [row.account_id, row.name, row.account_id, MOST_TEMPLATES, row.account_id],
    },
    statements: [
      {
        sql: `INSERT INTO permission_templates (account_id, name, description, scopes, created_at, created_by)
              SELECT ?, ?, ?, ?, ?, ? WHERE ${free}`,
        values: [
          row.account_id,
          row.name,
          row.description,
          JSON.stringify(row.scopes),
          row.created_at,
          row.created_by,
          row.account_id,
          row.name,
        ],
      },
    ],
  };
}

export function deleteTemplate(row: TemplateRow): Write {
  const same = { values: [row.account_id, row.name] };
  return {
    subjects: [],
    guard: { sql: "EXISTS (SELECT 1 FROM permission_templates WHERE account_id = ? AND name = ?)", ...same },
    statements: [{ sql: "DELETE FROM permission_templates WHERE account_id = ? AND name = ?", ...same }],
  };
}
