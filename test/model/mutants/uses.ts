import { FRESHNESS, type Mutant, one, USES } from "./mutant.ts";

/** How an isolate hands its uses over. */
export const USES_MUTANTS: Mutant[] = [
  one("a batch's number is used again", USES, "    waiting.number += 1;\n", ""),
  one(
    "any answer acknowledges",
    USES,
    "if (number !== null && waiting.sent !== null && number >= waiting.sent.batch.number) waiting.sent = null;",
    "waiting.sent = number === null ? null : null;",
  ),
  one("a late answer acknowledges", USES, " && number >= waiting.sent.batch.number)", ")"),
  one(
    "a failed batch is dropped",
    USES,
    "sent.lastAt = Number.NEGATIVE_INFINITY;",
    "this.#waiting(shard).sent = null;",
  ),
  one(
    "a batch is retried with what came since",
    USES,
    "      waiting.sent.lastAt = now;\n      return waiting.sent.batch;",
    "      waiting.sent.lastAt = now;\n      waiting.sent.batch.uses.push(...waiting.uses.values());\n      waiting.uses.clear();\n      return waiting.sent.batch;",
  ),
  one(
    "an unanswered batch is never sent again",
    USES,
    "if (elapsed >= 0 && elapsed < RESEND_AFTER) return null;",
    "if (elapsed < Number.POSITIVE_INFINITY) return null;",
  ),
  one("uses of one name replace each other", USES, "same.count += use.count;", "same.count = use.count;"),
  one(
    "the earlier use is the last",
    USES,
    "Math.max(use.last_used_at, same.last_used_at ?? 0)",
    "same.last_used_at ?? use.last_used_at",
  ),
  one("taken uses are taken again", USES, "      waiting.uses.delete(name);\n    }", "    }"),
  one("uses wait for the next request", FRESHNESS, "    world.background(this.#flushSoon(world));", ""),
  one(
    "a flush that failed is not tried again",
    FRESHNESS,
    "      if (this.uses.pending().length === 0) return;\n",
    "      return;\n",
  ),
  one("a denial's last use counts", USES, "    if (use.last_used_at !== null) same", "    same"),
  one(
    "uses wait without end",
    USES,
    "      if (waiting.uses.size >= MAX_WAITING) {",
    "      if (waiting.uses.size < 0) {",
  ),
  one("a batch is as large as may be", USES, "      if (uses.length === MAX_BATCH) break;\n", ""),
  one(
    "a batch is sent though its number may be forgotten",
    USES,
    "    if (waiting.sent !== null && now - waiting.sent.firstAt > GIVE_UP_AFTER) waiting.sent = null;\n",
    "",
  ),
  one(
    "a batch is sent again while it is under way",
    USES,
    "      if (elapsed >= 0 && elapsed < RESEND_AFTER) return null;\n",
    "",
  ),
  one(
    "a batch waits for a clock that ran back",
    USES,
    "if (elapsed >= 0 && elapsed < RESEND_AFTER)",
    "if (elapsed < RESEND_AFTER)",
  ),
  one("a batch is empty", USES, "    if (waiting.uses.size === 0) return null;\n", ""),
  one(
    "a failed batch waits",
    USES,
    "    if (sent?.batch.number === number) sent.lastAt = Number.NEGATIVE_INFINITY;",
    "    void sent;",
  ),
  one(
    "an earlier batch's failure counts",
    USES,
    "if (sent?.batch.number === number) sent",
    "if (sent && number) sent",
  ),
  one("what is under way is not waited for", USES, " || sent !== null", ""),
  one("what waits is not handed over", USES, "uses.size > 0 || sent", "sent"),
  one(
    "a second batch is sent while one is under way",
    USES,
    "    if (waiting.sent !== null) {\n      //",
    "    if (waiting.sent !== null && waiting.uses.size === 0) {\n      //",
  ),
];
