import { type GraphqlPermission, graphqlAllows, graphqlFields } from "../../keys/permissions.ts";
import type { Operation } from "./result.ts";

/** `needed` names what is missing, for the denial's detail: `read`, `read_write` or e.g. `mutation podStop`. */
export type Verdict = { ok: true; access: "read" | "read_write" } | { ok: false; needed: string };

/**
 * Whether a key may do *all* of these operations. `access` is what the request needs: a mutation is a write,
 * queries and subscriptions are reads.
 */
export function permits(permission: GraphqlPermission, operations: readonly Operation[]): Verdict {
  const access = operations.some((operation) => operation.type === "mutation") ? "read_write" : "read";
  const refused = operations.find((operation) => !graphqlAllows(permission, operation));
  if (refused === undefined) return { ok: true, access };
  return { ok: false, needed: typeof permission === "string" ? access : missing(permission, refused) };
}

/** What a refused operation lacks: `type field` for the first field that is not listed, else its type. */
function missing(permission: GraphqlPermission, { type, rootFields }: Operation): string {
  if (type === "subscription") return type;
  const { queries, mutations } = graphqlFields(permission);
  const listed = type === "mutation" ? mutations : queries;
  const field = rootFields.find((name) => name !== "__typename" && !listed.includes(name));
  return listed.length === 0 || field === undefined ? type : `${type} ${field}`;
}
