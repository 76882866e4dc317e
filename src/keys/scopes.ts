import {
  type Access,
  canonicalPermissions,
  type GraphqlPermission,
  type InferencePermission,
  type KubernetesExecPermission,
  type Permissions,
  permissionLabel,
} from "./permissions.ts";
import { parseScopeList } from "./scope-list.ts";
import { parseScopeObject } from "./scope-object.ts";
import { type Names, Refusal } from "./scope-parts.ts";

export { unknownEndpoint, unknownNamespace } from "./scope-parts.ts";

/** RemoteGPU's Kubernetes shape. */
export interface KubernetesExecScope {
  namespace_ids?: string[];
  all_namespaces?: boolean;
}

/** Each API on its own; what is not named is `none`. */
export interface RestrictedScope {
  graphql?: Access | Partial<Exclude<GraphqlPermission, Access>>;
  inference?: InferencePermission;
  kubernetes_exec?: KubernetesExecPermission | KubernetesExecScope;
}

/** The JSON in which a client spells permissions: the table of section 4 of the spec. */
export type Scopes =
  | { all: true }
  | { read_only: true }
  | { inference: true }
  | { kubernetes_exec: KubernetesExecScope }
  | { restricted: RestrictedScope }
  | string[];

/**
 * `names` holds every endpoint and namespace that was named, also those named without effect: the
 * caller refuses the ones its account cannot see, with `unknownEndpoint` or `unknownNamespace`.
 * Ids are sorted; namespace ids are in lower case.
 */
export type ParsedScopes =
  | { ok: true; permissions: Permissions; names: { endpoint_ids: string[]; namespace_ids: string[] } }
  | { ok: false; message: string };

/**
 * Reads `scopes` as a client sent it (parsed JSON, not yet checked in any way) into canonical
 * permissions. A refusal is a 400, its `message` the text of section 4 or one that names the member.
 * No list may hold more than 200 entries. Pure: whether names exist is the caller's to check.
 */
export function parseScopes(value: unknown): ParsedScopes {
  const names: Names = { endpoint_ids: new Set(), namespace_ids: new Set() };
  const parsed = Array.isArray(value) ? parseScopeList(value, names) : parseScopeObject(value, names);
  if (parsed instanceof Refusal) return { ok: false, message: parsed.message };
  return {
    ok: true,
    permissions: canonicalPermissions(parsed),
    names: {
      endpoint_ids: [...names.endpoint_ids].sort(),
      namespace_ids: [...names.namespace_ids].sort(),
    },
  };
}

/**
 * Spells permissions as `scopes`, for keys whose scopes nobody sent (legacy ones, and native ones that
 * replace them). Parsing the result yields the same canonical permissions.
 */
export function renderScopes(permissions: Permissions): Scopes {
  const label = permissionLabel(permissions, false);
  if (label === "read_write") return { all: true };
  if (label === "read_only") return { read_only: true };
  const { graphql, inference, kubernetes_exec } = canonicalPermissions(permissions);
  const restricted: RestrictedScope = {};
  if (graphql !== "none") restricted.graphql = graphql;
  if (inference !== "none") restricted.inference = inference;
  if (kubernetes_exec === "all_namespaces") restricted.kubernetes_exec = { all_namespaces: true };
  else if (kubernetes_exec !== "none") restricted.kubernetes_exec = kubernetes_exec;
  return { restricted };
}
