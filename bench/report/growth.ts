import type { Section } from "./section.ts";
import { barChart } from "./svg.ts";
import { table, times, whole } from "./table.ts";

interface Heap {
  heapKiB: number;
}

interface Growth {
  inD1: {
    keys: number;
    rowsReadPerColdLookUp: number;
    coldCpu: number;
    warmCpu: number;
    workerdMiB: number;
  }[];
  inMemory: { keys: number; warmCpu: number; heapKiB: number }[];
  endpoints: {
    endpoints: number;
    rowsReadAbove: number;
    rowsReadOwn: number;
    warmCpu: number;
    heapKiB: number;
  }[];
  flush: { rowsForNew: number; rowsForKnown: number };
  coldStart: {
    bundle: { plain: number; gzipped: number; bare: number };
    firstAnswerCpuMs: { bare: number; postern: number };
    firstRequestCalls: { kv: number; d1: number; ledger: number };
  };
}

/** The heap, and what each key or endpoint beyond the fewest takes of it. */
function heapColumns(
  { heapKiB }: Heap,
  count: number,
  fewest: (Heap & { keys?: number; endpoints?: number }) | undefined,
) {
  const more = count - (fewest?.keys ?? fewest?.endpoints ?? count);
  const each = more === 0 ? "" : `${(((heapKiB - (fewest?.heapKiB ?? 0)) * 1024) / more).toFixed(0)} bytes`;
  return [whole(Math.round(heapKiB)), each];
}

/** Cost against the number of keys and endpoints, and of a start. */
export function growth({ inD1, inMemory, endpoints, coldStart }: Growth): Section {
  const least = inD1[0];
  const { bundle, firstAnswerCpuMs, firstRequestCalls: calls } = coldStart;
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
        "memory, MiB",
      ],
      inD1.map((row) => [
        whole(row.keys),
        times(row.warmCpu / (least?.warmCpu ?? 1)),
        times(row.coldCpu / (least?.coldCpu ?? 1)),
        Math.round(row.warmCpu),
        Math.round(row.coldCpu),
        row.rowsReadPerColdLookUp,
        Math.round(row.workerdMiB),
      ]),
    ),
    `A cold look-up here runs D1 itself (SQLite) in the process that is measured. Memory is that of the whole local
process, with the simulator's own.`,
    `### Distinct warm keys in one isolate`,
    table(
      ["keys", "warm CPU µs", "heap of the isolate, KiB", "more, a key"],
      inMemory.map((row) => [
        whole(row.keys),
        Math.round(row.warmCpu),
        ...heapColumns(row, row.keys, inMemory[0]),
      ]),
    ),
    `The heap is that of the gateway's own isolate, after collecting garbage, as workerd's inspector tells it.`,
    `### Endpoints`,
    table(
      [
        "endpoints",
        "warm CPU µs",
        "rows read for the node above",
        "rows read for its own node",
        "heap of the isolate, KiB",
        "more, an endpoint",
      ],
      endpoints.map((row) => [
        whole(row.endpoints),
        Math.round(row.warmCpu),
        row.rowsReadAbove,
        row.rowsReadOwn,
        ...heapColumns(row, row.endpoints, endpoints[0]),
      ]),
    ),
    `### Cold start`,
    table(
      ["what", "how much"],
      [
        ["bundle, gzipped", `${bundle.gzipped.toFixed(1)} KiB (${bundle.plain.toFixed(0)} KiB plain)`],
        ["the bare Worker's bundle, gzipped", `${bundle.bare.toFixed(1)} KiB`],
        [
          "CPU time of a new workerd until its first answer, above the bare Worker's: the script's start",
          `${firstAnswerCpuMs.postern - firstAnswerCpuMs.bare} ms (${firstAnswerCpuMs.postern} ms, the bare Worker's ${firstAnswerCpuMs.bare} ms)`,
        ],
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
