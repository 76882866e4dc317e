import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exportJWK, generateKeyPair, type JWK } from "jose";

/** Where the local edition keeps everything it must remember. POSTERN_STATE_DIR moves it. */
export const STATE_DIR = process.env.POSTERN_STATE_DIR || join(import.meta.dirname, "..", ".wrangler");

/** The secrets of a local gateway. Made up once, on this machine, and good for nothing else. */
export interface LocalSecrets {
  /** Tag secrets of native keys, by letter. */
  KEY_TAG_SECRETS: Record<string, string>;
  /** Private key set the gateway signs assertions and exec credentials with. */
  SIGNING_KEYS: { keys: JWK[] };
  /** Private key that signs local session tokens. The gateway only gets its public half. */
  SESSION_KEY: JWK;
  /** Secrets of the console's cookies, by letter. */
  SESSION_SECRETS: Record<string, string>;
  /** The demo's keys are derived from this, so that none of them is stored. */
  DEMO_SEED: string;
  /** When these were made, RFC 3339. */
  created_at: string;
}

/**
 * Reads the local secrets, or makes them on first need. The file is the owner's alone (mode 600).
 * @throws Error that says what is wrong with the state directory
 */
export async function readLocalSecrets(): Promise<LocalSecrets> {
  try {
    return await readOrMake();
  } catch (error) {
    throw new Error(stateProblem(error as Error));
  }
}

/** Why no state can be kept, in one line. */
export function stateProblem({ message }: Error): string {
  return `Cannot keep state in ${STATE_DIR} (POSTERN_STATE_DIR chooses another directory): ${message}`;
}

/** Makes a directory and its parents. Node's own `recursive` never returns where a parent refuses with ENOENT. */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

async function readOrMake(): Promise<LocalSecrets> {
  const path = join(STATE_DIR, "local-secrets.json");
  try {
    const kept: LocalSecrets = JSON.parse(await readFile(path, "utf8"));
    return kept.SESSION_SECRETS === undefined ? await withSessionSecrets(path, kept) : kept;
  } catch (error) {
    // The parser's own message quotes the text, which holds secrets.
    if (error instanceof SyntaxError) throw new Error(`${path} is not JSON`);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // Written whole, then linked: of two processes that start at once, one wins and both read the same.
  const draft = `${path}.${randomUUID()}`;
  makeDirectory(STATE_DIR);
  await writeFile(draft, `${JSON.stringify(await makeSecrets(), null, 2)}\n`, { mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
  return readOrMake();
}

/** Adds what a file from before the console lacks. */
async function withSessionSecrets(path: string, kept: LocalSecrets): Promise<LocalSecrets> {
  const whole = { ...kept, SESSION_SECRETS: sessionSecrets() };
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
  return whole;
}

const sessionSecrets = () => ({ a: randomBytes(36).toString("base64url") });

async function makeSecrets(): Promise<LocalSecrets> {
  return {
    KEY_TAG_SECRETS: { a: randomBytes(36).toString("base64url") },
    SIGNING_KEYS: { keys: [await signingKey("signing")] },
    SESSION_KEY: await signingKey("session"),
    SESSION_SECRETS: sessionSecrets(),
    DEMO_SEED: randomBytes(36).toString("base64url"),
    created_at: new Date().toISOString(),
  };
}

async function signingKey(purpose: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const kid = `local-${purpose}-${randomBytes(6).toString("base64url")}`;
  return { ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" };
}

/** The public half of a private EC key. */
export function publicHalf({ d: _, ...rest }: JWK): JWK {
  return rest;
}
