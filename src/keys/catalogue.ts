/** One scope string and a sentence that says what it allows. */
export interface CatalogueScope {
  scope: string;
  description: string;
}

export interface ScopeGroup {
  group: "inference" | "graphql" | "kubernetes_exec";
  scopes: CatalogueScope[];
}

interface Named {
  id: string;
  name: string;
}

/**
 * Every scope string an account can use, given the inference endpoints and the namespaces it sees. Each
 * parses as it stands. Single GraphQL root fields have no entry: the gateway does not know the origin's
 * schema, so the sentences on `graphql:queries:*` and `graphql:mutations:*` tell how to name one.
 */
export function scopeCatalogue(
  endpoints: readonly Named[],
  namespaces: readonly Named[],
): { groups: ScopeGroup[] } {
  return {
    groups: [
      { group: "inference", scopes: [...INFERENCE, ...endpoints.flatMap(endpointScopes)] },
      { group: "graphql", scopes: [...GRAPHQL] },
      { group: "kubernetes_exec", scopes: [...KUBERNETES_EXEC, ...namespaces.map(namespaceScope)] },
    ],
  };
}

const INFERENCE: readonly CatalogueScope[] = [
  { scope: "inference:read", description: "Read status, results and health on every endpoint." },
  { scope: "inference:write", description: "Read, and submit or cancel work, on every endpoint." },
];

const GRAPHQL: readonly CatalogueScope[] = [
  { scope: "graphql:read", description: "Run every GraphQL query and subscription." },
  {
    scope: "graphql:write",
    description:
      "Run every GraphQL query, subscription and mutation. This is full control of the account's resources.",
  },
  {
    scope: "graphql:queries:*",
    description:
      "Run every GraphQL query and subscription; put a root field's name for * to allow that query alone.",
  },
  {
    scope: "graphql:mutations:*",
    description: "Run every GraphQL mutation; put a root field's name for * to allow that mutation alone.",
  },
];

const KUBERNETES_EXEC: readonly CatalogueScope[] = [
  { scope: "kubernetes_exec:*", description: "Use kubectl in every namespace of the account." },
];

function endpointScopes({ id, name }: Named): CatalogueScope[] {
  return [
    { scope: `inference:${id}:read`, description: `Read status, results and health on ${name}.` },
    { scope: `inference:${id}:write`, description: `Read, and submit or cancel work, on ${name}.` },
  ];
}

function namespaceScope({ id, name }: Named): CatalogueScope {
  return { scope: `kubernetes_exec:${id}`, description: `Use kubectl in the namespace ${name}.` };
}
