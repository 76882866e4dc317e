import type { Environment } from "./record.ts";

/** What a key may do on one API or endpoint. Ordered: `none` < `read` < `read_write`. */
export type Access = "none" | "read" | "read_write";

/** GraphQL: one level for everything, or the root fields a key may name (`"*"` is all of them). */
export type GraphqlPermission = Access | { queries: "*" | string[]; mutations: "*" | string[] };

/**
 * Inference: one level for every endpoint, or a level per endpoint id. An endpoint that is not named has
 * the level `others`; absent is `none`. `others` is what lets a list of scopes say "read everywhere, and
 * write on this one" without losing either.
 */
export type InferencePermission = Access | { endpoints: Record<string, Access>; others?: Access };

/** The Kubernetes namespaces a key may mint exec credentials for. Ids are lower-case UUIDs. */
export type KubernetesExecPermission = "none" | "all_namespaces" | { namespace_ids: string[] };

/** The canonical form of what a key may do; every accepted `scopes` shape becomes one of these. */
export interface Permissions {
  graphql: GraphqlPermission;
  inference: InferencePermission;
  kubernetes_exec: KubernetesExecPermission;
}

export const FULL: Readonly<Permissions> = Object.freeze({
  graphql: "read_write",
  inference: "read_write",
  kubernetes_exec: "all_namespaces",
});

export const READ_ONLY: Readonly<Permissions> = Object.freeze({
  graphql: "read",
  inference: "read",
  kubernetes_exec: "none",
});

export const NONE: Readonly<Permissions> = Object.freeze({
  graphql: "none",
  inference: "none",
  kubernetes_exec: "none",
});

/** What a legacy key may do: its GraphQL level of old, every endpoint, no Kubernetes. */
export function legacyPermissions(graphql: "read" | "read_write"): Permissions {
  return { graphql, inference: "read_write", kubernetes_exec: "none" };
}

const LEVELS: readonly Access[] = ["none", "read", "read_write"];

export function isAccess(value: unknown): value is Access {
  return LEVELS.includes(value as Access);
}

/** Whether a key that holds `held` may do what needs `needed`. */
export function accessAtLeast(held: Access, needed: Access): boolean {
  return LEVELS.indexOf(held) >= LEVELS.indexOf(needed);
}

/** The level on one inference endpoint. `endpointId` may be any text, also `constructor` or `__proto__`. */
export function inferenceAccess(permissions: Permissions, endpointId: string): Access {
  const { inference } = permissions;
  if (typeof inference === "string") return inference;
  const named = Object.hasOwn(inference.endpoints, endpointId) ? inference.endpoints[endpointId] : undefined;
  return named ?? inference.others ?? "none";
}

/** GraphQL access spelled by root fields, whichever way it was given. */
export interface GraphqlFields {
  queries: "*" | readonly string[];
  mutations: "*" | readonly string[];
}

export function graphqlFields(permission: GraphqlPermission): GraphqlFields {
  if (typeof permission !== "string") return permission;
  return {
    queries: accessAtLeast(permission, "read") ? "*" : [],
    mutations: accessAtLeast(permission, "read_write") ? "*" : [],
  };
}

/**
 * The level on GraphQL as the gateway asks for it: `read_write` needs no inspection, `none` is refused
 * unread, `read` and `root_fields` are inspected and then decided by {@link graphqlAllows}.
 */
export function graphqlAccess(permissions: Permissions): Access | "root_fields" {
  const level = canonicalGraphql(permissions.graphql);
  return typeof level === "string" ? level : "root_fields";
}

/** One GraphQL operation: its type, and the names (never aliases) of its root fields, fragments opened. */
export interface GraphqlOperation {
  type: "query" | "mutation" | "subscription";
  rootFields: readonly string[];
}

/**
 * Whether a key may run the operation. A subscription is a read, and its fields are those of another
 * root type than the query's: a key limited to named queries has none, one with every query has all.
 * The root field `__typename`, which some clients add on their own and which reveals a type's name
 * alone, rides along with any named field of its kind; `__schema` and `__type` must be named.
 */
export function graphqlAllows(permission: GraphqlPermission, operation: GraphqlOperation): boolean {
  const { queries, mutations } = graphqlFields(permission);
  if (operation.type === "subscription") return queries === "*";
  const allowed = operation.type === "mutation" ? mutations : queries;
  if (allowed === "*") return true;
  // Without a root field there is nothing to judge, and what cannot be judged is refused.
  if (allowed.length === 0 || operation.rootFields.length === 0) return false;
  return operation.rootFields.every((field) => field === "__typename" || allowed.includes(field));
}

/**
 * Whether a key of this environment mints Kubernetes credentials for the namespace: if and only if its
 * canonical `kubernetes_exec` includes it, and never with a test key.
 */
export function mayExecInNamespace(
  permissions: Permissions,
  environment: Environment,
  namespaceId: string,
): boolean {
  const { kubernetes_exec: held } = permissions;
  if (environment === "test" || held === "none") return false;
  return held === "all_namespaces" || held.namespace_ids.includes(namespaceId.toLowerCase());
}

/** The one-word summary that lists show. */
export type PermissionLabel = "read_write" | "read_only" | "restricted" | "legacy";

/** Derived from the canonical form, so however a permission was spelled, it has the same label. */
export function permissionLabel(permissions: Permissions, legacy: boolean): PermissionLabel {
  if (legacy) return "legacy";
  const canonical = canonicalPermissions(permissions);
  if (equalLevels(canonical, FULL)) return "read_write";
  return equalLevels(canonical, READ_ONLY) ? "read_only" : "restricted";
}

/** Compares with permissions that are one level per API. */
function equalLevels(one: Permissions, levels: Permissions): boolean {
  return (
    one.graphql === levels.graphql &&
    one.inference === levels.inference &&
    one.kubernetes_exec === levels.kubernetes_exec
  );
}

/**
 * The one way to write what a key may do: two permissions allow the same if and only if their canonical
 * forms are equal. Lists are sorted and free of duplicates; endpoints that have the level of all others
 * are not named; what amounts to one level for everything is that level.
 */
export function canonicalPermissions(permissions: Permissions): Permissions {
  return {
    graphql: canonicalGraphql(permissions.graphql),
    inference: canonicalInference(permissions.inference),
    kubernetes_exec: canonicalKubernetesExec(permissions.kubernetes_exec),
  };
}

function canonicalGraphql(permission: GraphqlPermission): GraphqlPermission {
  if (typeof permission === "string") return permission;
  const queries = sorted(permission.queries);
  const mutations = sorted(permission.mutations);
  if (queries === "*" && mutations === "*") return "read_write";
  if (queries === "*" && mutations.length === 0) return "read";
  if (queries.length === 0 && mutations.length === 0) return "none";
  return { queries, mutations };
}

function canonicalInference(permission: InferencePermission): InferencePermission {
  if (typeof permission === "string") return permission;
  const others = permission.others ?? "none";
  const named = Object.entries(permission.endpoints).filter(([, level]) => level !== others);
  if (named.length === 0) return others;
  named.sort(([one], [other]) => (one < other ? -1 : 1));
  // `fromEntries` defines members, it does not assign them: `__proto__` would be a name like any other.
  const endpoints = Object.fromEntries(named);
  return others === "none" ? { endpoints } : { endpoints, others };
}

function canonicalKubernetesExec(permission: KubernetesExecPermission): KubernetesExecPermission {
  if (typeof permission === "string") return permission;
  const namespace_ids = unique(permission.namespace_ids.map((id) => id.toLowerCase()));
  return namespace_ids.length === 0 ? "none" : { namespace_ids };
}

function sorted(fields: "*" | readonly string[]): "*" | string[] {
  return fields === "*" ? "*" : unique(fields);
}

/** Sorted by code unit, each once. */
function unique(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}
