import { readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** wrangler.toml's paths, which are relative to the file itself. */
const PATHS = { main: "src/index.ts", migrations_dir: "migrations" };

/**
 * wrangler.toml as a file in another directory would have to spell it. The file itself stays as it is.
 * @throws Error where wrangler.toml no longer names one of the paths
 */
export function wranglerConfigIn(directory: string): string {
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  for (const [name, path] of Object.entries(PATHS)) {
    const there = JSON.stringify(relative(directory, join(ROOT, path)));
    text = replaceLine(text, `${name} = "${path}"`, `${name} = ${there}`);
  }
  return text;
}

/** The text with one of its lines replaced. @throws Error where there is no such line */
export function replaceLine(text: string, line: string, replacement: string): string {
  const lines = text.split("\n");
  const index = lines.indexOf(line);
  if (index === -1) throw new Error(`wrangler.toml holds no line ${line}`);
  lines[index] = replacement;
  return lines.join("\n");
}

/** wrangler asks nobody, tells nobody, and looks for no newer version of itself. */
export const QUIET_WRANGLER = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  WRANGLER_HIDE_BANNER: "true",
};
