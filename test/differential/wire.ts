/** One HTTP request: what a client puts on the wire, or what arrives at an origin. */
export interface WireRequest {
  method: string;
  /** Path and query, as written. */
  target: string;
  /** Names and values in order, also twice. */
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer | null;
}

/** The values of a header, joined as `Headers.get` joins them; null when absent. */
export function headerOf(request: WireRequest, name: string): string | null {
  const values = request.headers.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? null : values.join(", ");
}

/** Everything after the `?`; empty when there is none. */
export const queryOf = ({ target }: WireRequest): string => {
  const at = target.indexOf("?");
  return at === -1 ? "" : target.slice(at + 1);
};

/** How often a property is tried, and from which seed, which the title of its test tells. */
export function effort(fallback: number): { numRuns: number; seed: number } {
  return {
    numRuns: Number(process.env.DIFFERENTIAL_RUNS ?? fallback),
    seed: Number(process.env.DIFFERENTIAL_SEED ?? Math.floor(Math.random() * 2 ** 31)),
  };
}
