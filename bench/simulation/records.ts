import { createHash } from "node:crypto";
import type { PathNode } from "../../src/freshness/kinds.ts";
import type { KeyRecord } from "../../src/keys/record.ts";

const hashes: string[] = [];

/** SHA-256 of a made-up key, hex. */
export function hashOf(key: number): string {
  hashes[key] ??= createHash("sha256").update(`key ${key}`).digest("hex");
  return hashes[key];
}

/** Keys of one account. */
const KEYS_PER_ACCOUNT = 10;

/** The record of a key, of the usual size. */
export function recordOf(key: number): KeyRecord {
  const hash = hashOf(key);
  return {
    id: `key_${hash.slice(0, 21)}`,
    hash,
    account_id: `acc_${Math.floor(key / KEYS_PER_ACCOUNT)}`,
    account_suspended: false,
    name: `Service ${key}`,
    prefix: "pst_live_0a1b2",
    environment: "production",
    permissions: { graphql: "none", inference: "read_write", kubernetes_exec: "none" },
    enabled: true,
    legacy: false,
    expires_at: null,
    revoked_at: null,
  };
}

/** The node above the endpoint that every request goes to, and the endpoint's own. */
export const NODES: readonly PathNode[] = ["/v2", "/v2/chat"].map((path) => ({
  path,
  wildcard: null,
  below: path === "/v2",
  taken: false,
  self:
    path === "/v2"
      ? null
      : {
          id: "chat",
          account_id: null,
          name: "Chat",
          api: "inference",
          protocol: "serverless",
          path,
          origin: "https://origin.example",
          test_origin: null,
          operations: null,
          credential: null,
          assertion: false,
          allow_query_key: false,
          redirects: "refuse",
          timeout_seconds: 120,
          freshness: "bounded",
          cors: null,
        },
}));
