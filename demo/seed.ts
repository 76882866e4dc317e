import { displayPrefix } from "../src/keys/format.ts";
import { sha256Hex } from "../src/keys/hash.ts";
import type { AdminClient } from "./admin-client.ts";
import type { DemoKeys } from "./keys.ts";

/** The account that owns the demo's keys. */
export const DEMO_ACCOUNT = "demo";

/** Names of the demo's keys, one of each kind. */
export type DemoKeyName =
  | "Full access"
  | "Read only"
  | "Inference"
  | "Restricted"
  | "Kubernetes"
  | "Test environment"
  | "Disabled"
  | "Expires soon"
  | "Legacy";

const WEEK_MS = 7 * 24 * 3600 * 1000;

/**
 * Sets up the demo through the gateway's own admin API: an account, endpoints for the two demo origins, and
 * one key of each kind. Doing it again changes nothing, unless the origins moved.
 * @param since when this demo was first set up: what its dates count from, so that they stay the same
 * @returns the keys themselves, by name
 */
export async function seedDemo(
  admin: AdminClient,
  keys: DemoKeys,
  origins: { openai: string; graphql: string },
  since: Date,
): Promise<Record<DemoKeyName, string>> {
  await admin.put(`/admin/accounts/${DEMO_ACCOUNT}`, {
    name: "Demo",
    active_key_limit: 100,
    suspended: false,
  });

  const endpoint = { account_id: DEMO_ACCOUNT };
  await admin.put("/admin/endpoints/chat", {
    ...endpoint,
    name: "Chat",
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

  const secrets = {} as Record<DemoKeyName, string>;
  const records = KEYS.map(({ name, environment = "production", legacy, expires, ...rest }) => {
    const key = legacy ? keys.legacy(name) : keys.native(name, environment);
    secrets[name] = key;
    return {
      account_id: DEMO_ACCOUNT,
      name,
      sha256: sha256Hex(key),
      prefix: displayPrefix(key),
      ...(!legacy && { environment }),
      ...(expires && { expires_at: new Date(since.getTime() + WEEK_MS).toISOString() }),
      ...rest,
    };
  });
  const results = await admin.postLines("/admin/keys/import", records);
  const failed = results.find((result) => (result as { error?: unknown }).error !== undefined);
  if (failed !== undefined) throw new Error(`A demo key was not imported: ${JSON.stringify(failed)}`);
  return secrets;
}

interface DemoKey {
  name: DemoKeyName;
  scopes?: unknown;
  environment?: "production" | "test";
  enabled?: boolean;
  expires?: true;
  legacy?: true;
  graphql?: "read" | "read_write";
}

const KEYS: DemoKey[] = [
  { name: "Full access", scopes: { all: true } },
  { name: "Read only", scopes: { read_only: true } },
  { name: "Inference", scopes: { inference: true } },
  {
    name: "Restricted",
    scopes: { restricted: { graphql: "read", inference: { endpoints: { chat: "read" } } } },
  },
  { name: "Kubernetes", scopes: { kubernetes_exec: { all_namespaces: true } } },
  { name: "Test environment", scopes: { all: true }, environment: "test" },
  { name: "Disabled", scopes: { all: true }, enabled: false },
  { name: "Expires soon", scopes: { all: true }, expires: true },
  { name: "Legacy", legacy: true, graphql: "read_write" },
];
