import { AUDIT, CHANGE, type Mutant, one, RETRY, WRITE } from "./mutant.ts";

/** How a change is made. */
export const CHANGE_MUTANTS: Mutant[] = [
  one(
    "a change goes on although open failed",
    CHANGE,
    'if (opened.some(({ status }) => status === "rejected")) {',
    "if (opened.length === 0) {",
  ),
  one(
    "only one shard is opened",
    CHANGE,
    "    [...byShard].map(([shard, subjects])",
    "    [...byShard].slice(0, 1).map(([shard, subjects])",
  ),
  one("only one shard is closed", CHANGE, "[...byShard.keys()].map(", "[...byShard.keys()].slice(0, 1).map("),
  one("a change never closes", CHANGE, "tried(() => world.close(shard, audit.id))", "Promise.resolve(shard)"),
  one(
    "an attempt astray is forgotten: rolled back",
    CHANGE,
    'if (astray) return "unavailable";\n    world',
    'if (!isRolledBack(error)) return "unavailable";\n    world',
  ),
  one(
    "an attempt astray is forgotten: refused",
    CHANGE,
    'if (outcome === null && astray) return "unavailable";',
    "",
  ),
  one(
    "an abandoned change is called committed",
    CHANGE,
    'if (outcome === "abandoned") return "unavailable";\n  return outcome === "committed"',
    "return outcome !== null",
  ),
  one(
    "every error is taken for a roll-back",
    RETRY,
    "return /SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG|RANGE)|D1_TYPE_ERROR/.test(String(error));",
    "return String(error) !== '';",
  ),
  one(
    "repeats are skipped, not failed",
    WRITE,
    ") OR EXISTS (SELECT 1 FROM audit_log WHERE id = ?)`",
    ") AND ?1 = ?`",
  ),
  one(
    "the audit row is not asked for",
    WRITE,
    "const COMMITTED = \"EXISTS (SELECT 1 FROM audit_log WHERE id = ? AND outcome = 'committed')\";",
    'const COMMITTED = "? IS NOT NULL";',
  ),
  one(
    "a repeat is an error",
    WRITE,
    "if (!isRepeat(error)) throw error;",
    "if (isRepeat(error) || true) throw error;",
  ),
  one(
    "a tombstone over a committed change",
    AUDIT,
    "INSERT OR IGNORE INTO audit_log (id, at, outcome, actor, action, subject)\n       VALUES (?, ?, 'abandoned', 'ledger'",
    "INSERT OR REPLACE INTO audit_log (id, at, outcome, actor, action, subject)\n       VALUES (?, ?, 'abandoned', 'ledger'",
  ),

  one(
    "a step that failed is not tried again",
    CHANGE,
    "attempt === TRIES || !worth",
    "attempt > 0 || !worth",
  ),
  one("a step that fails is tried without end", CHANGE, "attempt === TRIES || !worth", "!worth"),
  one("what SQLite refuses is tried again", CHANGE, "    }, isTransient);", "    });"),
  one(
    "only the last subject of a shard is opened",
    CHANGE,
    "[...(byShard.get(shard) ?? []), subject]",
    "[subject]",
  ),
  one(
    "a subject is opened twice",
    CHANGE,
    "of new Set(writes.flatMap(({ subjects }) => subjects))",
    "of writes.flatMap(({ subjects }) => subjects)",
  ),
  one(
    "what was opened in vain stays open",
    CHANGE,
    "    world.background(close());\n    return",
    "    return",
  ),
  one(
    "what SQLite refused stays open",
    CHANGE,
    "    world.background(close());\n    throw error;",
    "    throw error;",
  ),
  one(
    "a change is answered while it is being closed",
    CHANGE,
    "  await close();\n  if (outcome",
    "  void close();\n  if (outcome",
  ),
  one(
    "the ledger is waited for without end",
    CHANGE,
    "within(stub(shard).open(id, subjects), LEDGER_PATIENCE)",
    "stub(shard).open(id, subjects) as unknown as Promise<void>",
  ),
  one(
    "D1 is waited for without end",
    CHANGE,
    "within(commitChange(env.DB, audit, writes), D1_PATIENCE)",
    "commitChange(env.DB, audit, writes)",
  ),
  one(
    "what SQLite refused counts as astray",
    CHANGE,
    "if (!isRolledBack(error)) astray = true;",
    "astray = true;",
  ),
];
