import { displayPrefix } from "../src/keys/format.ts";
import { sha256Hex } from "../src/keys/hash.ts";
import type { AdminClient } from "./admin-client.ts";
import type { DemoKeys } from "./keys.ts";

/** The account that owns the demo's keys. */
export const DEMO_ACCOUNT = "demo";

/** The account's OpenAI-compatible endpoint: `/v2/llm/…`. */
export const DEMO_CHAT_ENDPOINT = "llm";

/** Names of the demo's keys, one of each kind. */
export type DemoKeyName = keyof typeof DEMO_KEYS;

/** A demo key that exists. */
export interface SeededKey {
  key: string;
  /** When it expires, RFC 3339. */
  expires_at?: string;
  /** What it is now, where somebody or time has made another of it: its state, or that it was edited. */
  changed?: "active" | "disabled" | "expired" | "revoked" | "edited";
}

const DEFAULT_PREFIX = "pst";
const WEEK_MS = 7 * 24 * 3600 * 1000;

/**
 * Sets up the demo through the gateway's own admin API: an account, endpoints for the two demo origins, and
 * one key of each kind. Doing it again changes nothing, unless the origins moved: what has become of a key stays.
 * @param since when this demo was first set up: what its dates count from, so that they stay the same
 * @returns the keys, by name
 */
export async function seedDemo(
  admin: AdminClient,
  keys: DemoKeys,
  origins: { openai: string; graphql: string },
  since: Date,
): Promise<Record<DemoKeyName, SeededKey>> {
  await admin.put(`/admin/accounts/${DEMO_ACCOUNT}`, {
    name: "Demo",
    active_key_limit: 100,
    suspended: false,
  });

  const endpoint = { account_id: DEMO_ACCOUNT };
  await admin.put(`/admin/endpoints/${DEMO_CHAT_ENDPOINT}`, {
    ...endpoint,
    name: "LLM",
    api: "inference",
    protocol: "openai",
    origin: `${origins.openai}/v1`,
    test_origin: `${origins.openai}/test/v1`,
  });
  await admin.put("/admin/endpoints/jobs", {
    ...endpoint,
    name: "Jobs",
    api: "inference",
    protocol: "serverless",
    origin: `${origins.openai}/jobs`,
  });
  await admin.put("/admin/endpoints/graphql", {
    ...endpoint,
    name: "GraphQL",
    api: "graphql",
    protocol: "graphql",
    origin: `${origins.graphql}/graphql`,
    test_origin: `${origins.graphql}/test/graphql`,
  });

  const names = Object.keys(DEMO_KEYS) as DemoKeyName[];
  const made = names.map((name) => makeKey(name, keys, since));
  const results = (await admin.postLines(
    "/admin/keys/import",
    made.map(({ record }) => record),
  )) as { line?: number; id?: string; error?: unknown }[];
  const failed = results.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`A demo key was not imported: ${JSON.stringify(failed)}`);

  const seeded = {} as Record<DemoKeyName, SeededKey>;
  for (const [index, name] of names.entries()) {
    const { id } = results.find(({ line }) => line === index + 1)!;
    const changed = whatChanged(DEMO_KEYS[name], (await admin.get(`/admin/keys/${id}`)) as StoredKey);
    seeded[name] = { ...made[index]!.shown, ...(changed && { changed }) };
  }
  return seeded;
}

/** A key as it is shown and as it is imported. */
function makeKey(
  name: DemoKeyName,
  keys: DemoKeys,
  since: Date,
): { shown: SeededKey; record: Record<string, unknown> } {
  const demoKey: DemoKey = DEMO_KEYS[name];
  const { shows: _, environment = "production", legacy, expires, ...rest } = demoKey;
  const key = legacy ? keys.legacy(name) : keys.native(name, environment);
  const expiry = expires && { expires_at: new Date(since.getTime() + WEEK_MS).toISOString() };
  const record = {
    account_id: DEMO_ACCOUNT,
    // Under another KEY_PREFIX these are other keys: their names tell them apart.
    name: legacy || keys.prefix === DEFAULT_PREFIX ? name : `${name} (${keys.prefix})`,
    sha256: sha256Hex(key),
    prefix: displayPrefix(key),
    ...(!legacy && { environment }),
    ...expiry,
    ...rest,
  };
  return { shown: { key, ...expiry }, record };
}

/** Of a Key of the API, what tells whether it is still as it was made. */
interface StoredKey {
  status: "active" | "disabled" | "expired" | "revoked";
  scopes: unknown;
}

function whatChanged({ enabled = true, scopes }: DemoKey, stored: StoredKey): SeededKey["changed"] {
  if (stored.status !== (enabled ? "active" : "disabled")) return stored.status;
  // A legacy key has none of its own, and they cannot be edited.
  const same = scopes === undefined || JSON.stringify(stored.scopes) === JSON.stringify(scopes);
  return same ? undefined : "edited";
}

interface DemoKey {
  /** What it shows. */
  shows: string;
  scopes?: unknown;
  environment?: "production" | "test";
  enabled?: boolean;
  expires?: true;
  legacy?: true;
  graphql?: "read" | "read_write";
}

/** First what scopes allow, then the other kinds and states a key can have. */
export const DEMO_KEYS = {
  "Full access": { shows: "everything, on every endpoint", scopes: { all: true } },
  "Read only": {
    shows: "GraphQL queries, models and job status; no mutations, no completions",
    scopes: { read_only: true },
  },
  Inference: { shows: "inference endpoints alone, no GraphQL", scopes: { inference: true } },
  Restricted: {
    shows: `each API on its own: GraphQL queries, and reading the endpoint ${DEMO_CHAT_ENDPOINT} alone`,
    scopes: { restricted: { graphql: "read", inference: { endpoints: { [DEMO_CHAT_ENDPOINT]: "read" } } } },
  },
  Kubernetes: {
    shows: "credentials for kubectl alone, once a namespace is registered (docs/kubernetes.md)",
    scopes: { kubernetes_exec: { all_namespaces: true } },
  },
  "Test environment": {
    shows: "full access, but to the endpoints' test origins; 403 where there is none",
    scopes: { all: true },
    environment: "test",
  },
  Disabled: {
    shows: "full access, switched off: 401 until it is enabled",
    scopes: { all: true },
    enabled: false,
  },
  "Expires soon": { shows: "full access, until it expires", scopes: { all: true }, expires: true },
  Legacy: {
    shows: "a key made before Postern, imported by its hash; works as it did",
    legacy: true,
    graphql: "read_write",
  },
} satisfies Record<string, DemoKey>;
