import type { Section } from "./section.ts";
import { barChart } from "./svg.ts";
import { percent, table } from "./table.ts";

interface Side {
  cpu_us: number;
  per_second: number;
  p50_us: number;
  p99_us: number;
}

interface Case {
  case: string;
  sides: Record<string, Side>;
  ratios: Record<string, { cpu: number; instructions?: number; throughput: number }>;
  added_us: { p50: number; p99: number };
}

interface Step {
  step: string;
  instructions: number | null;
  cpu: number;
}

interface HotPath {
  effort: { rounds: number; requests: number; connections: number };
  shapes: Record<string, Case[]>;
  steps?: Step[];
}

const SHAPES: Record<string, string> = {
  network: "workerd straight to the origin",
  miniflare: "Through Miniflare's outbound hop, as `npm start` serves",
};

/** Postern beside a bare pass-through Worker, in the same workerd. */
export function hotPath({ effort, shapes, steps }: HotPath): Section {
  const parts: string[] = [
    `The limit is a Worker that is \`fetch(request)\` and nothing else, in the same workerd, with the same origin
and load, in turn. Ratios are the bare Worker's CPU time over Postern's, and Postern's throughput over the bare
Worker's: 1 is "no gateway at all". ${effort.rounds} rounds of ${effort.requests} requests over ${effort.connections} connections; medians.`,
  ];
  for (const [shape, cases] of Object.entries(shapes)) {
    parts.push(
      `### ${SHAPES[shape] ?? shape}`,
      table(
        [
          ...["case", "CPU ratio", "instructions ratio", "headers only, CPU ratio", "throughput ratio"],
          ...["CPU µs", "bare, µs", "p50 added, µs", "p99 added, µs"],
        ],
        cases.map(({ case: name, sides, ratios, added_us }) => [
          name,
          ratios.Postern?.cpu.toFixed(2) ?? "",
          ratios.Postern?.instructions?.toFixed(2) ?? "–",
          ratios["headers only"]?.cpu.toFixed(2) ?? "–",
          ratios.Postern?.throughput.toFixed(2) ?? "",
          Math.round(sides.Postern?.cpu_us ?? 0),
          Math.round(sides.bare?.cpu_us ?? 0),
          added_us.p50,
          added_us.p99,
        ]),
      ),
    );
  }
  if (steps !== undefined) parts.push(...pricesOf(steps));
  const [shape, cases = []] = Object.entries(shapes)[0] ?? [];
  if (shape === undefined) return { text: parts.join("\n\n"), plots: {} };
  parts.push("![CPU ratios](images/performance-hot-path.svg)");
  return {
    text: parts.join("\n\n"),
    plots: {
      "performance-hot-path.svg": barChart(
        `CPU ratio against a bare Worker (${shape})`,
        cases.map(({ case: label, ratios }) => {
          const value = ratios.Postern?.cpu ?? 0;
          return { label, value, text: value.toFixed(2), ours: true };
        }),
        { line: { value: 1, text: "no gateway at all" } },
      ),
    },
  };
}

/** The rules of spec 2.7, each on top of those before. */
function pricesOf(steps: Step[]): string[] {
  const rows = steps.map(({ step, instructions, cpu }, i) => {
    const before = steps[i - 1]?.instructions ?? null;
    // The bare Worker passes the client's headers on; the first step does not: there is nothing to subtract.
    const adds = i < 2 || instructions === null || before === null ? "" : percent(instructions - before);
    return [step, instructions?.toFixed(2) ?? "–", adds, cpu.toFixed(2)];
  });
  return [
    "### What each rule costs",
    `A GET under a warm key, straight to the origin. Each Worker keeps one rule more than the one above it; only the
last is Postern. Instructions are counted against the bare Worker's; what a rule adds is in hundredths of a bare
request.`,
    table(["Worker", "instructions, over the bare Worker's", "adds", "CPU ratio"], rows),
  ];
}
