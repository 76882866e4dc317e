import { table } from "./table.ts";

interface Targets {
  hotPath: {
    shapes: Record<
      string,
      { case: string; ratios: Record<string, { cpu: number; instructions?: number; throughput: number }> }[]
    >;
  } | null;
  compare: { rows: Entrant[] } | null;
  simulation: {
    rows: {
      world: { isolates: number; rate: number; name: string; shape: string };
      slice: { asking: number };
      bill: { againstBare: number };
      busiest: { perSecond: number };
    }[];
    attacks: { forged: { kvReads: number; d1Queries: number; ledgerCalls: number } };
  } | null;
  growth: { inD1: { keys: number; warmCpu: number }[]; coldStart: { bundle: { gzipped: number } } } | null;
}

interface Entrant {
  name: string;
  cpu: number;
  perSecond: number;
}

type Row = [measure: string, target: string, found: string, met: boolean];

/** Each target of the project beside what was found. */
export function targets({ hotPath, compare, simulation, growth }: Targets): string {
  const rows: Row[] = [];
  const least = (measure: string, target: number, found: number | undefined) => {
    if (found !== undefined) rows.push([measure, `at least ${target}`, found.toFixed(2), found >= target]);
  };
  const most = (measure: string, target: number, found: number | undefined, digits: number, unit = "") => {
    if (found !== undefined) {
      rows.push([measure, `at most ${target}${unit}`, `${found.toFixed(digits)}${unit}`, found <= target]);
    }
  };

  const direct = hotPath?.shapes.network ?? [];
  const ratios = (name: string) => direct.find((row) => row.case === name)?.ratios.Postern;
  for (const [name, target] of [
    ["warm key, GET", 0.9],
    ["warm key, 1 KiB POST", 0.9],
    ["GraphQL query of 1 KiB, inspected", 0.75],
  ] as const) {
    least(`${name}: throughput, over the bare Worker's`, target, ratios(name)?.throughput);
    least(`${name}: the bare Worker's CPU time over Postern's`, target, ratios(name)?.cpu);
  }
  const entrant = (name: string) => compare?.rows.find((row) => row.name === name);
  const [ours, hono] = [entrant("Postern"), entrant("Hono, KV per request")];
  least("CPU time of Hono with KV per request, over Postern's", 2, ours && hono && hono.cpu / ours.cpu);
  least(
    "throughput, over that of Hono with KV per request",
    2,
    ours && hono && ours.perSecond / hono.perSecond,
  );
  for (const [isolates, rate] of [
    [1000, 100_000],
    [10_000, 1_000_000],
  ] as const) {
    const found = simulation?.rows.find(
      ({ world }) =>
        world.isolates === isolates &&
        world.rate === rate &&
        world.name === "at home" &&
        world.shape === "relays",
    );
    const where = `${isolates.toLocaleString("en")} isolates, ${rate.toLocaleString("en")} req/s at home, relays`;
    most(`${where}: requests that ask anything`, 2, found && found.slice.asking * 100, 2, " %");
    most(`${where}: bill, over the bare Worker's`, 1.05, found?.bill.againstBare, 3);
    most(`${where}: calls a second on the busiest object`, 500, found?.busiest.perSecond, 0);
  }
  const forged = simulation?.attacks.forged;
  most(
    "forged native keys: operations",
    0,
    forged && forged.kvReads + forged.d1Queries + forged.ledgerCalls,
    0,
  );
  const many = growth?.inD1.find(({ keys }) => keys === 1_000_000);
  const few = growth?.inD1.find(({ keys }) => keys === 1000);
  most("1,000,000 keys against 1,000, CPU per request", 1.1, many && few && many.warmCpu / few.warmCpu, 2);
  most("bundle, gzipped", 150, growth?.coldStart.bundle.gzipped, 1, " KiB");

  return `${table(
    ["measure", "target", "found", ""],
    rows.map(([measure, target, found, met]) => [measure, target, found, met ? "met" : "**missed**"]),
  )}

Warm requests between renewals ask KV, D1 and the ledger nothing: counted in \`test/e2e/freshness.test.ts\`, not timed.

**Why the first rows are missed.** The table "What each rule costs" prices the rules of docs/spec.md, section 2.7,
one after the other: a Worker that keeps them all, and looks up no key and decides nothing, is already well below
the target. Each header that is read, converted, sent or set is a call into the runtime of several thousand
instructions, and the response must be copied for its headers to be changed; no gateway that keeps these rules on
this runtime can do without. Past those calls, Postern's own JavaScript is less than a tenth of a request: profiles
show credential, SHA-256, URL, matching, decision and the count of the use, none of them above 2 %. What is left
beyond that is again the runtime's: a promise for each wait, a wrapper for each object it hands over.
A GraphQL query is read whole, checked as JSON and sent anew on top of that; its parsed document is remembered. A
streamed response goes through a native pipe, so that it can be ended when its key is revoked: without one the
runtime passes the body on by itself and tells the Worker nothing more, not even when it is over.`;
}
