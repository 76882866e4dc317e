import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../src/endpoints/endpoint.ts";
import { decide } from "../../src/gateway/decide.ts";
import type { Environment, KeyRecord } from "../../src/keys/record.ts";
import { parseScopes } from "../../src/keys/scopes.ts";
import { anyGraphql, anyInference, ENDPOINTS, FIELDS, NAMESPACES, OTHER } from "./arbitraries.ts";

/**
 * What the gateway decides for a key of any scopes equals this table, which is written from section 4 of the
 * specification alone: it reads scopes as they were sent, and knows nothing of canonical permissions.
 */

type Level = "none" | "read" | "read_write";
type Kind = "query" | "mutation" | "subscription";
// biome-ignore lint/suspicious/noExplicitAny: whatever was sent
type Sent = any;

const strings = (scopes: Sent) => (scopes as string[]).map((scope) => scope.split(":"));
const allows = (level: Level, write: boolean) => level === "read_write" || (level === "read" && !write);

function mayCall(scopes: Sent, id: string, write: boolean): boolean {
  if (Array.isArray(scopes)) {
    return strings(scopes).some(([api, ...rest]) => {
      if (api !== "inference") return false;
      const [name, level] = rest.length === 2 ? rest : [id, rest[0]];
      return name === id && (level === "write" || !write);
    });
  }
  if (scopes.all) return true;
  if (scopes.read_only) return !write;
  if (scopes.inference) return true;
  const inference = scopes.restricted?.inference ?? "none";
  if (typeof inference === "string") return allows(inference as Level, write);
  const named = Object.entries(inference.endpoints as Record<string, Level>).find(([name]) => name === id);
  return allows(named?.[1] ?? inference.others ?? "none", write);
}

/** `field` is the name of a root field, or `*` for all there are. */
function mayRun(scopes: Sent, kind: Kind, field: string): boolean {
  const every = kind === "subscription" ? "*" : field;
  if (Array.isArray(scopes)) {
    return strings(scopes).some(([api, what, name]) => {
      if (api !== "graphql") return false;
      if (what === "write") return true;
      if (what === "read") return kind !== "mutation";
      return (what === "mutations") === (kind === "mutation") && (name === "*" || name === every);
    });
  }
  if (scopes.all) return true;
  if (scopes.read_only) return kind !== "mutation";
  const graphql = scopes.restricted?.graphql ?? "none";
  if (typeof graphql === "string") return allows(graphql as Level, kind === "mutation");
  const fields = (kind === "mutation" ? graphql.mutations : graphql.queries) ?? [];
  return fields === "*" || fields.includes(every);
}

const level = fc.constantFrom("read", "write");
const scopeString = fc.oneof(
  level.map((word) => `inference:${word}`),
  fc.tuple(fc.constantFrom(...ENDPOINTS), level).map(([id, word]) => `inference:${id}:${word}`),
  level.map((word) => `graphql:${word}`),
  fc
    .tuple(fc.constantFrom("queries", "mutations"), fc.constantFrom("*", ...FIELDS))
    .map(([kind, field]) => `graphql:${kind}:${field}`),
  fc.constantFrom("*", ...NAMESPACES).map((id) => `kubernetes_exec:${id}`),
);

/** Every shape there is. */
const anyScopes: fc.Arbitrary<Sent> = fc.oneof(
  fc.constantFrom({ all: true }, { read_only: true }, { inference: true }),
  fc.constantFrom(
    { kubernetes_exec: { all_namespaces: true } },
    { kubernetes_exec: { namespace_ids: [NAMESPACES[0]] } },
  ),
  fc
    .record({ graphql: anyGraphql, inference: anyInference }, { requiredKeys: [] })
    .map((restricted) => ({ restricted })),
  fc.array(scopeString, { minLength: 1, maxLength: 6 }),
);

const anyEnvironment = fc.constantFrom<Environment>("production", "test");

function keyOf(scopes: Sent, environment: Environment): KeyRecord {
  const parsed = parseScopes(scopes);
  if (!parsed.ok) throw new Error(parsed.message);
  // As D1 and KV keep it.
  return { environment, permissions: JSON.parse(JSON.stringify(parsed.permissions)) } as KeyRecord;
}

const PRODUCTION = "https://live.test";
const SANDBOX = "https://sandbox.test";
const matchOf = (id: string, api: "inference" | "graphql", sandbox: boolean) => ({
  endpoint: { id, api, origin: PRODUCTION, test_origin: sandbox ? SANDBOX : null } as Endpoint,
  id,
  depth: 2,
  wildcard: false,
});

/** What comes first: a test key goes to the test origin, or nowhere. */
function destination(environment: Environment, sandbox: boolean): string | null {
  if (environment === "production") return PRODUCTION;
  return sandbox ? SANDBOX : null;
}

/** Asserts a decision: to this origin with this access, or the 403 that goes with it. */
function expectDecision(decision: object, may: boolean, to: string | null, access: string): void {
  if (to === null) expect(decision).toMatchObject({ code: "environment_not_available" });
  else if (may) expect(decision).toEqual({ origin: to, access });
  else expect(decision).toMatchObject({ code: "insufficient_scope" });
}

describe("decide equals the plain table over (scopes × API × endpoint × access × environment)", () => {
  test("inference", () => {
    const ids = [...ENDPOINTS, OTHER.endpoint, "__proto__", "toString"];
    fc.assert(
      fc.property(anyScopes, anyEnvironment, fc.boolean(), (scopes, environment, sandbox) => {
        const key = keyOf(scopes, environment);
        for (const id of ids) {
          for (const operation of ["read", "write"] as const) {
            const write = operation === "write";
            const decision = decide(key, matchOf(id, "inference", sandbox), operation, null);
            const may = mayCall(scopes, id, write);
            expectDecision(decision, may, destination(environment, sandbox), write ? "read_write" : "read");
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("GraphQL, by the root fields of all operations", () => {
    const operation = fc.record({
      type: fc.constantFrom<Kind>("query", "mutation", "subscription"),
      rootFields: fc.uniqueArray(fc.constantFrom(...FIELDS, OTHER.field, "__schema"), {
        minLength: 1,
        maxLength: 3,
      }),
    });
    const document = fc.array(operation, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        anyScopes,
        document,
        anyEnvironment,
        fc.boolean(),
        (scopes, operations, environment, sandbox) => {
          const judged = { kind: "judged", operations, body: null, query: "" } as const;
          const decision = decide(
            keyOf(scopes, environment),
            matchOf("g", "graphql", sandbox),
            "inspect",
            judged,
          );
          const may = operations.every(({ type, rootFields }) =>
            rootFields.every((field) => mayRun(scopes, type, field)),
          );
          const writes = operations.some(({ type }) => type === "mutation");
          expectDecision(decision, may, destination(environment, sandbox), writes ? "read_write" : "read");
        },
      ),
      { numRuns: 4000 },
    );
  });

  test("GraphQL that is not inspected: a WebSocket, or a body that streams", () => {
    fc.assert(
      fc.property(anyScopes, anyEnvironment, fc.boolean(), (scopes, environment, sandbox) => {
        const decision = decide(keyOf(scopes, environment), matchOf("g", "graphql", sandbox), "write", null);
        const may = mayRun(scopes, "query", "*") && mayRun(scopes, "mutation", "*");
        expectDecision(decision, may, destination(environment, sandbox), "read_write");
      }),
      { numRuns: 1000 },
    );
  });
});
