import { Stalled, within } from "../store/retry.ts";

/** Longest wait for the ledger or KV before the next tier is asked, in ms. */
const WAIT = 2000;
/** The same for one that has just not answered. More than a far round trip: it may be back. */
const LITTLE = 500;
/** For how long that is held against it, in ms. */
const GRUDGE = 10_000;

/**
 * How long an isolate's requests wait for what may hang instead of failing. Whatever let one of them wait in vain
 * is asked as before, so that nothing is decided on an answer that nobody asked for, but the next ones wait less.
 */
export class Patience {
  /** When each service was found not to answer, in ms. */
  readonly #stalled = new Map<string, number>();
  readonly #clock: () => number;

  /** @param clock the isolate's own, in ms */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * What a service answers.
   * @throws Stalled when it takes too long
   */
  async answerOf<T>(service: string, answer: Promise<T>): Promise<T> {
    const now = this.#clock();
    const since = this.#stalled.get(service);
    const isTried = since !== undefined && now >= since && now - since < GRUDGE;
    // The one that waits for long again does so alone.
    if (since !== undefined && !isTried) this.#stalled.set(service, now);
    try {
      const answered = await within(answer, isTried ? LITTLE : WAIT);
      this.#stalled.delete(service);
      return answered;
    } catch (error) {
      if (error instanceof Stalled && !isTried) this.#stalled.set(service, this.#clock());
      throw error;
    }
  }
}
