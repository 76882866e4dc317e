/**
 * `npm run bench`: Postern beside a Worker that only passes requests on, and beside one that only keeps the
 * rules on headers; in one workerd, with the same origin and load, in turn. Ratios are what counts.
 * Results go to `bench/results/hot-path.json`.
 */
import type { Outbound } from "./direct.ts";
import { type Effort, measure, type Row, setUp } from "./hot-path.ts";
import { startOrigin } from "./origin.ts";
import { writeResults } from "./results.ts";
import { measureSteps, type Step, stepSides } from "./steps.ts";

const effort: Effort = {
  rounds: Number(process.env.BENCH_ROUNDS ?? 5),
  requests: Number(process.env.BENCH_REQUESTS ?? 5000),
  connections: 16,
};

const origin = await startOrigin();
const bench = await setUp(origin.port);
try {
  const shapes = {} as Record<Outbound, Row[]>;
  for (const outbound of ["network", "miniflare"] as const) {
    const server = await bench.prepared.serve(bench.sides, outbound);
    try {
      shapes[outbound] = await measure(server, bench, effort);
    } finally {
      await server.stop();
    }
    print(outbound, shapes[outbound]);
  }
  const steps: Step[] = await pricedSteps();
  console.table(steps);
  writeResults("hot-path", "npm run bench", { effort, shapes, steps });
} finally {
  await bench.prepared.remove();
  origin.stop();
}

/** Each rule's price, the rules in one workerd of their own. */
async function pricedSteps(): Promise<Step[]> {
  const sides = [...bench.sides, ...stepSides(origin.port)];
  const server = await bench.prepared.serve(sides, "network");
  try {
    return await measureSteps(server, { ...bench, sides }, effort);
  } finally {
    await server.stop();
  }
}

function print(outbound: Outbound, rows: Row[]): void {
  console.log(
    outbound === "network"
      ? "Upstream requests straight to the network"
      : "Upstream requests through Miniflare's own Worker, as under `npm start`",
  );
  console.table(
    rows.flatMap((row) =>
      Object.entries(row.sides).map(([side, took]) => ({
        case: row.case,
        side,
        "CPU ratio": row.ratios[side]!.cpu,
        "instruction ratio": row.ratios[side]!.instructions,
        "throughput ratio": row.ratios[side]!.throughput,
        "CPU µs": took.cpu_us,
        "p50 µs": took.p50_us,
        "p99 µs": took.p99_us,
      })),
    ),
  );
}
