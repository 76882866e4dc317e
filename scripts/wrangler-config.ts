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
    text = replaceSetting(text, name, path, `${name} = ${there}`);
  }
  return text;
}

/** The text with the line that gives a name this value replaced, however it is spaced and quoted. */
export function replaceSetting(text: string, name: string, value: string, replacement: string): string {
  const setting = /^\s*(\w+)\s*=\s*(["'])(.*)\2\s*(?:#.*)?$/;
  const lines = text.split("\n");
  const index = lines.findIndex((line) => {
    const [, found, , given] = setting.exec(line) ?? [];
    return found === name && given === value;
  });
  if (index === -1) throw new Error(`wrangler.toml does not say ${name} = "${value}"`);
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
