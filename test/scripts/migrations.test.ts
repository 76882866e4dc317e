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
  it.each(migrations.map(({ name, sql }) => [name, sql]))(
    "%s takes nothing away that the release before uses",
    (_, sql) => {
      expect(sql.replace(/--.*$/gm, "")).not.toMatch(/\bDROP\s+(?:TABLE|COLUMN)\b|\bRENAME\b/i);
    },
  );
});
