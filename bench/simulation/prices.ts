/**
 * Cloudflare's published prices beyond what a plan includes, in dollars per million of a unit, as of
 * November 2026 (developers.cloudflare.com: workers, kv, d1 and durable-objects, each `/platform/pricing`).
 */
export const PRICES = {
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  kvReads: 0.5,
  kvWrites: 5,
  d1RowsRead: 0.001,
  d1RowsWritten: 1,
  ledgerCalls: 0.15,
  /** GB-seconds: an object that is awake takes 128 MB. */
  ledgerGbSeconds: 12.5,
  ledgerRowsRead: 0.001,
  ledgerRowsWritten: 1,
} as const;

/** What is billed beside the Worker's own requests and CPU time. */
export type Billed = Exclude<keyof typeof PRICES, "workerRequests" | "workerCpuMs">;

/** CPU time of a Worker that only passes requests on, in ms; requests are what its bill is made of. */
export const BARE_CPU_MS = 0.2;

/** The bare Worker's bill per million requests, in dollars. */
export const BARE_BILL = PRICES.workerRequests + BARE_CPU_MS * PRICES.workerCpuMs;
