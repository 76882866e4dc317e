import { CHANGE, CORE, FRESHNESS, KINDS, LEASE, type Mutant, one, SHARD } from "./mutant.ts";

/** The steps of the protocol as a whole. */
export const STEPS_MUTANTS: Mutant[] = [
  {
    name: "KV put of the change's own row",
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
    patches: [[CORE, "PRIMARY KEY (id, subject)", "PRIMARY KEY (subject)"]],
  },
  one(
    "open after the write",
    CHANGE,
    "  const opened = await",
    "  await world.commit(audit, writes).catch(() => null);\n  const opened = await",
  ),
  one(
    "no open; close fences all the same",
    CHANGE,
    "tried(() => world.open(shard, audit.id, subjects))",
    "Promise.resolve(subjects && shard)",
  ),
  {
    name: "no open until the close, which fences",
    patches: [
      [CHANGE, "tried(() => world.open(shard, audit.id, subjects))", "Promise.resolve(subjects && shard)"],
      [
        CHANGE,
        "tried(() => world.close(shard, audit.id))",
        "tried(async () => { await world.open(shard, audit.id, byShard.get(shard) ?? []); await world.close(shard, audit.id); })",
      ],
    ],
  },
  one(
    "close before the write",
    CHANGE,
    "  /** Whether an attempt was sent",
    "  await close();\n  /** Whether an attempt was sent",
  ),
  one(
    "close not waiting for D1",
    CHANGE,
    '    if (astray) return "unavailable";',
    '    if (astray) {\n      await close();\n      return "unavailable";\n    }',
  ),
  one(
    "the alarm's close not waiting for D1",
    SHARD,
    "      await within(abandonChange(this.#world.db, id, this.#world.now()), D1_PATIENCE);",
    "      abandonChange(this.#world.db, id, this.#world.now()).catch(() => undefined);",
  ),
  one(
    "alarm without the tombstone",
    SHARD,
    "abandonChange(this.#world.db, id, this.#world.now())",
    "Promise.resolve()",
  ),
  one("ignoring fences", LEASE, "if (fence !== undefined && stamp.seq < fence) return false;", "void fence;"),
  one("ignoring the floor", LEASE, " || stamp.seq < lease.floor", ""),
  one("ignoring the epoch", LEASE, "stamp.epoch !== lease.epoch || ", ""),
  one("ignoring the lease's age", FRESHNESS, "began - at <= this.#options.lease && ", ""),
  one(
    "compaction without floor",
    CORE,
    "return Math.max(...dropped.map((row) => row.seq as number));",
    "return dropped ? floor : floor;",
  ),
  {
    name: "asOf taken at fill time",
    patches: [
      [
        FRESHNESS,
        "    this.#absent.delete(cacheName);\n    if (epoch !== null) {",
        "    this.#absent.delete(cacheName);\n    const late = this.#leases.get(shard);\n    if (late !== undefined) {\n      const { epoch, seq } = late;",
      ],
      [FRESHNESS, "    const { epoch, seq } = this.#leases.get(shard) ?? { epoch: null, seq: 0 };\n", ""],
    ],
  },
  one(
    "sentAt taken at receipt",
    FRESHNESS,
    "\n      this.uses.acknowledge(shard, reply.acknowledged);",
    "\n      this.uses.acknowledge(shard, reply.acknowledged);\n      asked.at = world.now();",
  ),
  one("out-of-order deltas accepted", LEASE, " || lease.seq < since) return lease;", ") return lease;"),
  one(
    "replica reads",
    KINDS,
    "retrying(() => readKeyRecord(db, hash))",
    'retrying(() => readKeyRecord(db.withSession("first-unconstrained") as any, hash))',
  ),
  {
    name: "strict joining a sync in flight",
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
];
