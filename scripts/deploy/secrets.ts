import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { exportJWK, generateKeyPair } from "jose";

/** Makes each secret that Postern can make for itself, as text. */
const MAKERS: Record<string, () => Promise<string> | string> = {
  KEY_TAG_SECRETS: randomMap,
  SESSION_SECRETS: randomMap,
  SIGNING_KEYS: async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const kid = `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
    return JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" }] });
  },
};

/** Names of the secrets that a deployment makes where the Worker has none of that name. */
export const MADE_SECRETS = Object.keys(MAKERS);

/** New secrets of these names, in the form src/env.ts reads. They belong at Cloudflare and in the operator's vault. */
export async function makeSecrets(names: readonly string[]): Promise<Record<string, string>> {
  const made = names.map(async (name) => [name, await MAKERS[name]!()] as const);
  return Object.fromEntries(await Promise.all(made));
}

/**
 * Puts new secrets into a file that its owner alone may read, beside those it holds of other names. One of the
 * same name is replaced: one that had to be made anew is not in use.
 */
export function keepSecrets(path: string, made: Record<string, string>): void {
  let earlier: Record<string, string> = {};
  try {
    earlier = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw new Error(`Cannot read ${path}`);
  }
  // Whole or not at all: the earlier ones may be nowhere else.
  const next = `${path}.new`;
  writeFileSync(next, `${JSON.stringify({ ...earlier, ...made }, null, 2)}\n`, { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, path);
}

/** A JSON map of one letter to 256 random bits: another letter is added when it is rotated. */
function randomMap(): string {
  return JSON.stringify({ a: randomBytes(32).toString("base64url") });
}
