import type { Access, Permissions } from "../../keys/permissions.ts";
import { graphqlFields, inferenceAccess } from "../../keys/permissions.ts";
import type { KeyView } from "../../keys/view.ts";
import type { Choices, EndpointChoice } from "./choices.ts";

/** A command to try a key with. */
export interface SampleCall {
  /** What it does: `Read the state of Jobs`. */
  title: string;
  command: string;
}

/**
 * Commands that a key may run: on an endpoint that was chosen for it by name if there is one, else on any
 * that it may call, else on GraphQL or Kubernetes. Empty when it may do nothing.
 */
export function sampleCalls(
  key: Pick<KeyView, "environment"> & { key: string },
  permissions: Permissions,
  choices: Choices,
  origin: string,
): SampleCall[] {
  const curl = (path: string, body?: object) =>
    [
      `curl ${quoted(origin + path)}`,
      `-H ${quoted(`Authorization: Bearer ${key.key}`)}`,
      ...(body === undefined
        ? []
        : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`]),
    ].join(" \\\n  ");

  const inference = inferenceEndpoint(permissions, choices, key.environment);
  if (inference !== null) {
    const { endpoint, access } = inference;
    const { name, path, protocol } = endpoint;
    const look = { serverless: "/health", openai: "/models", http: "", graphql: "" }[protocol];
    const calls = [{ title: `Read from ${name}`, command: curl(path + look) }];
    if (access === "read_write" && protocol === "serverless") {
      const body = { input: { prompt: "Hello" } };
      calls.push({ title: `Run a job on ${name}`, command: curl(`${path}/runsync`, body) });
    }
    if (access === "read_write" && protocol === "openai") {
      const body = { model: "YOUR_MODEL", messages: [{ role: "user", content: "Hello" }] };
      calls.push({ title: `Chat with ${name}`, command: curl(`${path}/chat/completions`, body) });
    }
    return calls;
  }

  const graphql = choices.endpoints.find(
    ({ api, environments }) => api === "graphql" && environments.includes(key.environment),
  );
  const { queries, mutations } = graphqlFields(permissions.graphql);
  if (graphql !== undefined && queries.length + mutations.length > 0) {
    const query = queries.length > 0 ? "{ __typename }" : "mutation { __typename }";
    return [{ title: `Ask ${graphql.name}`, command: curl(graphql.path, { query }) }];
  }

  const { kubernetes_exec: namespaces } = permissions;
  const id = typeof namespaces === "string" ? choices.namespaces[0]?.id : namespaces.namespace_ids[0];
  if (namespaces !== "none" && id !== undefined && key.environment === "production") {
    const path = `/v1/kubernetes/namespaces/${id}/kubeconfig`;
    return [{ title: "Get a kubeconfig for kubectl", command: curl(path) }];
  }
  return [];
}

/** The endpoint to try: first those named, the most powerful first; then those that all others are like. */
function inferenceEndpoint(
  permissions: Permissions,
  { endpoints }: Choices,
  environment: string,
): { endpoint: EndpointChoice; access: Access } | null {
  const { inference } = permissions;
  const named = typeof inference === "string" ? [] : Object.keys(inference.endpoints);
  const wildcard = endpoints.find(({ api, wildcard }) => api === "inference" && wildcard);
  const served = named.flatMap((id) =>
    wildcard === undefined || endpoints.some((endpoint) => endpoint.id === id)
      ? []
      : [{ ...wildcard, id, name: id, wildcard: false, path: wildcard.path.replace(/\*$/, id) }],
  );
  const usable = [...endpoints, ...served]
    .filter(
      ({ api, wildcard, environments }) =>
        api === "inference" && !wildcard && environments.includes(environment),
    )
    .map((endpoint) => ({ endpoint, access: inferenceAccess(permissions, endpoint.id) }))
    .filter(({ access }) => access !== "none");
  const rank = ({ endpoint, access }: (typeof usable)[number]) =>
    (named.includes(endpoint.id) ? 2 : 0) + (access === "read_write" ? 1 : 0);
  return usable.sort((one, other) => rank(other) - rank(one))[0] ?? null;
}

/** A word for a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
