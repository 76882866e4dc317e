import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";

const CONSOLE = join(import.meta.dirname, "../../src/console");

/** Where the Worker finds what is made. */
export const MINIFIED = join(CONSOLE, "minified.ts");

/** The module that holds the console's stylesheet and script, minified: the bundler does not look into text. */
export async function minified(): Promise<string> {
  const [css, js] = await Promise.all((["css", "js"] as const).map(textOf));
  return `// Made by \`npm run assets\` from console.css and console.js. Change those.
export const CSS = ${JSON.stringify(css)};
export const JS = ${JSON.stringify(js)};
`;
}

async function textOf(loader: "css" | "js"): Promise<string> {
  const source = readFileSync(join(CONSOLE, `console.${loader}`), "utf8");
  const { code } = await transform(source, { loader, minify: true, target: "esnext" });
  return code.trim();
}
