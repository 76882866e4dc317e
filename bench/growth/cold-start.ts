import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleWorker } from "../../scripts/bundle.ts";
import { type Bench, median } from "../hot-path.ts";
import { cpuTime } from "../load.ts";

/** What a new isolate costs before it serves. */
export interface ColdStart {
  /** Of the module that is deployed, in KiB; `bare` is the bare Worker's, gzipped. */
  bundle: { plain: number; gzipped: number; bare: number };
  /**
   * CPU time of a whole new workerd until its first answer, one that asks nothing, in ms. What Postern takes above
   * the bare Worker is the start of its script, and its share of the first answer.
   */
  firstAnswerCpuMs: { bare: number; postern: number };
}

const ROOT = join(import.meta.dirname, "../..");

/** Sizes, and medians over so many fresh processes of each. */
export async function coldStart(bench: Bench, times: number): Promise<ColdStart> {
  const bundle = await bundleOf("src/index.ts");
  const bare = await bundleOf("bench/bare/src/index.ts");
  return {
    bundle: { plain: bundle.length / 1024, gzipped: gzippedKiB(bundle), bare: gzippedKiB(bare) },
    firstAnswerCpuMs: await firstAnswerCpu(bench, times),
  };
}

const bundleOf = async (entry: string) =>
  Buffer.from(await bundleWorker(join(ROOT, entry), ROOT, { sourcemap: false }));

const gzippedKiB = (code: Buffer) => gzipSync(code).length / 1024;

/** The two in turn, so that the machine's drift falls on both. */
async function firstAnswerCpu(
  { prepared, sides }: Bench,
  times: number,
): Promise<ColdStart["firstAnswerCpuMs"]> {
  const found = { bare: [] as number[], postern: [] as number[] };
  for (let i = 0; i < times; i += 1) {
    for (const [side, name] of [
      ["bare", "bare"],
      ["postern", "Postern"],
    ] as const) {
      const server = await prepared.serve(
        sides.filter((each) => each.name === name),
        "network",
      );
      found[side].push(cpuTime(server.pid) / 1e6);
      await server.stop();
    }
  }
  return { bare: Math.round(median(found.bare)), postern: Math.round(median(found.postern)) };
}
