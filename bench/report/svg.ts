/** One bar: what it stands for, how long it is, and the text at its end. */
export interface Bar {
  label: string;
  value: number;
  text: string;
  /** Postern's own stand out. */
  ours?: boolean;
}

const WIDTH = 760;
const LABELS = 250;
const ROW = 26;
const TOP = 44;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * A bar chart in SVG, readable on light and dark pages.
 * @param line a value to mark, such as a target
 * @param logarithmic for values of different magnitude; all must be above `from`
 */
export function barChart(
  title: string,
  bars: readonly Bar[],
  {
    line,
    logarithmic = false,
    from = 0,
  }: { line?: { value: number; text: string }; logarithmic?: boolean; from?: number } = {},
): string {
  const most = Math.max(...bars.map(({ value }) => value), line?.value ?? 0);
  const scale = (value: number) => {
    const share = logarithmic
      ? Math.log(Math.max(value, from) / from) / Math.log(most / from)
      : (value - from) / (most - from);
    return Math.max(1, share * (WIDTH - LABELS - 110));
  };
  const height = TOP + bars.length * ROW + (line === undefined ? 12 : 32);
  const rows = bars.map(({ label, value, text, ours }, i) => {
    const y = TOP + i * ROW;
    const width = scale(value).toFixed(1);
    return `<text x="${LABELS - 8}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>
<rect x="${LABELS}" y="${y + 4}" width="${width}" height="${ROW - 8}" rx="2" fill="${ours ? "#2563eb" : "#94a3b8"}"/>
<text x="${(LABELS + Number(width) + 6).toFixed(1)}" y="${y + 16}">${escaped(text)}</text>`;
  });
  const mark =
    line === undefined
      ? ""
      : `<line x1="${(LABELS + scale(line.value)).toFixed(1)}" x2="${(LABELS + scale(line.value)).toFixed(1)}" y1="${TOP}" y2="${TOP + bars.length * ROW + 6}" stroke="#dc2626" stroke-dasharray="4 3"/>
<text x="${(LABELS + scale(line.value)).toFixed(1)}" y="${TOP + bars.length * ROW + 22}" text-anchor="middle" fill="#dc2626">${escaped(line.text)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>text{font:13px system-ui,sans-serif;fill:#64748b}.title{font-weight:600;font-size:15px}</style>
<text class="title" x="8" y="24">${escaped(title)}</text>
${rows.join("\n")}
${mark}
</svg>
`;
}
