/**
 * Rows that SQLite on Cloudflare bills for the ledger's statements: the row itself and each index entry that
 * changes with it. `bench/growth` measures the same statements on D1 (`meta.rows_written`) and fails when
 * these numbers are not what it finds.
 */
const BY_STATEMENT: [start: string, rows: number][] = [
  ["INSERT INTO use_log", 2], // and its deletion, later
  ["INSERT INTO use_pages", 1],
  ["INSERT OR REPLACE INTO fences", 2],
  ["INSERT OR IGNORE INTO open", 1],
  ["DELETE FROM open", 1],
  ["UPDATE meta", 2],
];

/** Rows that one run of a ledger statement writes. */
export function rowsWritten(sql: string): number {
  const text = sql.trimStart();
  for (const [start, rows] of BY_STATEMENT) if (text.startsWith(start)) return rows;
  return 0;
}

/** Rows that a flush writes to D1: `key_usage` has an index, `key_last_used` has none. */
export function usageRows(sql: string, json: string): number {
  let rows = 0;
  for (let at = json.indexOf('"key_id"'); at !== -1; at = json.indexOf('"key_id"', at + 1)) rows += 1;
  return sql.includes("INTO key_usage") ? 2 * rows : rows;
}
