/**
 * A document with the text between `<!-- made: NAME -->` and `<!-- /made -->` replaced.
 * @throws Error where the document has no such region
 */
export function replaceRegion(document: string, name: string, text: string): string {
  const pattern = new RegExp(`(<!-- made: ${name} -->\n).*?(<!-- /made -->)`, "s");
  if (!pattern.test(document)) throw new Error(`There is no region "${name}"`);
  return document.replace(pattern, (_, begin, end) => `${begin}\n${text.trim()}\n\n${end}`);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
