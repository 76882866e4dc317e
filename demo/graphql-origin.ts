import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { buildSchema, getOperationAST, graphql, parse } from "graphql";
import { BadRequest, listen, type Origin, pathOf, readJson, sendJson } from "./server.ts";

const SCHEMA = buildSchema(`
  type Pod { id: ID!, name: String!, status: String! }
  "Who the gateway says is asking."
  type Myself { account: String, key_id: String, environment: String, access: String }
  type Query { myself: Myself!, pods: [Pod!]!, pod(id: ID!): Pod }
  type Mutation {
    podCreate(name: String!): Pod!
    podStop(id: ID!): Pod
    podResume(id: ID!): Pod
  }
`);

interface Pod {
  id: string;
  name: string;
  status: "RUNNING" | "EXITED";
}

interface GraphqlRequest {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

/** Queries and mutations over a few pods, kept in memory. */
function createPods() {
  const pods = new Map<string, Pod>();
  const add = (id: string, name: string): Pod => {
    const pod: Pod = { id, name, status: "RUNNING" };
    pods.set(id, pod);
    return pod;
  };
  const setStatus = (id: string, status: Pod["status"]): Pod | undefined => {
    const pod = pods.get(id);
    if (pod !== undefined) pod.status = status;
    return pod;
  };
  add("pod-1", "trainer");
  add("pod-2", "notebook");
  return {
    pods: () => [...pods.values()],
    pod: ({ id }: { id: string }) => pods.get(id),
    podCreate: ({ name }: { name: string }) => add(`pod-${randomUUID().slice(0, 8)}`, name),
    podStop: ({ id }: { id: string }) => setStatus(id, "EXITED"),
    podResume: ({ id }: { id: string }) => setStatus(id, "RUNNING"),
    myself: (_: unknown, { headers }: IncomingMessage) => ({
      account: headers["x-postern-account"],
      key_id: headers["x-postern-key-id"],
      environment: headers["x-postern-environment"],
      access: headers["x-postern-access"],
    }),
  };
}

/**
 * The demo's GraphQL origin: `/graphql`, and `/test/graphql` with pods of its own. GraphQL over HTTP:
 * POST with JSON (a batch is an array), GET for queries.
 */
export function start(port: number): Promise<Origin> {
  const roots: Record<string, object> = { "/graphql": createPods(), "/test/graphql": createPods() };
  return listen(port, async (request, response) => {
    const rootValue = roots[pathOf(request)];
    if (rootValue === undefined) return sendJson(response, 404, { errors: [{ message: "Not found" }] });
    if (request.method !== "GET" && request.method !== "POST") {
      response.setHeader("allow", "GET, POST");
      return sendJson(response, 405, { errors: [{ message: "GET or POST" }] });
    }
    const body = request.method === "GET" ? fromQuery(request) : await readJson(request);
    const run = (each: unknown) => execute(each, rootValue, request);
    sendJson(response, 200, Array.isArray(body) ? await Promise.all(body.map(run)) : await run(body));
  });
}

async function execute(body: unknown, rootValue: object, contextValue: IncomingMessage) {
  const { query, operationName, variables } = (body ?? {}) as Partial<GraphqlRequest>;
  if (typeof query !== "string") return { errors: [{ message: "query is required" }] };
  if (contextValue.method === "GET" && !isQuery(query, operationName)) {
    return { errors: [{ message: "GET carries queries only" }] };
  }
  return graphql({
    schema: SCHEMA,
    source: query,
    rootValue,
    contextValue,
    operationName,
    variableValues: variables,
  });
}

function isQuery(query: string, operationName: string | undefined): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "query";
  } catch {
    // Not GraphQL at all: let the execution say where it breaks off.
    return true;
  }
}

function fromQuery(request: IncomingMessage): Partial<GraphqlRequest> {
  const parameters = new URL(request.url ?? "/", "http://origin").searchParams;
  const given: Record<string, unknown> = Object.fromEntries(parameters);
  if (typeof given.variables === "string") {
    try {
      given.variables = JSON.parse(given.variables);
    } catch {
      throw new BadRequest("variables is not JSON");
    }
  }
  return given;
}
