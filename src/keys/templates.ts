import type { Scopes } from "./scopes.ts";

/** Named permissions. A key remembers the template it came from and does not change when it does. */
export interface PermissionTemplate {
  name: string;
  description: string;
  scopes: Scopes;
}

/** The templates every account has; accounts add their own under other names. */
export const BUILT_IN_TEMPLATES: readonly PermissionTemplate[] = [
  {
    name: "full_access",
    description: "Everything: GraphQL, every endpoint and every Kubernetes namespace.",
    scopes: { all: true },
  },
  {
    name: "read_only",
    description: "Reads on GraphQL and on every endpoint; no Kubernetes.",
    scopes: { read_only: true },
  },
  {
    name: "inference_client",
    description: "Reads and writes on every endpoint, for applications that call models.",
    scopes: { inference: true },
  },
  {
    name: "inference_monitor",
    description: "Reads on every endpoint, for dashboards and alerts.",
    scopes: { restricted: { inference: "read" } },
  },
  {
    name: "kubectl",
    description: "Kubernetes credentials for every namespace, and nothing else.",
    scopes: { kubernetes_exec: { all_namespaces: true } },
  },
  {
    name: "ci_deploy",
    description: "GraphQL reads and writes for deployment pipelines; no endpoint can be called.",
    scopes: { restricted: { graphql: "read_write" } },
  },
];

/** The built-in template of that name, if there is one. */
export function builtInTemplate(name: string): PermissionTemplate | undefined {
  return BUILT_IN_TEMPLATES.find((template) => template.name === name);
}
