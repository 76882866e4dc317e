/** A Markdown table; the first row is its head. Numbers are set right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const isNumber = head.map((_, i) =>
    rows.every((row) => /^[\d$×%.,\s<+−-]*\S*$/.test(String(row[i])) && /\d/.test(String(row[i]))),
  );
  return [line(head), line(isNumber.map((each) => (each ? "---:" : "---"))), ...rows.map(line)].join("\n");
}

export const percent = (share: number, digits = 2) => `${(share * 100).toFixed(digits)} %`;
export const times = (ratio: number, digits = 2) => `${ratio.toFixed(digits)} ×`;
export const whole = (number: number) => Math.round(number).toLocaleString("en-US");
