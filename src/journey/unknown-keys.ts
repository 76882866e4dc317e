/** How long an address stays under suspicion after an unknown key, in ms. */
const SUSPICION = 60_000;
/** Addresses remembered; beyond it the oldest is let go. */
const MOST_ADDRESSES = 10_000;
/** Look-ups that an isolate may have spent on unknown keys in one go, whoever asked for them. */
const MOST_LOOKUPS = 600;
/** How many of them come back, each second. */
const LOOKUPS_PER_SECOND = 10;

/**
 * Who presented legacy-shaped keys that no one knows, and how much I/O that has cost. Only such an address
 * spends from the rate limit before its next look-up, so that one with good keys is never limited, however
 * many isolates it meets. Against many addresses at once there is a bound for all of them together: past it
 * an isolate looks up no legacy key that it does not know, until time has passed.
 */
export class UnknownKeys {
  readonly #until = new Map<string, number>();
  #lookups = MOST_LOOKUPS;
  #countedAt = 0;

  /** Notes an unknown key. */
  note(address: string, now: number): void {
    this.#until.delete(address);
    if (this.#until.size >= MOST_ADDRESSES) {
      const oldest = this.#until.keys().next();
      if (!oldest.done) this.#until.delete(oldest.value);
    }
    this.#until.set(address, now + SUSPICION);
  }

  /** Whether the address must spend from its limit. */
  suspects(address: string, now: number): boolean {
    const until = this.#until.get(address);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(address);
    return false;
  }

  /** Spends one look-up of those that all addresses share; false when none is left. */
  spendLookup(now: number): boolean {
    const passed = Math.max(0, now - this.#countedAt);
    this.#lookups = Math.min(MOST_LOOKUPS, this.#lookups + (passed / 1000) * LOOKUPS_PER_SECOND);
    this.#countedAt = Math.max(now, this.#countedAt);
    if (this.#lookups < 1) return false;
    this.#lookups -= 1;
    return true;
  }

  /** Gives a look-up back: it found a key, or took none. */
  returnLookup(): void {
    this.#lookups = Math.min(MOST_LOOKUPS, this.#lookups + 1);
  }
}
