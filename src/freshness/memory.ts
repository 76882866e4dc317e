/** A bounded map that forgets what has not been used for longest ("clock" replacement), by bytes. */
export class Memory<V> {
  readonly #entries = new Map<string, { value: V; bytes: number; used: boolean }>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): V | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** @param bytes what the value takes, roughly; something larger than the whole memory is not kept */
  set(name: string, value: V, bytes: number): void {
    this.delete(name);
    if (bytes > this.#maxBytes) return;
    // Room first: what is new must not make way for what was used before.
    while (this.#bytes + bytes > this.#maxBytes) this.#evict();
    this.#entries.set(name, { value, bytes, used: false });
    this.#bytes += bytes;
  }

  delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#bytes -= entry.bytes;
  }

  /** Drops the oldest entry that was not used since it was last passed over; the used go round once more. */
  #evict(): void {
    for (const [name, entry] of this.#entries) {
      if (!entry.used) {
        this.delete(name);
        return;
      }
      entry.used = false;
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
  }
}
