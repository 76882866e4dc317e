import type {
  RelaySync,
  RelaySyncReply,
  Subject,
  SyncReply,
  SyncRequest,
  Use,
  UseBatch,
} from "./protocol.ts";

/** Synchronous SQLite, as a Durable Object and Node both have it. */
export interface Sql {
  exec(statement: string, ...bindings: (string | number | null)[]): Record<string, unknown>[];
  transaction<T>(body: () => T): T;
}

/** Fences kept before the oldest are dropped and the floor rises: some 40 KiB for a cold isolate. */
const MAX_FENCES = 1024;
/** A change open for longer is taken for abandoned: its Worker has died or lost the ledger, in ms. */
const ABANDONED_AFTER = 30_000;
const HOUR = 3_600_000;
/** Counts and batch numbers are kept this long, well past the hour after which isolates drop a batch. */
const KEPT = 26 * HOUR;

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fences (subject TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS fences_by_seq ON fences (seq);
  CREATE TABLE IF NOT EXISTS open (
    id TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (id, subject)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS isolates (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, seen_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counts (
    key_id TEXT NOT NULL, hour INTEGER NOT NULL, endpoint_id TEXT NOT NULL, kind TEXT NOT NULL,
    count INTEGER NOT NULL, dirty INTEGER NOT NULL, PRIMARY KEY (key_id, hour, endpoint_id, kind)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS counts_dirty ON counts (dirty) WHERE dirty > 0;
  CREATE TABLE IF NOT EXISTS last_used (
    key_id TEXT PRIMARY KEY, at INTEGER NOT NULL, dirty INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS last_used_dirty ON last_used (dirty) WHERE dirty > 0;
`;

/** What a flush writes to D1: absolute values, so that writing them twice changes nothing. */
export interface Flush {
  counts: { key_id: string; hour: number; endpoint_id: string; kind: string; count: number }[];
  lastUsed: { key_id: string; last_used_at: number }[];
  /** Rows with a higher mark were touched after the flush was taken and stay dirty. */
  mark: number;
}

/**
 * A ledger shard without its platform: numbers changes, keeps fences, stores uses. Every method is one
 * synchronous transaction; nothing a caller is told is less durable than storage.
 */
export class LedgerCore {
  readonly #sql: Sql;
  readonly #maxFences: number;
  readonly #epoch: string;
  #seq: number;
  #floor: number;
  #mark: number;

  /** @param newEpoch draws a random epoch; what it gives is kept once in a shard's life */
  constructor(sql: Sql, newEpoch: () => string, maxFences = MAX_FENCES) {
    this.#sql = sql;
    this.#maxFences = maxFences;
    for (const statement of TABLES.split(";")) if (statement.trim() !== "") sql.exec(statement);
    sql.exec("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('seq', '0'), ('floor', '0')", newEpoch());
    const meta = new Map(
      sql.exec("SELECT name, value FROM meta").map((row) => [row.name, String(row.value)]),
    );
    this.#epoch = meta.get("epoch") as string;
    this.#seq = Number(meta.get("seq"));
    this.#floor = Number(meta.get("floor"));
    this.#mark = Number(
      sql.exec(
        "SELECT max((SELECT coalesce(max(dirty), 0) FROM counts), (SELECT coalesce(max(dirty), 0) FROM last_used)) AS mark",
      )[0]?.mark,
    );
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
      let next = { seq: this.#seq, floor: this.#floor };
      const subjects = this.#sql.exec("DELETE FROM open WHERE id = ? RETURNING subject", id);
      for (const { subject } of subjects) {
        next.seq += 1;
        this.#sql.exec("INSERT OR REPLACE INTO fences VALUES (?, ?)", subject as string, next.seq);
      }
      if (subjects.length > 0) {
        next = { seq: next.seq, floor: this.#compact(next.floor) };
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

  /** Drops the oldest fences once there are too many; what they said, the floor now says of everything. */
  #compact(floor: number): number {
    const [{ n }] = this.#sql.exec("SELECT count(*) AS n FROM fences") as [{ n: number }];
    if (n <= this.#maxFences) return floor;
    const dropped = this.#sql.exec(
      "DELETE FROM fences WHERE subject IN (SELECT subject FROM fences ORDER BY seq LIMIT ?) RETURNING seq",
      n - Math.floor((this.#maxFences * 3) / 4),
    );
    return Math.max(floor, ...dropped.map((row) => row.seq as number));
  }

  /** Renews a lease and takes in uses, in one call. */
  sync(request: SyncRequest, now: number): SyncReply {
    const acknowledged = request.uses === null ? null : this.#store(request.uses, now);
    const known = request.since;
    const since = known !== null && known.epoch === this.#epoch && known.seq <= this.#seq ? known.seq : null;
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

  /** The same for a relay, which brings the uses of many isolates. */
  syncRelay({ since, batches }: RelaySync, now: number): RelaySyncReply {
    const acknowledged = batches.map((batch): [string, number] => [batch.isolate, this.#store(batch, now)]);
    return { reply: this.sync({ since, uses: null }, now), acknowledged };
  }

  /** Stores a batch unless its number, or a later one, is stored already. */
  #store(batch: UseBatch, now: number): number {
    return this.#sql.transaction(() => {
      const [seen] = this.#sql.exec("SELECT number FROM isolates WHERE id = ?", batch.isolate);
      if (seen !== undefined && (seen.number as number) >= batch.number) return seen.number as number;
      this.#mark += 1;
      for (const use of batch.uses) this.#add(use, now);
      this.#sql.exec("INSERT OR REPLACE INTO isolates VALUES (?, ?, ?)", batch.isolate, batch.number, now);
      return batch.number;
    });
  }

  #add(use: Use, now: number): void {
    // An isolate's clock may be off: no use lies in the future, none so far back that its row is gone.
    const hour = Math.max(Math.min(use.hour, now), now - KEPT + 2 * HOUR);
    this.#sql.exec(
      `INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count, dirty = excluded.dirty`,
      use.key_id,
      hour - (hour % HOUR),
      use.endpoint_id,
      use.kind,
      use.count,
      this.#mark,
    );
    if (use.last_used_at === null) return;
    this.#sql.exec(
      `INSERT INTO last_used VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET at = excluded.at, dirty = excluded.dirty WHERE excluded.at > at`,
      use.key_id,
      Math.min(use.last_used_at, now),
      this.#mark,
    );
  }

  /** When a key was last used, in milliseconds, as far as this shard still remembers. */
  lastUsed(keyId: string): number | null {
    const [row] = this.#sql.exec("SELECT at FROM last_used WHERE key_id = ?", keyId);
    return row === undefined ? null : (row.at as number);
  }

  /** Up to `limit` rows of each sort that D1 does not have yet, oldest first. */
  takeFlush(limit: number): Flush {
    const counts = this.#sql.exec(
      `SELECT key_id, hour, endpoint_id, kind, count, dirty FROM counts
       WHERE dirty > 0 ORDER BY dirty LIMIT ?`,
      limit,
    );
    const lastUsed = this.#sql.exec(
      "SELECT key_id, at AS last_used_at, dirty FROM last_used WHERE dirty > 0 ORDER BY dirty LIMIT ?",
      limit,
    );
    return { counts, lastUsed, mark: this.#mark } as unknown as Flush;
  }

  /** D1 has what `takeFlush` gave. What changed since then stays dirty. */
  flushed({ counts, lastUsed, mark }: Flush): void {
    this.#sql.transaction(() => {
      for (const row of counts) {
        this.#sql.exec(
          `UPDATE counts SET dirty = 0
           WHERE key_id = ? AND hour = ? AND endpoint_id = ? AND kind = ? AND dirty <= ?`,
          row.key_id,
          row.hour,
          row.endpoint_id,
          row.kind,
          mark,
        );
      }
      for (const row of lastUsed) {
        this.#sql.exec("UPDATE last_used SET dirty = 0 WHERE key_id = ? AND dirty <= ?", row.key_id, mark);
      }
    });
  }

  /** Forgets what D1 has and no late batch can touch any more. */
  prune(now: number): void {
    this.#sql.exec("DELETE FROM counts WHERE dirty = 0 AND hour < ?", now - KEPT);
    this.#sql.exec("DELETE FROM last_used WHERE dirty = 0 AND at < ?", now - KEPT);
    this.#sql.exec("DELETE FROM isolates WHERE seen_at < ?", now - KEPT);
  }

  /** Changes open for so long that their Worker must be gone. */
  abandoned(now: number): string[] {
    return this.#sql
      .exec("SELECT DISTINCT id FROM open WHERE at <= ?", now - ABANDONED_AFTER)
      .map((row) => row.id as string);
  }

  /** Whether anything waits for the alarm. */
  hasWork(): boolean {
    const [row] = this.#sql.exec(
      `SELECT EXISTS (SELECT 1 FROM open) OR EXISTS (SELECT 1 FROM counts WHERE dirty > 0)
         OR EXISTS (SELECT 1 FROM last_used WHERE dirty > 0) AS work`,
    );
    return row?.work === 1;
  }
}
