import type { Section } from "./section.ts";
import { barChart } from "./svg.ts";
import { table, times, whole } from "./table.ts";

interface Growth {
  inD1: { keys: number; rowsReadPerColdLookUp: number; coldCpu: number; warmCpu: number }[];
  inMemory: { keys: number; warmCpu: number; workerdMiB: number }[];
  endpoints: { endpoints: number; rowsReadAbove: number; rowsReadOwn: number; warmCpu: number }[];
  flush: { rowsForNew: number; rowsForKnown: number };
  coldStart: {
    bundleGzipKiB: number;
    minifiedGzipKiB: number;
    bundleKiB: number;
    bareGzipKiB: number;
    firstRequestCalls: { kv: number; d1: number; ledger: number };
  };
}

/** Cost against the number of keys and endpoints, and of a start. */
export function growth({ inD1, inMemory, endpoints, coldStart }: Growth): Section {
  const least = inD1[0];
  const calls = coldStart.firstRequestCalls;
  const text = [
    `### Keys in D1`,
    table(
      [
        "keys",
        "warm, against the fewest",
        "cold, against the fewest",
        "warm CPU µs",
        "cold CPU µs",
        "rows read per cold look-up",
      ],
      inD1.map((row) => [
        whole(row.keys),
        times(row.warmCpu / (least?.warmCpu ?? 1)),
        times(row.coldCpu / (least?.coldCpu ?? 1)),
        Math.round(row.warmCpu),
        Math.round(row.coldCpu),
        row.rowsReadPerColdLookUp,
      ]),
    ),
    `A cold look-up here runs D1 itself (SQLite) in the process that is measured.`,
    `### Distinct warm keys in one isolate`,
    table(
      ["keys", "warm CPU µs", "memory of workerd, MiB"],
      inMemory.map((row) => [whole(row.keys), Math.round(row.warmCpu), Math.round(row.workerdMiB)]),
    ),
    `Memory is that of the whole local process, with SQLite and everything else the simulator keeps; it does not
give back what cold look-ups took.`,
    `### Endpoints`,
    table(
      ["endpoints", "warm CPU µs", "rows read for the node above", "rows read for its own node"],
      endpoints.map((row) => [
        whole(row.endpoints),
        Math.round(row.warmCpu),
        row.rowsReadAbove,
        row.rowsReadOwn,
      ]),
    ),
    `### Cold start`,
    table(
      ["what", "how much"],
      [
        [
          "bundle, gzipped",
          `${coldStart.bundleGzipKiB.toFixed(0)} KiB (${coldStart.minifiedGzipKiB.toFixed(0)} KiB minified)`,
        ],
        ["bare Worker's bundle, gzipped", `${coldStart.bareGzipKiB.toFixed(1)} KiB`],
        [
          "calls of the very first request",
          `${calls.kv} to KV, ${calls.d1} to D1, ${calls.ledger} to the ledger`,
        ],
      ],
    ),
    "![Cost against keys](images/performance-growth.svg)",
  ].join("\n\n");
  return {
    text,
    plots: {
      "performance-growth.svg": barChart(
        "CPU time per warm request",
        inD1.map(({ keys, warmCpu }) => ({
          label: `${whole(keys)} keys in D1`,
          value: warmCpu,
          text: `${Math.round(warmCpu)} µs`,
          ours: true,
        })),
      ),
    },
  };
}
