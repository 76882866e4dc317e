import { formatInstant } from "../keys/time.ts";
import type { UsageRow } from "../store/usage.ts";

export interface Counts {
  reads: number;
  writes: number;
  /** By reason. */
  denials: Record<string, number>;
}

/** Counts of one endpoint in one step. */
export interface UsageStep extends Counts {
  start: string;
  /** Null for requests that were refused before an endpoint was known. */
  endpoint_id: string | null;
}

const none = (): Counts => ({ reads: 0, writes: 0, denials: {} });

function add(counts: Counts, kind: string, count: number): void {
  if (kind === "read") counts.reads += count;
  else if (kind === "write") counts.writes += count;
  else {
    const reason = kind.replace(/^denied:/, "");
    counts.denials[reason] = (counts.denials[reason] ?? 0) + count;
  }
}

/** Gathers stored counts, one row for each kind, into one entry for each step and endpoint. */
export function usageOf(rows: readonly UsageRow[]): { totals: Counts; data: UsageStep[] } {
  const totals = none();
  const steps = new Map<string, UsageStep>();
  for (const { start, endpoint_id, kind, count } of rows) {
    const name = `${start} ${endpoint_id}`;
    let step = steps.get(name);
    if (step === undefined) {
      step = { start: formatInstant(start), endpoint_id: endpoint_id || null, ...none() };
      steps.set(name, step);
    }
    add(step, kind, count);
    add(totals, kind, count);
  }
  return { totals, data: [...steps.values()] };
}
