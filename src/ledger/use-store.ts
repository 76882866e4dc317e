import type { Sql } from "./core.ts";
import type { Use, UseBatch } from "./protocol.ts";

const HOUR = 3_600_000;
/** Batch numbers are kept this long, well past the hour after which isolates and relays drop a batch, in ms. */
const NUMBERS_KEPT = 26 * HOUR;
/** Uses older than this count for the oldest hour that is still held: their isolate was cut off. In ms. */
const LATEST = 2 * HOUR;

/** How much of a shard's uses goes where. */
export interface UseBounds {
  /** The log is folded into pages when it has grown past this and past twice the pages' size, in characters. */
  log: number;
  /** Entries on one page, some 150 bytes each: a value may have 2 MB. */
  page: number;
}

export const USE_BOUNDS: UseBounds = { log: 1_000_000, page: 5000 };

const TABLES = [
  "CREATE TABLE IF NOT EXISTS use_log (n INTEGER PRIMARY KEY, body TEXT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS use_pages (n INTEGER PRIMARY KEY, body TEXT NOT NULL)",
];

/** Uses of one key on one endpoint in one hour. */
export interface Count {
  key_id: string;
  hour: number;
  endpoint_id: string;
  kind: string;
  count: number;
}

/** What a flush writes to D1: absolute values, so that writing them twice changes nothing. */
export interface Flush {
  counts: Count[];
  lastUsed: { key_id: string; last_used_at: number }[];
}

interface LogEntry {
  now: number;
  batches: UseBatch[];
}

interface Page {
  counts?: [count: Count, dirty: boolean][];
  lastUsed?: [key: string, at: number, dirty: boolean][];
  isolates?: [id: string, number: number, seenAt: number][];
}

/**
 * The uses of a shard: totals in memory, and in storage a log of the batches that they are made of. Storage
 * is billed by the row, and a batch, or a relay's load of them, is one row however many uses it has. From
 * time to time the log is folded into pages of thousands of totals.
 */
export class UseStore {
  readonly #sql: Sql;
  readonly #bounds: UseBounds;
  readonly #counts = new Map<string, Count>();
  readonly #lastUsed = new Map<string, number>();
  readonly #isolates = new Map<string, { number: number; seenAt: number }>();
  /** What D1 does not have yet, oldest first. */
  readonly #dirtyCounts = new Set<string>();
  readonly #dirtyLastUsed = new Set<string>();
  #logSize = 0;
  #pagesSize = 0;
  /** Requests whose uses were stored since the start. */
  #total = 0;
  #storedAt: number | null = null;

  constructor(sql: Sql, bounds: UseBounds) {
    this.#sql = sql;
    this.#bounds = bounds;
    for (const table of TABLES) sql.exec(table);
    for (const { body } of sql.exec("SELECT body FROM use_pages ORDER BY n")) this.#load(String(body));
    for (const { body } of sql.exec("SELECT body FROM use_log ORDER BY n")) {
      const { now, batches } = JSON.parse(String(body)) as LogEntry;
      for (const batch of batches) this.#apply(batch, now);
      this.#logSize += String(body).length;
    }
    this.#total = 0;
  }

  /** Requests whose uses were stored since the object started. */
  get total(): number {
    return this.#total;
  }

  /** When uses were last stored, since the object started. */
  get storedAt(): number | null {
    return this.#storedAt;
  }

  /** Rows that D1 does not have yet. */
  get dirty(): number {
    return this.#dirtyCounts.size + this.#dirtyLastUsed.size;
  }

  /**
   * Stores each batch unless its number, or a later one of its isolate, is stored already.
   * @returns for each batch, its isolate and the number of the latest batch stored for that
   */
  store(batches: readonly UseBatch[], now: number): [isolate: string, number: number][] {
    const fresh = batches.filter(
      ({ isolate, number }) => (this.#isolates.get(isolate)?.number ?? 0) < number,
    );
    if (fresh.length > 0) {
      const body = JSON.stringify({ now, batches: fresh } satisfies LogEntry);
      this.#sql.exec("INSERT INTO use_log (body) VALUES (?)", body);
      // Memory follows storage, never the other way round.
      this.#logSize += body.length;
      for (const batch of fresh) this.#apply(batch, now);
      this.#storedAt = now;
      if (this.#logSize > Math.max(this.#bounds.log, 2 * this.#pagesSize)) this.#fold();
    }
    return batches.map(({ isolate, number }) => [isolate, this.#isolates.get(isolate)?.number ?? number]);
  }

  /** When a key was last used, in milliseconds, as far as this shard still remembers. */
  lastUsed(keyId: string): number | null {
    return this.#lastUsed.get(keyId) ?? null;
  }

  /**
   * Up to `limit` rows of each sort that D1 does not have yet, oldest first.
   * @param before counts of hours that begin at this time or later are left for another flush
   */
  take(limit: number, before = Number.POSITIVE_INFINITY): Flush {
    const counts: Count[] = [];
    for (const name of this.#dirtyCounts) {
      if (counts.length === limit) break;
      const count = this.#counts.get(name) as Count;
      if (count.hour < before) counts.push({ ...count });
    }
    const lastUsed: Flush["lastUsed"] = [];
    for (const key_id of this.#dirtyLastUsed) {
      if (lastUsed.length === limit) break;
      lastUsed.push({ key_id, last_used_at: this.#lastUsed.get(key_id) as number });
    }
    return { counts, lastUsed };
  }

  /** D1 has what `take` gave. What changed since then stays dirty. Not stored: writing it again does no harm. */
  flushed({ counts, lastUsed }: Flush): void {
    for (const row of counts) {
      const name = nameOf(row);
      this.#dirtyCounts.delete(name);
      if (this.#counts.get(name)?.count !== row.count) this.#dirtyCounts.add(name);
    }
    for (const { key_id, last_used_at } of lastUsed) {
      this.#dirtyLastUsed.delete(key_id);
      if (this.#lastUsed.get(key_id) !== last_used_at) this.#dirtyLastUsed.add(key_id);
    }
  }

  /** Forgets what D1 has and no late batch can touch any more; storage follows at the next folding. */
  prune(now: number): void {
    for (const [name, { hour }] of this.#counts) {
      if (hour + HOUR < now - LATEST && !this.#dirtyCounts.has(name)) this.#counts.delete(name);
    }
    for (const [key, at] of this.#lastUsed) {
      if (at < now - LATEST && !this.#dirtyLastUsed.has(key)) this.#lastUsed.delete(key);
    }
    for (const [id, { seenAt }] of this.#isolates) {
      if (seenAt < now - NUMBERS_KEPT) this.#isolates.delete(id);
    }
  }

  #apply({ isolate, number, uses }: UseBatch, now: number): void {
    for (const use of uses) this.#add(use, now);
    this.#isolates.set(isolate, { number, seenAt: now });
  }

  #add(use: Use, now: number): void {
    // An isolate's clock may be off: no use lies in the future, none in an hour that is no longer held.
    const at = Math.max(Math.min(use.hour, now), now - LATEST);
    const { key_id, endpoint_id, kind, count, last_used_at } = use;
    const row = { key_id, hour: at - (at % HOUR), endpoint_id, kind, count };
    const name = nameOf(row);
    const there = this.#counts.get(name);
    if (there === undefined) this.#counts.set(name, row);
    else there.count += count;
    this.#dirtyCounts.add(name);
    this.#total += count;
    const used = last_used_at === null ? null : Math.min(last_used_at, now);
    if (used === null || used <= (this.#lastUsed.get(key_id) ?? Number.NEGATIVE_INFINITY)) return;
    this.#lastUsed.set(key_id, used);
    this.#dirtyLastUsed.add(key_id);
  }

  /** Writes the totals to pages, and drops the log that they are made of. */
  #fold(): void {
    const { page } = this.#bounds;
    const pages: Page[] = [
      ...pieces([...this.#isolates], page).map((piece) => ({
        isolates: piece.map(([id, { number, seenAt }]): [string, number, number] => [id, number, seenAt]),
      })),
      ...pieces([...this.#counts], page).map((piece) => ({
        counts: piece.map(([name, count]): [Count, boolean] => [count, this.#dirtyCounts.has(name)]),
      })),
      ...pieces([...this.#lastUsed], page).map((piece) => ({
        lastUsed: piece.map(([key, at]): [string, number, boolean] => [
          key,
          at,
          this.#dirtyLastUsed.has(key),
        ]),
      })),
    ];
    const bodies = pages.map((page) => JSON.stringify(page));
    this.#sql.transaction(() => {
      this.#sql.exec("DELETE FROM use_log");
      this.#sql.exec("DELETE FROM use_pages");
      for (const body of bodies) this.#sql.exec("INSERT INTO use_pages (body) VALUES (?)", body);
    });
    this.#logSize = 0;
    this.#pagesSize = bodies.reduce((size, body) => size + body.length, 0);
  }

  #load(body: string): void {
    const { counts = [], lastUsed = [], isolates = [] } = JSON.parse(body) as Page;
    for (const [count, dirty] of counts) {
      this.#counts.set(nameOf(count), count);
      if (dirty) this.#dirtyCounts.add(nameOf(count));
    }
    for (const [key, at, dirty] of lastUsed) {
      this.#lastUsed.set(key, at);
      if (dirty) this.#dirtyLastUsed.add(key);
    }
    for (const [id, number, seenAt] of isolates) this.#isolates.set(id, { number, seenAt });
    this.#pagesSize += body.length;
  }
}

const nameOf = ({ key_id, hour, endpoint_id, kind }: Count) => `${key_id}\n${hour}\n${endpoint_id}\n${kind}`;

function pieces<T>(list: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, i) =>
    list.slice(i * most, (i + 1) * most),
  );
}
