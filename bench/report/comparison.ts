import type { Section } from "./section.ts";
import { barChart } from "./svg.ts";
import { table, times } from "./table.ts";

interface Row {
  name: string;
  does: string;
  perSecond: number;
  cpu: number;
  p50: number;
  p99: number;
}

interface Comparison {
  rounds: number;
  requests: number;
  rows: Row[];
  skipped: { name: string; why: string }[];
}

/** Postern beside others, from one run. */
export function comparison({ rounds, requests, rows, skipped }: Comparison): Section {
  const ours = rows[0] as Row;
  const text = [
    `A POST of 1 KiB, each entrant in turn, ${rounds} rounds of up to ${requests} requests; medians. The
Workers run in workerd itself, straight to the origin. KV and D1 are those of the local simulator, inside the same
process: in production each look-up of theirs is a round trip that Postern does not make.`,
    table(
      [
        "entrant",
        "CPU time, over Postern's",
        "throughput, Postern's over its",
        "CPU µs",
        "p50 µs",
        "p99 µs",
        "does",
      ],
      rows.map((row) => [
        row.name,
        times(row.cpu / ours.cpu),
        times(ours.perSecond / row.perSecond),
        Math.round(row.cpu),
        row.p50,
        row.p99,
        row.does,
      ]),
    ),
    ...skipped.map(({ name, why }) => `Left out: ${name} (${why}).`),
    "![CPU time per request](images/performance-compare.svg)",
  ].join("\n\n");
  const bars = rows.map(({ name, cpu }) => ({
    label: name,
    value: Math.max(cpu, 1),
    text: `${Math.round(cpu)} µs`,
    ours: name === "Postern",
  }));
  return {
    text,
    plots: {
      "performance-compare.svg": barChart("CPU time per request (logarithmic)", bars, {
        logarithmic: true,
        from: 1,
      }),
    },
  };
}
