/** A random source of its own, so that a run can be repeated (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws from a list of items by weight. */
export class Weighted {
  readonly #items: Int32Array;
  readonly #sums: Float64Array;

  /** @param weights of the items, in the same order */
  constructor(items: readonly number[], weights: readonly number[]) {
    this.#items = Int32Array.from(items);
    this.#sums = new Float64Array(items.length);
    let sum = 0;
    for (const [i, weight] of weights.entries()) {
      sum += weight;
      this.#sums[i] = sum;
    }
  }

  get total(): number {
    return this.#sums.at(-1) ?? 0;
  }

  /** @param random between 0 and 1 */
  draw(random: number): number {
    const at = random * this.total;
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sums[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#items[low] as number;
  }
}
