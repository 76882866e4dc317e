import { randomBytes } from "node:crypto";
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

/** New secrets of these names, in the form src/env.ts reads. They belong at Cloudflare and nowhere else. */
export async function makeSecrets(names: readonly string[]): Promise<Record<string, string>> {
  const made = names.map(async (name) => [name, await MAKERS[name]!()] as const);
  return Object.fromEntries(await Promise.all(made));
}

/** A JSON map of one letter to 256 random bits: another letter is added when it is rotated. */
function randomMap(): string {
  return JSON.stringify({ a: randomBytes(32).toString("base64url") });
}
