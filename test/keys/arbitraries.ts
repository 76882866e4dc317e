import fc from "fast-check";
import type { Access, Permissions } from "../../src/keys/permissions.ts";
import { graphqlAllows, inferenceAccess, mayExecInNamespace } from "../../src/keys/permissions.ts";

/** Few names, so that generated values meet; some that a prototype or the grammar could confuse. */
export const ENDPOINTS = ["ep1", "ep-2", "read", "write", "constructor"];
export const FIELDS = ["pod", "podStop", "toString"];
export const NAMESPACES = [
  "0b0e5cf4-6d39-4a0a-8a5c-3f0f6f7d2a11",
  "5e8f1c52-9f0e-4f53-9d8f-97c1a6d3b7aa",
  "c3a1d1de-70b2-4c52-8a91-0f1f1f2f3f4f",
];
/** Never named by a generated value: stands for everything else. */
export const OTHER = {
  endpoint: "elsewhere",
  field: "other",
  namespace: "ffffffff-ffff-4fff-8fff-ffffffffffff",
};

export const anyAccess = fc.constantFrom<Access>("none", "read", "read_write");

const anyFields = fc.oneof(fc.constant("*" as const), fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }));
const anyEndpoints = fc.dictionary(fc.constantFrom(...ENDPOINTS), anyAccess, {
  maxKeys: 4,
  // Records as JSON makes them.
  noNullPrototype: true,
});

export const anyGraphql = fc.oneof(anyAccess, fc.record({ queries: anyFields, mutations: anyFields }));

export const anyInference = fc.oneof(
  anyAccess,
  fc.record({ endpoints: anyEndpoints }),
  fc.record({ endpoints: anyEndpoints, others: anyAccess }),
);

export const anyNamespaceIds = fc.array(fc.constantFrom(...NAMESPACES), { minLength: 1, maxLength: 4 });

export const anyPermissions: fc.Arbitrary<Permissions> = fc.record({
  graphql: anyGraphql,
  inference: anyInference,
  kubernetes_exec: fc.oneof(
    fc.constantFrom("none" as const, "all_namespaces" as const),
    fc.record({ namespace_ids: anyNamespaceIds }),
  ),
});

/** Everything a key may do among these names, each right as a word. */
export function rights(permissions: Permissions): string[] {
  const held: string[] = [];
  for (const id of [...ENDPOINTS, OTHER.endpoint]) {
    const access = inferenceAccess(permissions, id);
    if (access !== "none") held.push(`read ${id}`);
    if (access === "read_write") held.push(`write ${id}`);
  }
  for (const kind of ["query", "mutation", "subscription"] as const) {
    for (const field of [...FIELDS, OTHER.field, "__schema"]) {
      if (graphqlAllows(permissions.graphql, { type: kind, rootFields: [field] }))
        held.push(`${kind} ${field}`);
    }
  }
  for (const id of [...NAMESPACES, OTHER.namespace]) {
    if (mayExecInNamespace(permissions, "production", id)) held.push(`exec ${id}`);
  }
  return held;
}
