import type { UseBatch } from "./protocol.ts";

/** Uses that wait for one shard; beyond it batches are left to their isolates, which send them again. */
const MOST_USES = 50_000;
/** Uses in one call to a shard, which stores them as one row: 220 bytes each at most, and a row may have 2 MB. */
const USES_IN_CALL = 5000;
/** Uses wait this long for more, unless they are many: what shards store is billed by the call. In ms. */
const HOLD = 2000;
/** Isolates whose acknowledged number is remembered; what is forgotten, the shard says again. */
const MOST_ISOLATES = 10_000;
/** Isolates give a batch up after an hour, and the shard forgets numbers after a day. In ms. */
const KEPT = 3_600_000;

/**
 * Batches of uses on their way through a relay to one shard. Nothing here is durable: a batch is
 * acknowledged to its isolate only once the shard has stored it, and until then its isolate sends it again.
 */
export class RelayedUses {
  readonly #waiting = new Map<string, { batch: UseBatch; at: number }>();
  readonly #acknowledged = new Map<string, number>();
  #uses = 0;
  #sentAt = Number.NEGATIVE_INFINITY;

  /** Takes in a batch, unless the shard has it or it waits already. */
  add(batch: UseBatch, now: number): void {
    const acknowledged = this.#acknowledged.get(batch.isolate);
    const waiting = this.#waiting.get(batch.isolate)?.batch.number;
    if (Math.max(acknowledged ?? 0, waiting ?? 0) >= batch.number) return;
    this.#drop(batch.isolate);
    if (this.#uses + batch.uses.length > MOST_USES) return;
    this.#waiting.set(batch.isolate, { batch, at: now });
    this.#uses += batch.uses.length;
  }

  /** The batches to send now: those that wait for longest. */
  next(now: number): UseBatch[] {
    const waited = now - this.#sentAt;
    if (this.#uses < USES_IN_CALL && waited >= 0 && waited < HOLD) return [];
    const batches: UseBatch[] = [];
    let uses = 0;
    for (const [isolate, { batch, at }] of this.#waiting) {
      if (now - at > KEPT) {
        this.#drop(isolate);
        continue;
      }
      uses += batch.uses.length;
      if (batches.length > 0 && uses > USES_IN_CALL) break;
      batches.push(batch);
    }
    if (batches.length > 0) this.#sentAt = now;
    return batches;
  }

  /** The shard has stored every batch of that isolate up to `number`. */
  stored(isolate: string, number: number): void {
    const waiting = this.#waiting.get(isolate)?.batch.number;
    if (waiting !== undefined && waiting <= number) this.#drop(isolate);
    this.#acknowledged.delete(isolate);
    this.#acknowledged.set(isolate, number);
    if (this.#acknowledged.size > MOST_ISOLATES) {
      const oldest = this.#acknowledged.keys().next();
      if (!oldest.done) this.#acknowledged.delete(oldest.value);
    }
  }

  /** Number of the latest batch known to be stored for an isolate; null when none is. */
  acknowledged(isolate: string): number | null {
    return this.#acknowledged.get(isolate) ?? null;
  }

  #drop(isolate: string): void {
    const waiting = this.#waiting.get(isolate);
    if (waiting === undefined) return;
    this.#waiting.delete(isolate);
    this.#uses -= waiting.batch.uses.length;
  }
}
