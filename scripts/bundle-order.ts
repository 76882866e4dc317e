/**
 * `npm run bundle:order [-- SECONDS]`: looks for an order of modules in which the bundle is smaller, gzipped, and
 * keeps it in src/bundle-order.ts. It tries at random; 300 seconds are enough to come close.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleWorker } from "./bundle.ts";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");
const FILE = join(SRC, "bundle-order.ts");
/** What a line more must save, in bytes. */
const LINE = 25;

const IMPORT = /^import "(.*)";$/gm;
const text = readFileSync(FILE, "utf8");
const head = text.slice(0, text.search(IMPORT));
const modules = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && file !== "index.ts" && file !== "bundle-order.ts")
  .map((file) => `./${file}`);

const put = (order: readonly string[]) =>
  writeFileSync(FILE, `${head}${order.map((module) => `import "${module}";\n`).join("")}`);

async function costOf(order: readonly string[]): Promise<number> {
  put(order);
  const bundle = await bundleWorker(join(SRC, "index.ts"), ROOT, { sourcemap: false });
  return gzipSync(bundle).length + LINE * order.length;
}

const below = (count: number) => Math.floor(Math.random() * count);

/** A module more, one elsewhere, or one or two fewer. */
function changed(order: readonly string[]): string[] {
  const next = [...order];
  const what = Math.random();
  if (what < 0.3) next.splice(below(next.length), 1 + below(2));
  else {
    const module = what < 0.6 ? next[below(next.length)] : modules[below(modules.length)];
    if (module === undefined) return next;
    if (next.includes(module)) next.splice(next.indexOf(module), 1);
    next.splice(below(next.length + 1), 0, module);
  }
  return next;
}

let best = Array.from(text.matchAll(IMPORT), ([, module]) => module as string);
let least = await costOf(best);
const end = Date.now() + Number(process.argv[2] ?? 300) * 1000;
try {
  while (Date.now() < end) {
    const order = changed(best);
    const cost = await costOf(order);
    if (cost >= least) continue;
    [best, least] = [order, cost];
    console.log(`${cost - LINE * order.length} bytes with ${order.length} lines`);
  }
} finally {
  put(best);
}
