/** How long an address stays under suspicion after an unknown key, in ms. */
const SUSPICION = 60_000;
/** Addresses remembered; beyond it the oldest is let go. */
const MOST_ADDRESSES = 10_000;

/**
 * Who presented legacy-shaped keys that no one knows. Only such an address spends from the rate limit
 * before its next look-up, so that one with good keys is never limited, however many isolates it meets.
 */
export class UnknownKeys {
  readonly #until = new Map<string, number>();

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
}
