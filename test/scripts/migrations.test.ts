import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { readMigrations } from "../../scripts/migrate.ts";
import { shapeOf } from "./schema-shape.ts";

const ROOT = join(import.meta.dirname, "../..");
const SCHEMA = readFileSync(join(ROOT, "schema.sql"), "utf8");
const FIRST = readFileSync(join(import.meta.dirname, "first-schema.sql"), "utf8");
const migrations = readMigrations(join(ROOT, "migrations"));

function databaseOf(...scripts: string[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const sql of scripts) database.exec(sql);
  return database;
}

const truth = shapeOf(databaseOf(SCHEMA));

describe("migrations", () => {
  it("are numbered without a gap", () => {
    expect(migrations.map(({ name }) => Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]))).toEqual(
      migrations.map((_, i) => i + 1),
    );
  });

  it.each([
    ["nothing", ""],
    ["the first release's schema", FIRST],
    // Databases made before there were migrations: some were made by today's schema.sql.
    ["a database that has everything, but no record of it", SCHEMA],
  ])("make schema.sql of %s", (_, before) => {
    expect(shapeOf(databaseOf(before, ...migrations.map(({ sql }) => sql)))).toEqual(truth);
  });

  it("compares what matters: a column, a constraint or an index more is a difference", () => {
    for (const more of [
      "ALTER TABLE keys ADD COLUMN more TEXT",
      "CREATE INDEX more ON keys (name)",
      "DROP INDEX keys_counted",
      "CREATE TABLE more (id TEXT) STRICT",
    ]) {
      expect(shapeOf(databaseOf(SCHEMA, more)), more).not.toEqual(truth);
    }
  });

  // While a release rolls out, Workers of the one before run on the new schema (docs/upgrade.md).
  it.each(migrations)("$name takes nothing away that the release before uses", ({ name }) => {
    const upTo = (last: string) =>
      migrations.filter((migration) => migration.name <= last).map(({ sql }) => sql);
    const columns = (scripts: string[]) => {
      const database = databaseOf(...scripts);
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      return tables.flatMap(({ name: table }) =>
        database
          .prepare("SELECT name FROM pragma_table_info(?)")
          .all(table!)
          .map(({ name: column }) => `${table}.${column}`),
      );
    };
    const before = columns(upTo(name).slice(0, -1));
    expect(columns(upTo(name))).toEqual(expect.arrayContaining(before));
  });

  it("a new column has a default, or may be null: Workers of the release before write rows without it", () => {
    const added = migrations.flatMap(({ sql }) => sql.match(/ADD COLUMN[^;]*/gi) ?? []);
    for (const definition of added) expect(definition).not.toMatch(/NOT NULL(?![^;]*DEFAULT)/i);
  });
});
