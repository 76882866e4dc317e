/** A clock that goes on only when told, in whole milliseconds. */
export class Clock {
  now: number;
  readonly #due = new Map<number, (() => void)[]>();
  /** Whether something happened since the last `settle` that promises may follow from. */
  #busy = false;

  /** @param minutes after a full hour at which it begins */
  constructor(minutes = 10) {
    this.now = Date.UTC(2026, 0, 1, 0, minutes);
  }

  /** Has `run` happen in `ms` milliseconds. */
  after(ms: number, run: () => void): void {
    const at = this.now + Math.max(1, Math.round(ms));
    const list = this.#due.get(at);
    if (list === undefined) this.#due.set(at, [run]);
    else list.push(run);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** A call that takes `ms` there and as long back. */
  async call<T>(ms: number, execute: () => T | Promise<T>): Promise<T> {
    await this.wait(ms);
    const result = await execute();
    await this.wait(ms);
    return result;
  }

  /** Something happened: promises may follow from it. */
  touch(): void {
    this.#busy = true;
  }

  /** One millisecond passes. Every promise that can settle has, when the result does. */
  async tick(): Promise<void> {
    this.now += 1;
    const due = this.#due.get(this.now);
    if (due !== undefined) {
      this.#due.delete(this.now);
      this.#busy = true;
      for (const run of due) run();
    }
    await this.settle();
  }

  async settle(): Promise<void> {
    if (!this.#busy) return;
    this.#busy = false;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
