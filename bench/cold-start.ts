import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleWorker } from "../scripts/bundle.ts";
import type { Bench } from "./hot-path.ts";
import { cpuTime } from "./load.ts";

export interface ColdStart {
  /** Of the module that is deployed, in bytes. */
  bundle: { bytes: number; gzipped: number };
  /** CPU until the first answer, in ms: of a workerd with the bare Worker, and with Postern. */
  first_answer_cpu_ms: { bare: number; postern: number };
}

/** What a new isolate costs before it serves: medians of several fresh processes each. */
export async function coldStart({ prepared, sides }: Bench, times: number): Promise<ColdStart> {
  const root = join(import.meta.dirname, "..");
  const bundle = await bundleWorker(join(root, "src/index.ts"), root, { sourcemap: false });
  const cpu = async (name: string) => {
    const side = sides.find((each) => each.name === name)!;
    const found: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const server = await prepared.serve([side], "network");
      found.push(cpuTime(server.pid) / 1e6);
      await server.stop();
    }
    return Math.round(found.toSorted((a, b) => a - b)[times >> 1]!);
  };
  return {
    bundle: { bytes: Buffer.byteLength(bundle), gzipped: gzipSync(bundle).length },
    first_answer_cpu_ms: { bare: await cpu("bare"), postern: await cpu("Postern") },
  };
}
