/** A promise of the architecture page was broken. */
export class Broken extends Error {
  override name = "Broken";
}

/** Asserts a promise of the architecture page. */
export function hold(condition: boolean, promise: string): void {
  if (!condition) throw new Broken(promise);
}
