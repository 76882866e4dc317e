import { abandonChange } from "../store/audit.ts";
import { within } from "../store/retry.ts";
import { forgetUsage, writeUses } from "../store/usage.ts";
import type { LedgerCore } from "./core.ts";
import type { RelaySync, RelaySyncReply, Subject, SyncReply, SyncRequest } from "./protocol.ts";

/** What a shard touches outside its storage. The Durable Object's is in ledger.ts; the model test has its own. */
export interface ShardWorld {
  /** Milliseconds. */
  now(): number;
  db: D1Database;
  /** Sets the one alarm, as durable as what was stored in the same turn. */
  setAlarm(at: number): void;
  report(error: unknown): void;
}

export interface ShardOptions {
  /** How often uses are written to D1, in ms. */
  flush: number;
  /** How long D1 keeps usage, in ms. */
  retention: number;
}

/** Rows of each sort in one flush; some 150 bytes each, against D1's 2 MB for one bound value. */
const FLUSH_ROWS = 5000;
/** What a flush may take of D1 before it waits for more uses: rows for each use since the last, and for each second. */
const ROWS_PER_USE = 0.002;
const ROWS_PER_SECOND = 10;
/** Isolates hand uses over about once a second: after so long without any, traffic has stopped. In ms. */
const QUIET = 2500;
const HOUR = 3_600_000;
/** By then isolates and relays have handed over the uses of the hour before, in ms. */
const EARLIEST_FLUSH = 60_000;
/** Shards take turns, so long after an hour's end at the latest, in ms. */
const LATEST_FLUSH = 15 * 60_000;
/** Longest wait for one call to D1, in ms: a batch that stalls is sent again, which changes nothing. */
const D1_PATIENCE = 10_000;
/** An alarm overdue for longer was lost: the platform gives one up after six failed runs. In ms. */
const LOST_AFTER = 60_000;
const DAY = 86_400_000;

/**
 * A ledger shard with its alarm, which writes uses to D1 and ends changes whose Worker died. Apart from the
 * alarm every method is synchronous, so that what it stores and the alarm it needs are stored as one.
 */
export class LedgerShard {
  readonly #core: LedgerCore;
  readonly #world: ShardWorld;
  readonly #options: ShardOptions;
  /** When the alarm is due; null when none is set, or it runs right now. */
  #alarmAt: number | null;
  /** How long after an hour's end its uses are written at the latest. */
  readonly #delay: number;
  #forgotAt: number | null = null;
  /** When uses were last written to D1, and how many had been stored by then. */
  #flushed: { at: number; total: number } | null = null;

  /** @param alarmAt the alarm that storage has when the object starts */
  constructor(core: LedgerCore, world: ShardWorld, options: ShardOptions, alarmAt: number | null) {
    this.#core = core;
    this.#world = world;
    this.#options = options;
    this.#alarmAt = alarmAt;
    this.#delay = EARLIEST_FLUSH + core.chance * (LATEST_FLUSH - EARLIEST_FLUSH);
    if (core.hasWork()) this.#arm();
  }

  open(id: string, subjects: readonly Subject[]): void {
    this.#core.open(id, subjects, this.#world.now());
    this.#arm();
  }

  /** @returns the shard's number after the change */
  close(id: string): number {
    return this.#core.close(id);
  }

  sync(request: SyncRequest): SyncReply {
    const reply = this.#core.sync(request, this.#world.now());
    if (request.uses !== null) this.#arm();
    return reply;
  }

  /** The same for a relay. */
  syncRelay(request: RelaySync): RelaySyncReply {
    const reply = this.#core.syncRelay(request, this.#world.now());
    if (request.batches.length > 0) this.#arm();
    return reply;
  }

  /** When a key was last used, in milliseconds; null when this shard does not remember. */
  lastUsed(keyId: string): number | null {
    return this.#core.uses.lastUsed(keyId);
  }

  /** Whether anything waits for the alarm. */
  hasWork(): boolean {
    return this.#core.hasWork();
  }

  /** Sees to it that an alarm is set. */
  #arm(): void {
    const now = this.#world.now();
    const at = this.#alarmAt;
    // One that is due is about to run: moving it would starve it for as long as there is traffic. One
    // that is further off than any was ever set is left over from a clock that ran back.
    if (at !== null && at > now - LOST_AFTER && at <= now + this.#options.flush) return;
    this.#setAlarm(now + this.#options.flush);
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at;
    this.#world.setAlarm(at);
  }

  /**
   * Ends abandoned changes and writes uses to D1. Never rejects for D1's sake, so that the platform's six
   * retries are not used up; re-arms only when something is left, one flush later: seldom enough for a D1
   * that refuses, and soon enough that it has every use within 15 s of its return (spec 9).
   */
  async alarm(): Promise<void> {
    this.#alarmAt = null;
    const done = await Promise.allSettled([this.#settle(), this.#flush()]);
    for (const each of done) if (each.status === "rejected") this.#world.report(each.reason);
    if (this.#core.hasWork()) this.#setAlarm(this.#world.now() + this.#options.flush);
  }

  /**
   * Ends the changes whose Worker must be gone. Only once D1 holds the id, so that a batch still on its
   * way can no longer commit, may its subjects be cached again.
   */
  async #settle(): Promise<void> {
    for (const id of this.#core.abandoned(this.#world.now())) {
      await within(abandonChange(this.#world.db, id, this.#world.now()), D1_PATIENCE);
      this.#core.close(id);
    }
  }

  /**
   * Writes uses to D1, if that is worth its price: rows are what D1 bills, and a key that is used all the
   * time is written once however long it waited. Once traffic stops, everything is written.
   */
  async #flush(): Promise<void> {
    const { uses } = this.#core;
    const { total } = uses;
    const began = this.#world.now();
    const isQuiet = uses.storedAt === null || Math.abs(began - uses.storedAt) >= QUIET;
    const last = this.#flushed;
    const waited = last === null ? this.#options.flush : began - last.at;
    const worth = (total - (last?.total ?? 0)) * ROWS_PER_USE + (waited / 1000) * ROWS_PER_SECOND;
    const isCheap = isQuiet || uses.dirty <= worth || waited < 0;
    const hour = began - (began % HOUR);
    const due = hour + this.#delay;
    if (!isCheap && (began < due || (last !== null && last.at >= due))) return;
    for (;;) {
      // Where rows are dear, an hour's counts are written once, when it is over.
      const flush = uses.take(FLUSH_ROWS, isCheap ? undefined : hour);
      if (flush.counts.length === 0 && flush.lastUsed.length === 0) break;
      await within(writeUses(this.#world.db, flush.counts, flush.lastUsed), D1_PATIENCE);
      uses.flushed(flush);
      if (flush.counts.length < FLUSH_ROWS && flush.lastUsed.length < FLUSH_ROWS) break;
    }
    this.#flushed = { at: began, total };
    const now = this.#world.now();
    uses.prune(now);
    if (this.#forgotAt === null || now - this.#forgotAt > DAY) {
      await within(forgetUsage(this.#world.db, now - this.#options.retention), D1_PATIENCE);
      this.#forgotAt = now;
    }
  }
}
