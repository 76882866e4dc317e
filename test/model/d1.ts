import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

const SCHEMA = readFileSync(join(import.meta.dirname, "../../schema.sql"), "utf8");

/** D1 and Durable Objects take values of up to 2 MB. */
const MOST_CHARACTERS = 2_000_000;

type Values = (string | number | null)[];

/** Synchronous SQLite with prepared statements kept. */
export class Sqlite {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();

  /** Runs one statement. @throws as D1 words it */
  exec(sql: string, values: Values = []): Record<string, unknown>[] {
    try {
      let statement = this.#statements.get(sql);
      if (statement === undefined) {
        statement = this.#db.prepare(sql);
        this.#statements.set(sql, statement);
      }
      if (values.some((value) => typeof value === "string" && value.length > MOST_CHARACTERS))
        throw new Error("string or blob too big");
      return statement.all(...values) as Record<string, unknown>[];
    } catch (error) {
      const { errcode } = error as { errcode?: number };
      const code = ((errcode ?? 1) & 0xff) === 19 ? "SQLITE_CONSTRAINT" : "SQLITE_ERROR";
      throw new Error(`D1_ERROR: ${(error as Error).message}: ${code}`);
    }
  }

  /** How many rows were ever written. */
  get changes(): number {
    return this.exec("SELECT total_changes() AS n")[0]?.n as number;
  }

  transaction<T>(body: () => T): T {
    this.#db.exec("SAVEPOINT t");
    try {
      const result = body();
      this.#db.exec("RELEASE t");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO t; RELEASE t");
      throw error;
    }
  }

  script(sql: string): void {
    this.#db.exec(sql);
  }

  /** Empties every table; much cheaper than a new database. */
  clear(): void {
    // The last made first: it may refer to those before it.
    for (const { name } of this.exec(
      "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC",
    )) {
      this.exec(`DELETE FROM ${name as string}`);
    }
  }
}

/** A database with Postern's schema. */
export function postern(): Sqlite {
  const db = new Sqlite();
  db.script(SCHEMA);
  return db;
}

/** How a D1 call reaches the database: at once, or by a message that may get lost. */
export type Transport = <T>(label: string, execute: () => T) => Promise<T>;

interface Statement {
  sql: string;
  values: Values;
}

const asResult = (results: Record<string, unknown>[]) => ({ results, success: true, meta: {} });

/** What D1 is made of here. */
export type Engine = Pick<Sqlite, "exec" | "transaction">;

/** As much of `D1Database` as src/store uses, over SQLite. A batch is one transaction. */
export function d1Of(db: Engine, transport: Transport, replica?: Engine): D1Database {
  const label = ({ sql }: Statement) => sql.trim().replace(/\s+/g, " ").slice(0, 40);
  const prepare = (sql: string, values: Values = []) => {
    const statement = { sql, values };
    const run = () => transport(label(statement), () => db.exec(sql, values));
    return {
      ...statement,
      bind: (...values: Values) => prepare(sql, values),
      first: async (column?: string) => {
        const [row] = await run();
        return row === undefined ? null : column === undefined ? row : row[column];
      },
      all: async () => asResult(await run()),
      run: async () => asResult(await run()),
    };
  };
  return {
    prepare,
    batch: async (statements: Statement[]) =>
      transport(label(statements[0] as Statement), () =>
        db.transaction(() => statements.map(({ sql, values }) => asResult(db.exec(sql, values)))),
      ),
    // Postern never asks a replica; a mutant does.
    withSession: () => d1Of(replica ?? db, transport),
  } as unknown as D1Database;
}

/** Answers at once, and looks at the database in the very moment of the call. */
export const direct: Transport = (_, execute) => {
  try {
    return Promise.resolve(execute());
  } catch (error) {
    return Promise.reject(error);
  }
};
