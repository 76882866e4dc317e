import { joinPermissions } from "./join.ts";
import { type Access, type GraphqlPermission, NONE, type Permissions } from "./permissions.ts";
import {
  endpointId,
  excerpt,
  isFieldName,
  MOST_ENTRIES,
  type Names,
  NO_SCOPE,
  namespaceId,
  Refusal,
} from "./scope-parts.ts";

/** The last word of a scope string. Write includes read. */
const LEVELS = new Map<string | undefined, Access>([
  ["read", "read"],
  ["write", "read_write"],
]);

/**
 * Reads a list of scope strings, told apart by their first word and their number of segments, so an
 * endpoint may be named `read`:
 *
 * - `inference:read`, `inference:write`: every endpoint
 * - `inference:ENDPOINT:read`, `inference:ENDPOINT:write`: one
 * - `graphql:read`, `graphql:write`: every query and subscription; mutations too
 * - `graphql:queries:FIELD`, `graphql:mutations:FIELD`: one root field; `*` is all of that kind
 * - `kubernetes_exec:NAMESPACE`, `kubernetes_exec:*`: one namespace; all
 *
 * The result allows what any of them allows. Repetitions are harmless.
 */
export function parseScopeList(list: readonly unknown[], names: Names): Permissions | Refusal {
  if (list.length === 0) return new Refusal(NO_SCOPE);
  if (list.length > MOST_ENTRIES) return new Refusal(`scopes must list at most ${MOST_ENTRIES} scopes`);
  const grants: Permissions[] = [];
  for (const [index, scope] of list.entries()) {
    if (typeof scope !== "string") return new Refusal(`scopes[${index}] must be a string`);
    const grant = parseScope(scope, names);
    if (grant instanceof Refusal) return grant;
    grants.push({ ...NONE, ...grant });
  }
  return joinPermissions(grants);
}

const unknownScope = (scope: string) =>
  `Unknown scope: "${excerpt(scope)}". GET /v1/account/scopes lists those there are`;

function parseScope(scope: string, names: Names): Partial<Permissions> | Refusal {
  const [api, ...rest] = scope.split(":");
  const parse = PARSERS.get(api);
  return parse?.(rest, names) ?? new Refusal(unknownScope(scope));
}

/** What follows the first word; `undefined` where that says nothing. */
type Parse = (rest: readonly string[], names: Names) => Partial<Permissions> | Refusal | undefined;

const PARSERS = new Map<string | undefined, Parse>([
  ["inference", parseInference],
  ["graphql", parseGraphql],
  ["kubernetes_exec", parseKubernetesExec],
]);

function parseInference(rest: readonly string[], names: Names): ReturnType<Parse> {
  const level = LEVELS.get(rest.at(-1));
  if (level === undefined || rest.length > 2) return undefined;
  if (rest.length === 1) return { inference: level };
  const id = endpointId(rest[0]!, names);
  return id instanceof Refusal ? id : { inference: { endpoints: { [id]: level } } };
}

function parseGraphql(rest: readonly string[]): ReturnType<Parse> {
  if (rest.length === 1) {
    const level = LEVELS.get(rest[0]);
    return level && { graphql: level };
  }
  const [kind, field] = rest;
  if (rest.length !== 2 || (field !== "*" && !isFieldName(field))) return undefined;
  const fields: GraphqlPermission = { queries: [], mutations: [] };
  if (kind !== "queries" && kind !== "mutations") return undefined;
  fields[kind] = field === "*" ? "*" : [field];
  return { graphql: fields };
}

function parseKubernetesExec(rest: readonly string[], names: Names): ReturnType<Parse> {
  if (rest.length !== 1) return undefined;
  if (rest[0] === "*") return { kubernetes_exec: "all_namespaces" };
  const id = namespaceId(rest[0]!, names);
  return id instanceof Refusal ? id : { kubernetes_exec: { namespace_ids: [id] } };
}
