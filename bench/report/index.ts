/** `npm run bench:report`: writes docs/performance.md and its plots; a test holds them to what this writes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performancePage } from "./page.ts";

const DOCS = join(import.meta.dirname, "../../docs");

const { text, plots } = performancePage();
mkdirSync(join(DOCS, "images"), { recursive: true });
for (const [file, svg] of Object.entries(plots)) writeFileSync(join(DOCS, "images", file), svg);
writeFileSync(join(DOCS, "performance.md"), text);
