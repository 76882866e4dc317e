import type { RelaySync, RelaySyncReply, Subject, SyncReply, SyncRequest } from "./protocol.ts";
import { USE_BOUNDS, type UseBounds, UseStore } from "./use-store.ts";

/** Synchronous SQLite, as a Durable Object and Node both have it. */
export interface Sql {
  exec(statement: string, ...bindings: (string | number | null)[]): Record<string, unknown>[];
  transaction<T>(body: () => T): T;
}

/** What storage and memory may hold; tests have smaller ones. */
export interface Bounds extends UseBounds {
  /** Fences kept before the oldest are dropped and the floor rises: some 40 KiB for a cold isolate. */
  fences: number;
}

const BOUNDS: Bounds = { ...USE_BOUNDS, fences: 1024 };

/** A change open for longer is taken for abandoned: its Worker has died or lost the ledger, in ms. */
const ABANDONED_AFTER = 30_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fences (subject TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS fences_by_seq ON fences (seq);
  CREATE TABLE IF NOT EXISTS open (
    id TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (id, subject)
  ) WITHOUT ROWID;
`;

/**
 * A ledger shard without its platform: numbers changes, keeps fences, stores uses. Every method is one
 * synchronous transaction; nothing a caller is told is less durable than storage.
 */
export class LedgerCore {
  readonly uses: UseStore;
  readonly #sql: Sql;
  readonly #maxFences: number;
  readonly #epoch: string;
  #seq: number;
  #floor: number;

  /** @param newEpoch draws a random epoch; what it gives is kept once in a shard's life */
  constructor(sql: Sql, newEpoch: () => string, bounds: Partial<Bounds> = {}) {
    this.#sql = sql;
    const { fences, ...uses } = { ...BOUNDS, ...bounds };
    this.#maxFences = fences;
    for (const statement of TABLES.split(";")) if (statement.trim() !== "") sql.exec(statement);
    sql.exec("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('seq', '0'), ('floor', '0')", newEpoch());
    const meta = new Map(
      sql.exec("SELECT name, value FROM meta").map((row) => [row.name, String(row.value)]),
    );
    this.#epoch = meta.get("epoch") as string;
    this.#seq = Number(meta.get("seq"));
    this.#floor = Number(meta.get("floor"));
    this.uses = new UseStore(sql, uses);
  }

  /** Between 0 and 1; random, and the same for a shard's whole life. */
  get chance(): number {
    let sum = 0;
    for (const letter of this.#epoch) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1009;
    return sum / 1009;
  }

  /** A change begins: its subjects are not cacheable while it is open. */
  open(id: string, subjects: readonly Subject[], now: number): void {
    this.#sql.transaction(() => {
      for (const subject of subjects) {
        this.#sql.exec("INSERT OR IGNORE INTO open VALUES (?, ?, ?)", id, subject, now);
      }
    });
  }

  /** A change ended, committed or not: fences its subjects under a new number. Repeating is harmless. */
  close(id: string): number {
    const { seq, floor } = this.#sql.transaction(() => {
      const next = { seq: this.#seq, floor: this.#floor };
      const subjects = this.#sql.exec("DELETE FROM open WHERE id = ? RETURNING subject", id);
      for (const { subject } of subjects) {
        next.seq += 1;
        this.#sql.exec("INSERT OR REPLACE INTO fences VALUES (?, ?)", subject as string, next.seq);
      }
      if (subjects.length > 0) {
        next.floor = this.#compact(next.floor);
        this.#sql.exec(
          "UPDATE meta SET value = CASE name WHEN 'seq' THEN ?1 ELSE ?2 END WHERE name IN ('seq', 'floor')",
          String(next.seq),
          String(next.floor),
        );
      }
      return next;
    });
    // Memory follows storage, never the other way round.
    this.#seq = seq;
    this.#floor = floor;
    return seq;
  }

  /** Drops the oldest fences once there are too many; what they said, the new floor says of everything. */
  #compact(floor: number): number {
    const [{ n }] = this.#sql.exec("SELECT count(*) AS n FROM fences") as [{ n: number }];
    if (n <= this.#maxFences) return floor;
    const dropped = this.#sql.exec(
      "DELETE FROM fences WHERE subject IN (SELECT subject FROM fences ORDER BY seq LIMIT ?) RETURNING seq",
      n - Math.floor((this.#maxFences * 3) / 4),
    );
    return Math.max(...dropped.map((row) => row.seq as number));
  }

  /** Renews a lease and takes in uses, in one call. */
  sync({ since, uses }: SyncRequest, now: number): SyncReply {
    const [stored] = this.uses.store(uses === null ? [] : [uses], now);
    return this.#news(since, stored?.[1] ?? null);
  }

  /** The same for a relay, which brings the uses of many isolates. */
  syncRelay({ since, batches }: RelaySync, now: number): RelaySyncReply {
    const acknowledged = this.uses.store(batches, now);
    return { reply: this.#news(since, null), acknowledged };
  }

  #news(known: SyncRequest["since"], acknowledged: number | null): SyncReply {
    const since = known?.epoch === this.#epoch ? known.seq : null;
    const fences =
      since === this.#seq
        ? []
        : this.#sql.exec("SELECT subject, seq FROM fences WHERE seq > ? ORDER BY seq", since ?? -1);
    return {
      epoch: this.#epoch,
      seq: this.#seq,
      floor: this.#floor,
      since,
      fences: fences.map((row) => [row.subject as string, row.seq as number]),
      open: this.#sql.exec("SELECT DISTINCT subject FROM open").map((row) => row.subject as string),
      acknowledged,
    };
  }

  /** Changes open for so long that their Worker must be gone. */
  abandoned(now: number): string[] {
    return this.#sql
      .exec("SELECT DISTINCT id FROM open WHERE at <= ?", now - ABANDONED_AFTER)
      .map((row) => row.id as string);
  }

  /** Whether anything waits for the alarm. */
  hasWork(): boolean {
    return this.uses.dirty > 0 || this.#sql.exec("SELECT 1 FROM open LIMIT 1").length > 0;
  }
}
