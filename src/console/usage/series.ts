import type { Counts, UsageStep } from "../../account/usage.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The spans of time a chart can show, and the steps it shows them in. */
export const SPANS = {
  day: { label: "Day", title: "the last 24 hours", step: "hour", length: HOUR, steps: 24 },
  week: { label: "Week", title: "the last 7 days", step: "day", length: DAY, steps: 7 },
  month: { label: "Month", title: "the last 30 days", step: "day", length: DAY, steps: 30 },
} as const;

export type Span = keyof typeof SPANS;

export function readSpan(text: string | null): Span {
  return text !== null && Object.hasOwn(SPANS, text) ? (text as Span) : "day";
}

/** The usage that the API answers. */
export interface Usage {
  from: string;
  to: string;
  totals: Counts;
  data: UsageStep[];
}

/** What a key did in one step, on all endpoints. */
export interface Step extends Counts {
  /** ms */
  start: number;
  /** All denials. */
  denied: number;
}

/** The query for a span that ends now (ms): it begins so that the step that goes on is the last. */
export function usageQuery(span: Span, now: number) {
  const { step, length, steps } = SPANS[span];
  const from = (Math.floor(now / length) - steps + 1) * length;
  return { step, from: new Date(from).toISOString(), to: new Date(now).toISOString() };
}

/** Every step of a span, those without a request too: the API leaves them out. */
export function seriesOf({ from, to, data }: Usage, span: Span): Step[] {
  const { length } = SPANS[span];
  const steps = new Map<number, Step>();
  for (let start = Date.parse(from); start < Date.parse(to); start += length) {
    steps.set(start, { start, reads: 0, writes: 0, denied: 0, denials: {} });
  }
  for (const { start, reads, writes, denials } of data) {
    const step = steps.get(Date.parse(start));
    if (step === undefined) continue;
    step.reads += reads;
    step.writes += writes;
    for (const [reason, count] of Object.entries(denials)) {
      step.denied += count;
      step.denials[reason] = (step.denials[reason] ?? 0) + count;
    }
  }
  return [...steps.values()];
}

/** What a key did on one endpoint; null where none was known. */
export interface EndpointTotal {
  endpoint_id: string | null;
  reads: number;
  writes: number;
  denied: number;
}

/** Totals by endpoint, the busiest first. */
export function byEndpoint(data: readonly UsageStep[]): EndpointTotal[] {
  const totals = new Map<string | null, EndpointTotal>();
  for (const { endpoint_id, reads, writes, denials } of data) {
    const total = totals.get(endpoint_id) ?? { endpoint_id, reads: 0, writes: 0, denied: 0 };
    total.reads += reads;
    total.writes += writes;
    total.denied += sum(denials);
    totals.set(endpoint_id, total);
  }
  const all = ({ reads, writes, denied }: EndpointTotal) => reads + writes + denied;
  return [...totals.values()].sort((one, other) => all(other) - all(one));
}

export const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((all, one) => all + one, 0);

/** The least round number, whose half is round as well, that is not below `value`: where an axis ends. */
export function axisEnd(value: number): number {
  if (value <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 6, 8, 10].map((factor) => factor * power).find((end) => end >= value)!;
}
