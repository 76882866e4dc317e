import type { EndpointNode } from "../endpoints/endpoint.ts";
import type { KeyRecord } from "../keys/record.ts";
import { accountSubject } from "../store/accounts.ts";
import { nodeSubjects, readNode } from "../store/endpoints.ts";
import { keySubject, readKeyRecord } from "../store/keys.ts";
import { retrying } from "../store/retry.ts";
import type { Kind } from "./freshness.ts";
import { ENDPOINT_SHARD, shardOfKey } from "./shards.ts";

/**
 * Version of what is cached, part of its name in KV: raise it whenever the shape of a key record or an
 * endpoint changes, so that a new Worker never takes what an old one left there for its own.
 */
const SHAPE = 1;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const areAll = (value: Record<string, unknown>, names: readonly string[], type: string) =>
  names.every((name) => typeof value[name] === type);

const isAllOrList = (value: unknown) => value === "*" || Array.isArray(value);

/** Whether a value has what a decision needs of permissions. */
function arePermissions(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { graphql, inference, kubernetes_exec } = value;
  const isHeld = (held: unknown, isRight: (held: Record<string, unknown>) => boolean) =>
    typeof held === "string" || (isObject(held) && isRight(held));
  return (
    isHeld(graphql, ({ queries, mutations }) => isAllOrList(queries) && isAllOrList(mutations)) &&
    isHeld(inference, ({ endpoints }) => isObject(endpoints)) &&
    isHeld(kubernetes_exec, ({ namespace_ids }) => Array.isArray(namespace_ids))
  );
}

/** Whether a value has what a decision needs of a key record. */
function isKeyRecord(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    areAll(value, ["id", "account_id", "name", "prefix", "environment"], "string") &&
    areAll(value, ["account_suspended", "enabled", "legacy"], "boolean") &&
    [value.expires_at, value.revoked_at].every((time) => time === null || typeof time === "number") &&
    arePermissions(value.permissions)
  );
}

/** Whether a value has what a match needs of a node. */
function isNode(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    areAll(value, ["below", "taken"], "boolean") &&
    [value.self, value.wildcard].every(
      (endpoint) =>
        endpoint === null ||
        (isObject(endpoint) && areAll(endpoint, ["id", "path", "origin", "protocol"], "string")),
    )
  );
}

/** Key records, named by the key's hash in hex. */
export function keyKind(shards: number): Kind<KeyRecord> {
  return {
    cacheName: (hash) => `key:${SHAPE}:${hash}`,
    shard: (hash) => shardOfKey(hash, shards),
    read: (db, hash) => retrying(() => readKeyRecord(db, hash)),
    subjects: ({ account_id }, hash) => [keySubject(hash), accountSubject(account_id)],
    recognises: (value, hash): value is KeyRecord => isKeyRecord(value) && value.hash === hash,
    worthKv: () => true,
  };
}

/** A node and the path it is of. */
export type PathNode = EndpointNode & { path: string };

/** Nodes of the endpoints' path tree, named by their path. A node without endpoints is one all the same. */
export const NODE_KIND: Kind<PathNode> = {
  cacheName: (path) => `node:${SHAPE}:${path}`,
  shard: () => ENDPOINT_SHARD,
  read: async (db, path) => ({ ...(await retrying(() => readNode(db, path))), path }),
  subjects: (_, path) => nodeSubjects(path),
  recognises: (value, path): value is PathNode => isNode(value) && value.path === path,
  // Clients choose which paths they ask for: an empty node is not worth a KV write.
  worthKv: ({ self, wildcard, below, taken }) => self !== null || wildcard !== null || below || taken,
};
