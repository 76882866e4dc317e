import { BARE_BILL, type Billed, PRICES } from "./prices.ts";

/** Memory that an object is billed for while it is awake, in GB. */
const OBJECT_GB = 0.128;

/** What was asked of the platform, and by how many requests. */
export class Counts {
  requests = 0;
  /** Requests that asked anything of KV, D1 or the ledger, or had it asked behind them. */
  asking = 0;
  /** Requests that waited for it. */
  waiting = 0;
  kvReads = 0;
  kvWrites = 0;
  d1Queries = 0;
  d1RowsRead = 0;
  d1RowsWritten = 0;
  ledgerRowsWritten = 0;
  ledgerRowsRead = 0;
  /** Calls to each Durable Object, alarms among them. */
  readonly calls = new Map<string, number>();
  readonly statuses = new Map<string, number>();

  call(object: string): void {
    this.calls.set(object, (this.calls.get(object) ?? 0) + 1);
  }

  status(name: string): void {
    this.statuses.set(name, (this.statuses.get(name) ?? 0) + 1);
  }

  get ledgerCalls(): number {
    let sum = 0;
    for (const calls of this.calls.values()) sum += calls;
    return sum;
  }

  /** Calls to the busiest object. */
  get busiest(): number {
    return Math.max(0, ...this.calls.values());
  }
}

/** Units per million requests, and what they cost. */
export interface Bill {
  perMillion: Record<Billed, number>;
  /** Dollars per million requests, beyond those of the Worker itself. */
  dollars: Record<Billed, number>;
  /** Against the bill of a Worker that only passes requests on. */
  againstBare: number;
}

/**
 * @param seconds how long the counting took, in simulated time
 * @param objects Durable Objects that are awake, as far as their price falls to the requests counted
 */
export function billOf(counts: Counts, seconds: number, objects: number): Bill {
  const units: Record<Billed, number> = {
    kvReads: counts.kvReads,
    kvWrites: counts.kvWrites,
    d1RowsRead: counts.d1RowsRead,
    d1RowsWritten: counts.d1RowsWritten,
    ledgerCalls: counts.ledgerCalls,
    ledgerGbSeconds: objects * seconds * OBJECT_GB,
    ledgerRowsRead: counts.ledgerRowsRead,
    ledgerRowsWritten: counts.ledgerRowsWritten,
  };
  return billOfUnits(units, counts.requests);
}

export function billOfUnits(units: Record<Billed, number>, requests: number): Bill {
  const entries = Object.entries(units) as [Billed, number][];
  const perMillion = entries.map(([name, n]) => [name, (n / requests) * 1e6]);
  const dollars = entries.map(([name, n]) => [name, (n / requests) * PRICES[name]] as const);
  const sum = dollars.reduce((total, [, each]) => total + each, 0);
  return {
    perMillion: Object.fromEntries(perMillion),
    dollars: Object.fromEntries(dollars) as Record<Billed, number>,
    againstBare: (BARE_BILL + sum) / BARE_BILL,
  };
}
