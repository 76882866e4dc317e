import { join } from "node:path";
import type { DirectServer, Side } from "./direct.ts";
import { type Bench, type Effort, measure } from "./hot-path.ts";

/** What each rule of spec 2.7 adds, in the order of `bench/floor`, whose `STEPS` counts them. */
const STEPS = [
  "the origin is asked; nothing of the client's is passed on",
  "the client's headers are read, three passed on, and seven added",
  '`cache: "no-store"`, so that no key gets what was cached for another',
  "the client's disconnect ends the request to the origin",
  "a timer, for the endpoint's timeout",
  "the response is copied, since the headers of what `fetch` gives cannot be changed",
  "the origin's header names are read, and five headers set",
] as const;

/** A gateway so far built, against the bare Worker. */
export interface Step {
  step: string;
  /** Machine instructions per request, the bare Worker's being 1; null where they cannot be counted. */
  instructions: number | null;
  /** The bare Worker's CPU time over this one's. */
  cpu: number;
}

/** The Workers that keep the first rules only. */
export const stepSides = (port: number): Side[] =>
  STEPS.map((_, step) => ({
    name: `steps ${step}`,
    entry: join(import.meta.dirname, "floor/src/index.ts"),
    vars: { ORIGIN: `http://127.0.0.1:${port}`, STEPS: String(step) },
  }));

/** Prices the rules, on a GET under a warm key: each row keeps one more than the one before; the last is Postern. */
export async function measureSteps(server: DirectServer, bench: Bench, effort: Effort): Promise<Step[]> {
  const [get] = bench.cases;
  const sides = bench.sides.filter(({ name }) => /^(?:bare|Postern|steps \d+)$/.test(name));
  const [row] = await measure(server, { ...bench, cases: get === undefined ? [] : [get], sides }, effort);
  if (row === undefined) throw new Error("there is no case to measure");
  const stepOf = (side: string, step: string): Step => {
    const { instructions, cpu } = row.ratios[side]!;
    return { step, instructions: instructions === null ? null : 1 / instructions, cpu };
  };
  return [
    stepOf("bare", "`fetch(request)`: the bare Worker"),
    ...STEPS.map((step, i) => stepOf(`steps ${i}`, step)),
    stepOf(
      "Postern",
      "the key is read, hashed and judged, the URL read and matched, the use counted: Postern",
    ),
  ];
}
