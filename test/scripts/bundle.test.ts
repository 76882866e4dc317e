import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundleWorker } from "../../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "../..");

/** As `wrangler deploy` counts. A script that is read at every cold start has a size to keep to (docs/performance.md). */
const MOST_KIB = 150;

it(`what is deployed is at most ${MOST_KIB} KiB, gzipped`, async () => {
  const bundle = await bundleWorker(join(ROOT, "src/index.ts"), ROOT, { sourcemap: false });
  expect(gzipSync(bundle).length / 1024).toBeLessThanOrEqual(MOST_KIB);
});
