import type { EndpointNode } from "../endpoints/endpoint.ts";
import type { KeyRecord } from "../keys/record.ts";
import { accountSubject } from "../store/accounts.ts";
import { nodeSubjects, readNode } from "../store/endpoints.ts";
import { keySubject, readKeyRecord } from "../store/keys.ts";
import { retrying } from "../store/retry.ts";
import type { Kind } from "./freshness.ts";
import { ENDPOINT_SHARD, shardOfKey } from "./shards.ts";

/** Key records, named by the key's hash in hex. */
export function keyKind(shards: number): Kind<KeyRecord> {
  return {
    cacheName: (hash) => `key:${hash}`,
    shard: (hash) => shardOfKey(hash, shards),
    async read(db, hash) {
      const value = await retrying(() => readKeyRecord(db, hash));
      return value && { value, subjects: [keySubject(hash), accountSubject(value.account_id)] };
    },
    recognises(value, hash): value is KeyRecord {
      return typeof value === "object" && value !== null && (value as KeyRecord).hash === hash;
    },
    worthKv: () => true,
  };
}

/** Nodes of the endpoints' path tree, named by their path. A node without endpoints is one all the same. */
export const NODE_KIND: Kind<EndpointNode & { path: string }> = {
  cacheName: (path) => `node:${path}`,
  shard: () => ENDPOINT_SHARD,
  async read(db, path) {
    const node = await retrying(() => readNode(db, path));
    return { value: { ...node, path }, subjects: nodeSubjects(path) };
  },
  recognises(value, path): value is EndpointNode & { path: string } {
    return typeof value === "object" && value !== null && (value as { path: unknown }).path === path;
  },
  // Clients choose which paths they ask for: an empty node is not worth a KV write.
  worthKv: ({ self, wildcard, below, taken }) => self !== null || wildcard !== null || below || taken,
};
