import {
  type Access,
  accessAtLeast,
  canonicalPermissions,
  type GraphqlPermission,
  graphqlFields,
  type InferencePermission,
  inferenceAccess,
  type KubernetesExecPermission,
  NONE,
  type Permissions,
} from "./permissions.ts";

/**
 * The least permissions that allow whatever any of `grants` allows, in canonical form. So one more grant
 * never takes a right away, and none at all is `NONE`.
 */
export function joinPermissions(grants: readonly Permissions[]): Permissions {
  return canonicalPermissions({
    graphql: grants.map((grant) => grant.graphql).reduce(joinGraphql, NONE.graphql),
    inference: joinInference(grants),
    kubernetes_exec: grants.map((grant) => grant.kubernetes_exec).reduce(joinKubernetesExec, "none"),
  });
}

function higher(one: Access, other: Access): Access {
  return accessAtLeast(one, other) ? one : other;
}

function joinGraphql(one: GraphqlPermission, other: GraphqlPermission): GraphqlPermission {
  const [a, b] = [graphqlFields(one), graphqlFields(other)];
  return { queries: union(a.queries, b.queries), mutations: union(a.mutations, b.mutations) };
}

function union(one: "*" | readonly string[], other: "*" | readonly string[]): "*" | string[] {
  return one === "*" || other === "*" ? "*" : [...one, ...other];
}

function joinInference(grants: readonly Permissions[]): InferencePermission {
  const highest = (levels: Access[]) => levels.reduce(higher, "none");
  const ids = new Set(grants.flatMap(({ inference }) => namedEndpoints(inference)));
  const level = (id: string) => highest(grants.map((grant) => inferenceAccess(grant, id)));
  return {
    endpoints: Object.fromEntries([...ids].map((id) => [id, level(id)])),
    others: highest(grants.map(({ inference }) => restOfEndpoints(inference))),
  };
}

function namedEndpoints(permission: InferencePermission): string[] {
  return typeof permission === "string" ? [] : Object.keys(permission.endpoints);
}

function restOfEndpoints(permission: InferencePermission): Access {
  return typeof permission === "string" ? permission : (permission.others ?? "none");
}

function joinKubernetesExec(
  one: KubernetesExecPermission,
  other: KubernetesExecPermission,
): KubernetesExecPermission {
  if (one === "all_namespaces" || other === "all_namespaces") return "all_namespaces";
  if (one === "none") return other;
  if (other === "none") return one;
  return { namespace_ids: [...one.namespace_ids, ...other.namespace_ids] };
}
