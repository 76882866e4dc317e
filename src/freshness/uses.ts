import type { Use, UseBatch } from "../ledger/protocol.ts";

/** Different uses in one batch; more wait for the next. */
const MAX_BATCH = 1000;
/** Different uses that wait for one shard; beyond it (a ledger away for long) the oldest are dropped. */
const MAX_WAITING = 20_000;
/** A batch not acknowledged by now is given up: the shard forgets batch numbers after a day. In ms. */
const GIVE_UP_AFTER = 3_600_000;
/** A batch whose request died unanswered is sent again after this long, in ms. */
const RESEND_AFTER = 10_000;

interface Waiting {
  uses: Map<string, Use>;
  number: number;
  /** The one batch under way. */
  sent: { batch: UseBatch; firstAt: number; lastAt: number } | null;
}

/** Gathers uses per shard until a sync takes them along. One batch at a time, retried unchanged. */
export class Uses {
  readonly #isolate: string;
  readonly #shards = new Map<number, Waiting>();

  /** @param isolate a random id, never used before */
  constructor(isolate: string) {
    this.#isolate = isolate;
  }

  /** Counts one use. It joins those of the same key, endpoint, hour and kind. */
  add(shard: number, use: Use): void {
    const waiting = this.#waiting(shard);
    const name = `${use.key_id}\n${use.endpoint_id}\n${use.hour}\n${use.kind}`;
    const same = waiting.uses.get(name);
    if (same === undefined) {
      if (waiting.uses.size >= MAX_WAITING) {
        const oldest = waiting.uses.keys().next();
        if (!oldest.done) waiting.uses.delete(oldest.value);
      }
      waiting.uses.set(name, use);
      return;
    }
    same.count += use.count;
    if (use.last_used_at !== null) same.last_used_at = Math.max(use.last_used_at, same.last_used_at ?? 0);
  }

  /** Shards that uses wait for. */
  pending(): number[] {
    return [...this.#shards]
      .filter(([, { uses, sent }]) => uses.size > 0 || sent !== null)
      .map(([shard]) => shard);
  }

  /** The batch to send now: the unanswered one again, or a new one, or none. */
  take(shard: number, now: number): UseBatch | null {
    const waiting = this.#waiting(shard);
    if (waiting.sent !== null && now - waiting.sent.firstAt > GIVE_UP_AFTER) waiting.sent = null;
    if (waiting.sent !== null) {
      // A clock that ran back must not hold the batch up.
      const elapsed = now - waiting.sent.lastAt;
      if (elapsed >= 0 && elapsed < RESEND_AFTER) return null;
      waiting.sent.lastAt = now;
      return waiting.sent.batch;
    }
    if (waiting.uses.size === 0) return null;
    const uses: Use[] = [];
    for (const [name, use] of waiting.uses) {
      if (uses.length === MAX_BATCH) break;
      uses.push(use);
      waiting.uses.delete(name);
    }
    waiting.number += 1;
    const batch = { isolate: this.#isolate, number: waiting.number, uses };
    waiting.sent = { batch, firstAt: now, lastAt: now };
    return batch;
  }

  /** The shard has stored every batch up to `number`. */
  acknowledge(shard: number, number: number | null): void {
    const waiting = this.#waiting(shard);
    if (number !== null && waiting.sent !== null && number >= waiting.sent.batch.number) waiting.sent = null;
  }

  /** A sync that carried a batch failed: the next one repeats it. */
  failed(shard: number, number: number): void {
    const { sent } = this.#waiting(shard);
    if (sent?.batch.number === number) sent.lastAt = Number.NEGATIVE_INFINITY;
  }

  #waiting(shard: number): Waiting {
    let waiting = this.#shards.get(shard);
    if (waiting === undefined) {
      waiting = { uses: new Map(), number: 0, sent: null };
      this.#shards.set(shard, waiting);
    }
    return waiting;
  }
}
