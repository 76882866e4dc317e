/** Which permission an endpoint is judged by. */
export type Api = "inference" | "graphql";

/** How an endpoint's requests are classified into reads and writes (spec 2.4). */
export const PROTOCOLS = ["serverless", "openai", "http", "graphql"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One line of an endpoint's own table: which access a method on a path needs. */
export interface OperationRule {
  method: string;
  path: string;
  access: "read" | "write";
}

/** Names of secrets that may be sent to an origin: no record can ever send one of Postern's own. */
export const ORIGIN_SECRET = /^ORIGIN_[A-Z0-9_]{1,56}$/;

/** The credential Postern presents to the origin. The value lives in a secret; only its name is here. */
export interface OriginCredential {
  /** Header to set, lower case. */
  header: string;
  /** Name of the secret that holds the value. */
  secret: string;
  /** Word before the value, e.g. `Bearer`. */
  scheme?: string | undefined;
}

/** One protected upstream. */
export interface Endpoint {
  id: string;
  /** Owner; null is shared by every account. */
  account_id: string | null;
  name: string;
  api: Api;
  protocol: Protocol;
  /** One to three segments; the last may be `*`. */
  path: string;
  origin: string;
  test_origin: string | null;
  operations: OperationRule[] | null;
  credential: OriginCredential | null;
  assertion: boolean;
  allow_query_key: boolean;
  redirects: "refuse" | "pass";
  timeout_seconds: number;
  freshness: "bounded" | "strict";
  cors: { origins: string[] } | null;
}

/** Ids of endpoints and accounts (spec 2.3). */
export const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/**
 * One node of the tree of path prefixes, as cached at the edge. A request walks from its first segment
 * down while `below` says that a longer prefix exists, so that at most three nodes are ever looked at
 * and segments under an endpoint (job ids, models) are never looked up.
 */
export interface EndpointNode {
  /** The endpoint registered at exactly this path. */
  self: Endpoint | null;
  /** The endpoint registered at this path plus the wildcard segment. */
  wildcard: Endpoint | null;
  /** Whether any endpoint is registered further down. */
  below: boolean;
  /** Whether the node's last segment is the id of an endpoint recorded anywhere: then no wildcard serves it. */
  taken: boolean;
}
