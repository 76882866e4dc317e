/** A fault put into the source by replacing exact text. */
export interface Mutant {
  name: string;
  /** Named by docs/architecture.md: the model test itself must find it, not a unit test. */
  listed?: true;
  /** File, text, replacement; the text must occur exactly once. */
  patches: [file: string, text: string, replacement: string][];
}

const CHANGE = "src/freshness/change.ts";
const FRESHNESS = "src/freshness/freshness.ts";
const LEASE = "src/freshness/lease.ts";
const KINDS = "src/freshness/kinds.ts";
const USES = "src/freshness/uses.ts";
const SHARDS = "src/freshness/shards.ts";
const CORE = "src/ledger/core.ts";
const SHARD = "src/ledger/shard.ts";
const STORE = "src/ledger/use-store.ts";
const RELAY = "src/ledger/relay.ts";
const RELAYED_USES = "src/ledger/relayed-uses.ts";
const WRITE = "src/store/write.ts";
const AUDIT = "src/store/audit.ts";
const USAGE = "src/store/usage.ts";
const ENDPOINTS = "src/store/endpoints.ts";

const one = (name: string, file: string, text: string, replacement: string): Mutant => ({
  name,
  patches: [[file, text, replacement]],
});
const listed = (mutant: Mutant): Mutant => ({ ...mutant, listed: true });

export const MUTANTS: Mutant[] = [
  // ---- relays ----
  listed(one("a relay's copy passes for new", FRESHNESS, "at: at - age, order", "at, order")),
  listed(one("a relay's copy without an age", RELAY, "age: now - copy.asked.at", "age: 0")),
  listed(
    one(
      "a relay's copy as old as its answer",
      RELAY,
      "renewed(held ?? null, reply, asked)",
      "renewed(held ?? null, reply, { ...asked, at: this.#world.now() })",
    ),
  ),
  {
    name: "a strict request asks the relay",
    listed: true,
    patches: [
      [FRESHNESS, "        ? this.sync(shard, world)\n", "        ? this.#renew([shard], world)\n"],
      [
        FRESHNESS,
        "unique.map((shard) => this.sync(shard, world))",
        "unique.map((shard) => this.#renew([shard], world))",
      ],
    ],
  },
  listed(
    one(
      "a relay's copy is never renewed",
      RELAY,
      "age !== null && age >= 0 && age <= this.#maxAge",
      "age !== null",
    ),
  ),
  one(
    "a relay acknowledges what it only passes on",
    RELAYED_USES,
    "    this.#waiting.set(batch.isolate, { batch, at: now });",
    "    this.#waiting.set(batch.isolate, { batch, at: now });\n    this.#acknowledged.set(batch.isolate, batch.number);",
  ),
  one(
    "a relay keeps what a shard has",
    RELAYED_USES,
    "waiting <= number) this.#drop",
    "waiting < number) this.#drop",
  ),
  one("a relay forgets to pass uses on", RELAY, "batches: uses.next(asked.at)", "batches: []"),
  one("a relay sends news without what they follow", RELAY, "at > (since ?? -1)", "at > seq - 1"),
  one("no way around a relay", FRESHNESS, "    return this.sync(first, world);", "    return null;"),

  // ---- those that the architecture page lists ----
  {
    name: "KV put of the change's own row",
    listed: true,
    patches: [
      [CHANGE, "  return {\n    shards,\n", "  let own: any = null;\n  return {\n    shards,\n"],
      [
        CHANGE,
        "close: (shard, id) => within(stub(shard).close(id) as Promise<unknown>, LEDGER_PATIENCE),",
        `close: async (shard, id) => {
          const seq = await within(stub(shard).close(id) as Promise<unknown>, LEDGER_PATIENCE);
          if (own?.shard !== shard) return seq;
          const { epoch } = (await stub(shard).sync({ since: null, uses: null })) as any;
          await env.KEYS.put(own.name, JSON.stringify({ value: own.value, stamp: { epoch, seq } }));
          return seq;
        },`,
      ],
      [
        CHANGE,
        "commit: (audit, writes) => within(commitChange(env.DB, audit, writes), D1_PATIENCE),",
        `commit: async (audit, writes) => {
          const outcome = await within(commitChange(env.DB, audit, writes), D1_PATIENCE);
          if (outcome === "committed") own = audit.after;
          return outcome;
        },`,
      ],
    ],
  },
  {
    name: "open as a flag",
    listed: true,
    patches: [[CORE, "PRIMARY KEY (id, subject)", "PRIMARY KEY (subject)"]],
  },
  listed(
    one(
      "open after the write",
      CHANGE,
      "  const opened = await",
      "  await world.commit(audit, writes).catch(() => null);\n  const opened = await",
    ),
  ),
  listed(
    one(
      "no open; close fences all the same",
      CHANGE,
      "tried(() => world.open(shard, audit.id, subjects))",
      "Promise.resolve(subjects && shard)",
    ),
  ),
  {
    name: "no open until the close, which fences",
    listed: true,
    patches: [
      [CHANGE, "tried(() => world.open(shard, audit.id, subjects))", "Promise.resolve(subjects && shard)"],
      [
        CHANGE,
        "tried(() => world.close(shard, audit.id))",
        "tried(async () => { await world.open(shard, audit.id, byShard.get(shard) ?? []); await world.close(shard, audit.id); })",
      ],
    ],
  },
  listed(
    one(
      "close before the write",
      CHANGE,
      "  /** Whether an attempt was sent",
      "  await close();\n  /** Whether an attempt was sent",
    ),
  ),
  listed(
    one(
      "close not waiting for D1",
      CHANGE,
      '    if (!isRolledBack(error)) return "unavailable";',
      '    if (!isRolledBack(error)) {\n      await close();\n      return "unavailable";\n    }',
    ),
  ),
  listed(
    one(
      "the alarm's close not waiting for D1",
      SHARD,
      "      await within(abandonChange(this.#world.db, id, this.#world.now()), D1_PATIENCE);",
      "      abandonChange(this.#world.db, id, this.#world.now()).catch(() => undefined);",
    ),
  ),
  listed(
    one(
      "alarm without the tombstone",
      SHARD,
      "abandonChange(this.#world.db, id, this.#world.now())",
      "Promise.resolve()",
    ),
  ),
  listed(
    one(
      "ignoring fences",
      LEASE,
      "if (fence !== undefined && stamp.seq < fence) return false;",
      "void fence;",
    ),
  ),
  listed(one("ignoring the floor", LEASE, " || stamp.seq < lease.floor", "")),
  listed(one("ignoring the epoch", LEASE, "stamp.epoch !== lease.epoch || ", "")),
  listed(one("ignoring the lease's age", FRESHNESS, "began - at <= this.#options.lease && ", "")),
  listed(
    one(
      "compaction without floor",
      CORE,
      "return Math.max(floor, ...dropped.map((row) => row.seq as number));",
      "return dropped ? floor : floor;",
    ),
  ),
  {
    name: "asOf taken at fill time",
    listed: true,
    patches: [
      [
        FRESHNESS,
        "    this.#absent.delete(cacheName);\n    if (epoch !== null) {",
        "    this.#absent.delete(cacheName);\n    const late = this.#leases.get(shard);\n    if (late !== undefined) {\n      const { epoch, seq } = late;",
      ],
      [FRESHNESS, "    const { epoch, seq } = this.#leases.get(shard) ?? { epoch: null, seq: 0 };\n", ""],
    ],
  },
  listed(
    one(
      "sentAt taken at receipt",
      FRESHNESS,
      "\n      this.uses.acknowledge(shard, reply.acknowledged);",
      "\n      this.uses.acknowledge(shard, reply.acknowledged);\n      asked.at = world.now();",
    ),
  ),
  listed(
    one("out-of-order deltas accepted", LEASE, " || lease.seq < since) return lease;", ") return lease;"),
  ),
  listed(
    one(
      "replica reads",
      KINDS,
      "retrying(() => readKeyRecord(db, hash))",
      'retrying(() => readKeyRecord(db.withSession("first-unconstrained") as any, hash))',
    ),
  ),
  {
    name: "strict joining a sync in flight",
    listed: true,
    patches: [
      [FRESHNESS, "  #syncs = 0;", "  #syncs = 0;\n  #flight = new Map<number, Promise<number | null>>();"],
      [
        FRESHNESS,
        "  async sync(shard: number, world: World): Promise<number | null> {",
        `  sync(shard: number, world: World): Promise<number | null> {
    const flying = this.#flight.get(shard);
    if (flying !== undefined) return flying;
    const flight = this.reallySync(shard, world).finally(() => this.#flight.delete(shard));
    this.#flight.set(shard, flight);
    return flight;
  }
  async reallySync(shard: number, world: World): Promise<number | null> {`,
      ],
    ],
  },

  // ---- the lease ----
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

  // ---- an isolate ----
  one("strict believes any young lease", FRESHNESS, " && order >= since ? lease : null", " ? lease : null"),
  one(
    "strict is served what is in memory",
    FRESHNESS,
    "    if (strict === false) {\n      const warm",
    "    {\n      const warm",
  ),
  one(
    "strict goes on without an answer",
    FRESHNESS,
    "strict === true ? asked : strict === false ? 0 : (strict.get(shard) ?? null)",
    "strict === true ? (asked ?? 0) : strict === false ? 0 : (strict.get(shard) ?? 0)",
  ),
  one(
    "strict under grace",
    FRESHNESS,
    "strict !== false || asking === null || asked !== null",
    "(strict === false && asking === null) || (asked ?? null) !== null",
  ),
  one(
    "grace although the ledger answered",
    FRESHNESS,
    "strict !== false || asking === null || asked !== null",
    "strict !== false",
  ),
  one(
    "grace without end",
    FRESHNESS,
    "lease === undefined || !isWithin(world.now() - lease.asked.at, this.#options.grace)",
    "lease === undefined",
  ),
  one(
    "grace for what was known to be off",
    FRESHNESS,
    "const entry = this.#current(cacheName, lease);\n    return entry === null ?",
    "const entry = this.#memory.get(cacheName);\n    return entry === undefined ?",
  ),
  one(
    "an absence is remembered for good",
    FRESHNESS,
    "readAt !== undefined && isWithin(world.now() - readAt, this.#options.lease)",
    "readAt !== undefined && world !== null",
  ),
  one(
    "an absence counted from the answer",
    FRESHNESS,
    "this.#absent.set(cacheName, readAt, OVERHEAD);",
    "this.#absent.set(cacheName, world.now(), OVERHEAD);",
  ),
  one(
    "an absence is not remembered",
    FRESHNESS,
    "this.#absent.set(cacheName, readAt, OVERHEAD);",
    "void readAt;",
  ),
  one(
    "an absence outlives the key's arrival",
    FRESHNESS,
    "    this.#absent.delete(cacheName);\n    if",
    "    if",
  ),
  one(
    "what is gone stays in memory",
    FRESHNESS,
    "      this.#memory.delete(cacheName);\n      this.#absent",
    "      this.#absent",
  ),
  one(
    "an older entry displaces a newer one",
    FRESHNESS,
    "there.seq > entry.stamp.seq) return;",
    "there.seq > entry.stamp.seq) void 0;",
  ),
  one("a clock that ran back is believed", FRESHNESS, "      leases.delete(shard);\n      return null;", ""),
  one("a clock that ran back, for absences", FRESHNESS, "elapsed >= 0 && elapsed <= most", "elapsed <= most"),
  one(
    "KV's name is not checked",
    FRESHNESS,
    "      if (!kind.recognises(value, name)) return null;\n",
    "      if (kind.recognises(value, name)) void 0;\n",
  ),
  one(
    "KV's stamp is not checked",
    FRESHNESS,
    'if (typeof stamp.epoch !== "string" || !Number.isSafeInteger(stamp.seq)) return null;',
    "",
  ),
  one("KV is not written", FRESHNESS, "world.background(world.kvPut(cacheName, text));", "void text;"),
  one(
    "KV is not read",
    FRESHNESS,
    "await world.kvGet(kind.cacheName(name))",
    "await (null as unknown as Promise<string | null>)",
  ),
  one(
    "KV's answer is believed unseen",
    FRESHNESS,
    "const entry = this.#current(cacheName, lease());\n      if (entry !== null)",
    "const entry = fromKv?.entry ?? this.#current(cacheName, lease());\n      if (entry !== null)",
  ),
  one(
    "what is in memory is believed unseen",
    FRESHNESS,
    "lease !== null && entry !== undefined && isCurrent(lease, entry.stamp, entry.subjects)",
    "lease !== null && entry !== undefined",
  ),
  one(
    "memory does not keep what D1 said",
    FRESHNESS,
    "      this.#remember(cacheName, entry, sizeOf(text));\n      //",
    "      //",
  ),
  one(
    "useless entries are written to KV",
    FRESHNESS,
    "if (useful && kind.worthKv(value)",
    "if (kind.worthKv(value)",
  ),
  one("no background renewal", FRESHNESS, "world.background(this.#renew([shard], world));", ""),
  one(
    "a failed sync counts as an answer",
    FRESHNESS,
    "      if (uses !== null) this.uses.failed(shard, uses.number);\n      return null;",
    "      if (uses !== null) this.uses.failed(shard, uses.number);\n      return asked.order;",
  ),
  one(
    "a key does not depend on its account",
    KINDS,
    "[keySubject(hash), accountSubject(account_id)]",
    "[keySubject(hash)].filter(() => account_id !== null)",
  ),
  one(
    "a key does not depend on itself",
    KINDS,
    "[keySubject(hash), accountSubject(account_id)]",
    "[accountSubject(account_id)].filter(() => hash !== null)",
  ),
  one(
    "accounts are fenced in one shard only",
    SHARDS,
    "Array.from({ length: shards }, (_, shard) => shard)",
    "[shards - 1]",
  ),
  one(
    "a node does not depend on its id",
    ENDPOINTS,
    "return id === null ? [pathSubject(path)] : [pathSubject(path), idSubject(id)];",
    "return [pathSubject(path)].filter(() => id !== undefined);",
  ),
  one(
    "an endpoint changes only its own node",
    ENDPOINTS,
    "...paths.flatMap(nodesOf).flatMap((path) => [pathSubject(path)])",
    "...paths.map(pathSubject).filter(() => nodesOf !== null)",
  ),
  one(
    "an endpoint made anew gets the version of the old one",
    WRITE,
    '"abs(random() % 1000000000000)"',
    '"1"',
  ),
  one(
    "an endpoint's old path is forgotten",
    ENDPOINTS,
    "changed(row.id, before.path, row.path)",
    "changed(row.id, row.path)",
  ),

  // ---- a change ----
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
    "if (!astray) world.background(close());",
    "world.background(close());",
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
    "src/store/retry.ts",
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

  // ---- the ledger ----
  one("close does not number", CORE, "        next.seq += 1;\n", ""),
  one(
    "close does not fence",
    CORE,
    'this.#sql.exec("INSERT OR REPLACE INTO fences VALUES (?, ?)", subject as string, next.seq);',
    "void subject;",
  ),
  one("a fence is never raised", CORE, "INSERT OR REPLACE INTO fences", "INSERT OR IGNORE INTO fences"),
  one(
    "close ends every open change",
    CORE,
    '"DELETE FROM open WHERE id = ? RETURNING subject", id',
    '"DELETE FROM open RETURNING subject"',
  ),
  one(
    "the number is kept in memory only",
    CORE,
    "CASE name WHEN 'seq' THEN ?1 ELSE ?2 END",
    "CASE name WHEN 'seq' THEN min(?1, '0') ELSE ?2 END",
  ),
  one(
    "the floor is kept in memory only",
    CORE,
    "CASE name WHEN 'seq' THEN ?1 ELSE ?2 END",
    "CASE name WHEN 'seq' THEN ?1 ELSE min(?2, '0') END",
  ),
  one("the number is not kept in memory", CORE, "    this.#seq = seq;\n", ""),
  one(
    "the floor is not kept in memory",
    CORE,
    "    this.#floor = floor;\n    return seq;",
    "    return seq || floor;",
  ),
  one(
    "an epoch per start",
    CORE,
    "VALUES ('epoch', ?), ('seq', '0'), ('floor', '0')\", newEpoch()",
    "VALUES ('seq', '0'), ('floor', '0'), ('epoch', ?)\", \"same\"",
  ),
  one(
    "compaction drops the newest",
    CORE,
    "ORDER BY seq LIMIT ?) RETURNING",
    "ORDER BY seq DESC LIMIT ?) RETURNING",
  ),
  one(
    "compaction never happens",
    CORE,
    "if (n <= this.#maxFences) return floor;",
    "if (n >= 0) return floor;",
  ),
  one(
    "a delta for another epoch",
    CORE,
    "known !== null && known.epoch === this.#epoch && known.seq",
    "known !== null && known.seq",
  ),
  one(
    "a delta leaves out its first fence",
    CORE,
    'fences WHERE seq > ? ORDER BY seq", since ?? -1',
    'fences WHERE seq > ? ORDER BY seq", (since ?? -1) + 1',
  ),
  one(
    "open ids are not told",
    CORE,
    'open: this.#sql.exec("SELECT DISTINCT subject FROM open").map((row) => row.subject as string)',
    "open: []",
  ),
  {
    name: "a repeated batch counts again",
    patches: [
      [STORE, "(this.#isolates.get(isolate)?.number ?? 0) < number", "number > 0"],
      [STORE, "    if ((this.#isolates.get(isolate)?.number ?? 0) >= number) return;\n", ""],
    ],
  },
  {
    name: "a late batch counts again",
    patches: [
      [
        STORE,
        "(this.#isolates.get(isolate)?.number ?? 0) < number",
        "(this.#isolates.get(isolate)?.number ?? 0) !== number",
      ],
      [
        STORE,
        "(this.#isolates.get(isolate)?.number ?? 0) >= number",
        "(this.#isolates.get(isolate)?.number ?? 0) === number",
      ],
    ],
  },
  one("batches are not stored", STORE, 'this.#sql.exec("INSERT INTO use_log (body) VALUES (?)", body);', ""),
  one(
    "a restart reads no log",
    STORE,
    "for (const batch of batches) this.#apply(batch, now);\n      this.#logSize",
    "this.#logSize",
  ),
  one("a restart reads no pages", STORE, "this.#load(String(body));", ""),
  one(
    "folding forgets batch numbers",
    STORE,
    "...pieces([...this.#isolates])",
    "...pieces([...this.#isolates].slice(0, 0))",
  ),
  one("folding forgets what D1 lacks", STORE, "[count, this.#dirtyCounts.has(name)]", "[count, false]"),
  one("folding keeps the log", STORE, 'this.#sql.exec("DELETE FROM use_log");', ""),
  one("counts replace instead of adding", STORE, "else there.count += count;", "else there.count = count;"),
  one(
    "what is counted again is not written again",
    STORE,
    "    this.#dirtyCounts.add(name);\n    this.#total",
    "    if (there === undefined) this.#dirtyCounts.add(name);\n    this.#total",
  ),
  one(
    "last used moves back in the ledger",
    STORE,
    "used <= (this.#lastUsed.get(key_id) ?? Number.NEGATIVE_INFINITY)",
    "used < 0",
  ),
  one("last used may lie in the future", STORE, "Math.min(last_used_at, now)", "last_used_at"),
  one("hours may lie in the future", STORE, "Math.min(use.hour, now)", "use.hour"),
  one(
    "what changed during a flush counts as written",
    STORE,
    "if (this.#counts.get(name)?.count !== row.count) this.#dirtyCounts.add(name);",
    "",
  ),
  one(
    "last used that changed during a flush counts as written",
    STORE,
    "if (this.#lastUsed.get(key_id) !== last_used_at) this.#dirtyLastUsed.add(key_id);",
    "",
  ),
  one("written uses stay dirty", STORE, "      this.#dirtyCounts.delete(name);\n", ""),
  one("a use is written late when traffic stops", SHARD, ">= QUIET", ">= 100 * QUIET"),
  one("fresh changes are abandoned", CORE, "now - ABANDONED_AFTER", "now"),
  one("changes are never abandoned", CORE, "now - ABANDONED_AFTER", "now - 360_000_000"),
  one(
    "prune drops what D1 lacks",
    STORE,
    "hour + HOUR < now - LATEST && !this.#dirtyCounts.has(name)",
    "hour + HOUR < now - LATEST",
  ),
  one("prune drops what may be added to", STORE, "hour + HOUR < now - LATEST && ", "hour < now && "),
  one("prune forgets batch numbers", STORE, "seenAt < now - NUMBERS_KEPT", "seenAt < now"),

  // ---- the alarm ----
  one(
    "open sets no alarm",
    SHARD,
    "this.#core.open(id, subjects, this.#world.now());\n    this.#arm();",
    "this.#core.open(id, subjects, this.#world.now());",
  ),
  one("uses set no alarm", SHARD, "if (request.uses !== null) this.#arm();", ""),
  one("a start with work sets no alarm", SHARD, "if (core.hasWork()) this.#arm();", ""),
  one(
    "an alarm sets no other",
    SHARD,
    "    if (this.#core.hasWork()) this.#setAlarm(this.#world.now() + this.#options.flush);\n",
    "",
  ),
  one("an alarm that ran counts as set", SHARD, "    this.#alarmAt = null;\n", ""),
  one(
    "an alarm without work sets another",
    SHARD,
    "if (this.#core.hasWork()) this.#setAlarm",
    "this.#setAlarm",
  ),
  one("an alarm that is due is put off", SHARD, "at > now - LOST_AFTER && ", "at > now && "),
  one("a lost alarm is waited for", SHARD, "at > now - LOST_AFTER && ", ""),
  one(
    "an alarm is put off by every use",
    SHARD,
    "if (at !== null && at > now - LOST_AFTER && at <= now + this.#options.flush) return;",
    "",
  ),
  one("an alarm far off is waited for", SHARD, " && at <= now + this.#options.flush) return;", ") return;"),
  one(
    "an alarm that failed runs again at once",
    SHARD,
    "this.#setAlarm(this.#world.now() + this.#options.flush);\n  }\n\n  /**\n   * Ends the changes",
    "this.#setAlarm(this.#world.now());\n  }\n\n  /**\n   * Ends the changes",
  ),
  one(
    "a flush that fails keeps changes open",
    SHARD,
    "await Promise.allSettled([this.#settle(), this.#flush()])",
    "await Promise.allSettled([this.#flush().then(() => this.#settle())])",
  ),
  one("an abandoned change is not closed", SHARD, "      this.#core.close(id);\n", ""),
  one(
    "uses are marked before they are written",
    SHARD,
    "      await within(writeUses(this.#world.db, flush.counts, flush.lastUsed), D1_PATIENCE);\n      uses.flushed(flush);",
    "      uses.flushed(flush);\n      await within(writeUses(this.#world.db, flush.counts, flush.lastUsed), D1_PATIENCE);",
  ),
  one("D1's counts move back", USAGE, "SET count = max(count, excluded.count)", "SET count = excluded.count"),
  one(
    "D1's last used moves back",
    USAGE,
    "SET last_used_at = max(last_used_at, excluded.last_used_at)",
    "SET last_used_at = excluded.last_used_at",
  ),

  // ---- uses ----
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
];
