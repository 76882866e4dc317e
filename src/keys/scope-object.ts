import {
  type Access,
  FULL,
  type GraphqlPermission,
  type InferencePermission,
  isAccess,
  type KubernetesExecPermission,
  NONE,
  type Permissions,
  READ_ONLY,
} from "./permissions.ts";
import {
  ALL_IS_ALONE,
  endpointId,
  excerpt,
  isFieldName,
  MIXED_SCOPES,
  MOST_ENTRIES,
  type Names,
  NO_NAMESPACE,
  NO_SCOPE,
  namespaceId,
  Refusal,
} from "./scope-parts.ts";

type Members = Record<string, unknown>;

/**
 * Reads the object shapes of `scopes`. Exactly one member says which shape it is. Errors are looked for
 * in this order, so that the most telling text wins: a wrong switch, a combination, a foreign member.
 */
export function parseScopeObject(scopes: unknown, names: Names): Permissions | Refusal {
  if (!isObject(scopes)) return new Refusal("scopes must be an object or a list of scope strings");
  const members = Object.keys(scopes);
  if (members.length === 0) return new Refusal(NO_SCOPE);
  for (const name of ["all", "read_only", "inference"]) {
    if (members.includes(name) && scopes[name] !== true) return new Refusal(`scopes.${name} must be true`);
  }
  if (members.length > 1) return new Refusal(combination(members));

  switch (members[0]) {
    case "all":
      return { ...FULL };
    case "read_only":
      return { ...READ_ONLY };
    case "inference":
      return { ...NONE, inference: "read_write" };
    case "kubernetes_exec": {
      const kubernetes_exec = parseKubernetesExec(scopes.kubernetes_exec, "kubernetes_exec", names);
      return kubernetes_exec instanceof Refusal ? kubernetes_exec : { ...NONE, kubernetes_exec };
    }
    case "restricted":
      return parseRestricted(scopes.restricted, names);
    default:
      return unknownMember(members[0]!);
  }
}

/** The text for more than one member at the top. */
function combination(members: readonly string[]): string {
  if (members.includes("all")) return ALL_IS_ALONE;
  const known = ["read_only", "restricted", "inference", "kubernetes_exec"];
  const foreign = members.find((name) => !known.includes(name));
  if (foreign !== undefined) return unknownMember(foreign).message;
  const alone = ["read_only", "restricted"].find((name) => members.includes(name));
  return alone === undefined ? MIXED_SCOPES : `${alone} cannot be combined with other scope fields`;
}

/** Each API on its own; what is not named is `none`. Also takes the canonical form, member by member. */
function parseRestricted(value: unknown, names: Names): Permissions | Refusal {
  if (!isObject(value)) return new Refusal("scopes.restricted must be an object");
  const foreign = foreignMember(value, "restricted", ["graphql", "inference", "kubernetes_exec"]);
  if (foreign) return foreign;
  const permissions: Permissions = { ...NONE };
  if (Object.hasOwn(value, "graphql")) {
    const graphql = parseGraphql(value.graphql);
    if (graphql instanceof Refusal) return graphql;
    permissions.graphql = graphql;
  }
  if (Object.hasOwn(value, "inference")) {
    const inference = parseInference(value.inference, names);
    if (inference instanceof Refusal) return inference;
    permissions.inference = inference;
  }
  if (Object.hasOwn(value, "kubernetes_exec")) {
    const kubernetes_exec = parseRestrictedKubernetesExec(value.kubernetes_exec, names);
    if (kubernetes_exec instanceof Refusal) return kubernetes_exec;
    permissions.kubernetes_exec = kubernetes_exec;
  }
  return permissions;
}

/** A level, or `{ queries?, mutations? }` with at least one of them; the one not named allows nothing. */
function parseGraphql(value: unknown): GraphqlPermission | Refusal {
  const at = "restricted.graphql";
  if (isAccess(value)) return value;
  if (!isObject(value)) return new Refusal(`scopes.${at} must be none, read, read_write or an object`);
  const foreign = foreignMember(value, at, ["queries", "mutations"]);
  if (foreign) return foreign;
  if (Object.keys(value).length === 0) return new Refusal(`scopes.${at} must name queries or mutations`);
  const queries = Object.hasOwn(value, "queries") ? parseFields(value.queries, `${at}.queries`) : [];
  if (queries instanceof Refusal) return queries;
  const mutations = Object.hasOwn(value, "mutations") ? parseFields(value.mutations, `${at}.mutations`) : [];
  return mutations instanceof Refusal ? mutations : { queries, mutations };
}

/** `"*"`, or a list of root field names. */
function parseFields(value: unknown, at: string): "*" | string[] | Refusal {
  if (value === "*") return "*";
  if (!Array.isArray(value)) return new Refusal(`scopes.${at} must be "*" or a list of root field names`);
  if (value.length > MOST_ENTRIES)
    return new Refusal(`scopes.${at} must list at most ${MOST_ENTRIES} fields`);
  const wrong = value.findIndex((field) => !isFieldName(field));
  return wrong < 0 ? value : new Refusal(`scopes.${at}[${wrong}] must be the name of a root field`);
}

/** A level, or `{ endpoints, others? }`: a level per endpoint and one for those not named. */
function parseInference(value: unknown, names: Names): InferencePermission | Refusal {
  const at = "restricted.inference";
  if (isAccess(value)) return value;
  if (!isObject(value)) return new Refusal(`scopes.${at} must be none, read, read_write or an object`);
  const foreign = foreignMember(value, at, ["endpoints", "others"]);
  if (foreign) return foreign;
  if (!Object.hasOwn(value, "endpoints") || !isObject(value.endpoints)) {
    return new Refusal(`scopes.${at}.endpoints must be an object`);
  }
  const entries = Object.entries(value.endpoints);
  if (entries.length > MOST_ENTRIES) {
    return new Refusal(`scopes.${at}.endpoints must name at most ${MOST_ENTRIES} endpoints`);
  }
  const levels: [string, Access][] = [];
  for (const [name, level] of entries) {
    const id = endpointId(name, names);
    if (id instanceof Refusal) return id;
    if (!isAccess(level)) return new Refusal(`scopes.${at}.endpoints.${id} must be none, read or read_write`);
    levels.push([id, level]);
  }
  const endpoints = Object.fromEntries(levels);
  if (!Object.hasOwn(value, "others")) return { endpoints };
  if (!isAccess(value.others)) return new Refusal(`scopes.${at}.others must be none, read or read_write`);
  return { endpoints, others: value.others };
}

function parseRestrictedKubernetesExec(value: unknown, names: Names): KubernetesExecPermission | Refusal {
  if (value === "none" || value === "all_namespaces") return value;
  return parseKubernetesExec(value, "restricted.kubernetes_exec", names);
}

/**
 * RemoteGPU's shape. `all_namespaces: true` wins over a list beside it, which the refusal text for an
 * empty list implies; the ids in that list must still be the account's. `false` is as if not there.
 */
function parseKubernetesExec(value: unknown, at: string, names: Names): KubernetesExecPermission | Refusal {
  if (!isObject(value)) return new Refusal(`scopes.${at} must be an object`);
  const foreign = foreignMember(value, at, ["namespace_ids", "all_namespaces"]);
  if (foreign) return foreign;
  const all = Object.hasOwn(value, "all_namespaces") ? value.all_namespaces : false;
  if (typeof all !== "boolean") return new Refusal(`scopes.${at}.all_namespaces must be true or false`);
  const listed = Object.hasOwn(value, "namespace_ids") ? value.namespace_ids : [];
  if (!Array.isArray(listed)) return new Refusal(`scopes.${at}.namespace_ids must be a list`);
  if (listed.length > MOST_ENTRIES) {
    return new Refusal(`scopes.${at}.namespace_ids must list at most ${MOST_ENTRIES} namespaces`);
  }
  const namespace_ids: string[] = [];
  for (const [index, text] of listed.entries()) {
    if (typeof text !== "string") return new Refusal(`scopes.${at}.namespace_ids[${index}] must be a string`);
    const id = namespaceId(text, names);
    if (id instanceof Refusal) return id;
    namespace_ids.push(id);
  }
  if (all) return "all_namespaces";
  return namespace_ids.length === 0 ? new Refusal(NO_NAMESPACE) : { namespace_ids };
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function foreignMember(value: Members, at: string, known: readonly string[]): Refusal | undefined {
  const foreign = Object.keys(value).find((name) => !known.includes(name));
  return foreign === undefined ? undefined : unknownMember(`${at}.${foreign}`);
}

function unknownMember(path: string): Refusal {
  return new Refusal(`Unknown scope member: ${excerpt(path)}`);
}
