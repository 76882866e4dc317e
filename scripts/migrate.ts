import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_splitSqlQuery } from "wrangler";

/** As wrangler makes it, so that `wrangler d1 migrations` and this agree about what was applied. */
const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** What this needs of a D1 database; Miniflare's proxy has it, too. */
type Database = Pick<D1Database, "prepare" | "batch">;

export interface Migration {
  /** The file's name; migrations are applied in the order of their names. */
  name: string;
  sql: string;
}

/** The migrations in a directory, in order; none where there is no such directory. */
export function readMigrations(directory: string): Migration[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => ({ name, sql: readFileSync(join(directory, name), "utf8") }));
}

/**
 * Applies the migrations that a local database lacks, each in one transaction with the row that records it, so
 * that one that fails leaves nothing behind and is tried again. For the database in production,
 * `wrangler d1 migrations apply` does the same (scripts/deploy.ts).
 * @returns the names of those it applied
 * @throws whatever D1 says of a statement that fails
 */
export async function applyMigrations(
  database: Database,
  migrations: readonly Migration[],
): Promise<string[]> {
  if (migrations.length === 0) return [];
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, sql } of missing) {
    await database.batch([
      ...unstable_splitSqlQuery(sql).map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
  return missing.map(({ name }) => name);
}
