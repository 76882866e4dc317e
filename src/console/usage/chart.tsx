import { axisEnd, type Span, type Step } from "./series.ts";

/** Size of the drawing; the page stretches it. Text stands beside it, so that it is never stretched. */
const WIDTH = 1000;
const HEIGHT = 240;

const NUMBER = new Intl.NumberFormat("en-GB");
export const number = (value: number) => NUMBER.format(value);

const formats = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const TIME = formats({ hour: "2-digit", minute: "2-digit" });
const DAY = formats({ day: "numeric", month: "short" });
const WEEKDAY = formats({ weekday: "short", day: "numeric", month: "short" });

/** The name of a step: an hour, or a day. */
export const stepName = (start: number, span: Span) =>
  (span === "day" ? TIME : span === "week" ? WEEKDAY : DAY).format(start);

/** Steps whose names stand below the chart: about every fourth part, and all of a week. */
const LABELLED: Record<Span, number> = { day: 6, week: 1, month: 7 };

const SERIES = [
  ["reads", "read", "Reads"],
  ["writes", "write", "Writes"],
  ["denied", "denied", "Denied"],
] as const;

/** Reads, writes and denials, step by step, on top of each other. The table below it says the same. */
export function UsageChart({
  steps,
  span,
  summary,
}: {
  steps: readonly Step[];
  span: Span;
  summary: string;
}) {
  const top = axisEnd(Math.max(...steps.map(({ reads, writes, denied }) => reads + writes + denied)));
  const slot = WIDTH / steps.length;
  const labelled = steps.filter((_, index) => index % LABELLED[span] === 0);
  return (
    <figure class="usage">
      <div class="axis" aria-hidden="true">
        {[top, top / 2, 0].map((value) => (
          <span>{number(value)}</span>
        ))}
      </div>
      <svg
        class="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
      >
        {[0, 0.5, 1].map((part) => (
          <line class="grid" x1={0} x2={WIDTH} y1={part * HEIGHT} y2={part * HEIGHT} />
        ))}
        {steps.map((step, index) => (
          <Bar step={step} x={(index + 0.15) * slot} width={0.7 * slot} top={top} span={span} />
        ))}
      </svg>
      <div class={`times ${span}`} aria-hidden="true">
        {labelled.map(({ start }) => (
          <span>{stepName(start, span)}</span>
        ))}
      </div>
      <figcaption class="legend">
        {SERIES.map(([, kind, label]) => (
          <span>
            <svg class="chart" viewBox="0 0 10 10" aria-hidden="true">
              <rect class={kind} width="10" height="10" rx="2" />
            </svg>
            {label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

interface BarProps {
  step: Step;
  x: number;
  width: number;
  top: number;
  span: Span;
}

function Bar({ step, x, width, top, span }: BarProps) {
  let y = HEIGHT;
  const parts = SERIES.filter(([name]) => step[name] > 0).map(([name, kind]) => {
    // A single request among thousands is still to be seen.
    const height = Math.max((step[name] / top) * HEIGHT, 2);
    y -= height;
    return <rect class={kind} x={round(x)} y={round(y)} width={round(width)} height={round(height)} />;
  });
  if (parts.length === 0) return null;
  const { start, reads, writes, denied } = step;
  return (
    <g>
      <title>
        {stepName(start, span)}: {number(reads)} reads, {number(writes)} writes, {number(denied)} denied
      </title>
      {parts}
    </g>
  );
}

const round = (value: number) => Math.round(value * 10) / 10;

/** One length among others, as a bar. */
export function Proportion({ part, kind }: { part: number; kind: string }) {
  return (
    <svg class="chart proportion" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class={kind} width={round(Math.max(part * 100, 1))} height="8" />
    </svg>
  );
}
