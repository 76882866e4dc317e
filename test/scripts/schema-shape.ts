import type { DatabaseSync } from "node:sqlite";

/**
 * What a database is made of, so that two ways of making it can be compared: each table as the sorted list of
 * its columns' and constraints' definitions, each index as its statement. Comments, white space and the order in
 * which columns came do not count.
 */
export function shapeOf(database: DatabaseSync): Record<string, string[]> {
  const rows = database
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    .all() as { type: string; name: string; sql: string }[];
  return Object.fromEntries(
    rows
      .filter(({ name }) => name !== "d1_migrations")
      .map(({ type, name, sql }) => [`${type} ${name}`, type === "table" ? partsOf(sql) : [plain(sql)]]),
  );
}

const plain = (sql: string) =>
  sql
    .replace(/--.*$/gm, "")
    .replace(/\s+/g, " ")
    .replace(/\s*([(),])\s*/g, "$1")
    .trim();

/** The definitions in a CREATE TABLE's parentheses, and the options after them. */
function partsOf(sql: string): string[] {
  const text = plain(sql);
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")];
  const parts = [""];
  let depth = 0;
  for (const character of text.slice(open + 1, close)) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return [...parts.map((part) => part.trim()).sort(), text.slice(close + 1).trim()];
}
