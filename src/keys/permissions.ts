/** What a key may do on one API or endpoint. Ordered: `none` < `read` < `read_write`. */
export type Access = "none" | "read" | "read_write";

/** GraphQL: one level for everything, or the root fields a key may name (`"*"` is all of them). */
export type GraphqlPermission = Access | { queries: "*" | string[]; mutations: "*" | string[] };

/** Inference: one level for every endpoint, or a level per endpoint id (absent is `none`). */
export type InferencePermission = Access | { endpoints: Record<string, Access> };

/** The Kubernetes namespaces a key may mint exec credentials for. */
export type KubernetesExecPermission = "none" | "all_namespaces" | { namespace_ids: string[] };

/** The canonical form of what a key may do; every accepted `scopes` shape becomes one of these. */
export interface Permissions {
  graphql: GraphqlPermission;
  inference: InferencePermission;
  kubernetes_exec: KubernetesExecPermission;
}
