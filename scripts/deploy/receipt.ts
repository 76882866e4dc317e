import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** What was deployed last from here. Written only after all of it succeeded, so a failure half-way leaves none. */
export interface Receipt {
  /** Of everything a deployment consists of. */
  digest: string;
  /** Cloudflare's id of the version. */
  version: string;
}

/** SHA-256, in hex, over texts in order. */
export function digestOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}

export function readReceipt(path: string): Receipt | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Receipt;
  } catch {
    // None, or an unreadable one: deploying once more is harmless.
    return undefined;
  }
}

export function writeReceipt(path: string, receipt: Receipt): void {
  writeFileSync(path, `${JSON.stringify(receipt)}\n`);
}
