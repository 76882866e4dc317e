import { LEASE, type Mutant, one } from "./mutant.ts";

/** What an isolate makes of a shard's answers. */
export const LEASE_MUTANTS: Mutant[] = [
  one(
    "an earlier question's answer wins",
    LEASE,
    "if (lease !== null && lease.asked.order > asked.order) return lease;",
    "",
  ),
  one(
    "an answer that knows less replaces one that knows more",
    LEASE,
    "if (lease !== null && lease.epoch === epoch && lease.seq > seq) {",
    "if (false as boolean) {\n      if (lease === null) return null;",
  ),
  one(
    "a delta on top of another epoch",
    LEASE,
    " || lease.epoch !== epoch || lease.seq < since",
    " || lease.seq < since",
  ),
  one(
    "a delta drops what was known",
    LEASE,
    "new Map([...fences].filter(([, at]) => at > floor))",
    "new Map<string, number>()",
  ),
  one(
    "a delta's fences are not taken",
    LEASE,
    "for (const [subject, at] of reply.fences) merged.set(subject, at);",
    "",
  ),
  one(
    "a lease keeps its old number",
    LEASE,
    "return { epoch, seq, floor, fences, open, asked };",
    "return { epoch, seq: lease.seq, floor, fences, open, asked };",
  ),
  one(
    "a lease keeps its old floor",
    LEASE,
    "return { epoch, seq, floor, fences, open, asked };",
    "return { epoch, seq, floor: lease.floor, fences, open, asked };",
  ),
  one(
    "a lease keeps its old open set",
    LEASE,
    "return { epoch, seq, floor, fences, open, asked };",
    "return { epoch, seq, floor, fences, open: lease.open, asked };",
  ),
  one(
    "open sets are only added to",
    LEASE,
    "const open = new Set(reply.open);",
    "const open = new Set([...reply.open, ...(lease?.open ?? [])]);",
  ),
  one("ignoring open", LEASE, "if (lease.open.has(subject)) return false;", ""),
  one("a number yet to come is believed", LEASE, " || stamp.seq > lease.seq", ""),
  one("a fence of its own number shuts out", LEASE, "stamp.seq < fence", "stamp.seq <= fence"),

  one(
    "an answer that knows less keeps the older question",
    LEASE,
    "return { ...lease, asked };",
    "return lease;",
  ),
  one(
    "fences that the floor speaks for are kept",
    LEASE,
    "new Map([...fences].filter(([, at]) => at > floor))",
    "new Map(fences)",
  ),
  one(
    "any delta is taken for a whole answer",
    LEASE,
    "if (since === null) return",
    "if (since !== undefined) return",
  ),
];
