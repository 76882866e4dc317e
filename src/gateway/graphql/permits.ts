import type { GraphqlPermission } from "../../keys/permissions.ts";
import type { Operation } from "./result.ts";

/** `needed` names what is missing, for the denial's detail: `read`, `read_write` or e.g. `mutation podStop`. */
export type Verdict = { ok: true; access: "read" | "read_write" } | { ok: false; needed: string };

type FieldLists = Exclude<GraphqlPermission, string>;

/**
 * Whether a key may do *all* of these operations. `access` is what the request needs: a mutation is a write,
 * queries and subscriptions are reads.
 */
export function permits(permission: GraphqlPermission, operations: readonly Operation[]): Verdict {
  const access = operations.some((operation) => operation.type === "mutation") ? "read_write" : "read";
  if (typeof permission === "object") {
    for (const operation of operations) {
      const missing = missingField(permission, operation);
      if (missing !== null) return { ok: false, needed: missing };
    }
    return { ok: true, access };
  }
  if (permission === "read_write" || permission === access) return { ok: true, access };
  return { ok: false, needed: access };
}

/** The first root field that the lists do not name, as `type field`, or null. */
function missingField(permission: FieldLists, operation: Operation): string | null {
  const { type, rootFields } = operation;
  // Subscriptions have no list of their own: they are reads of whatever the origin pushes.
  if (type === "subscription") return permission.queries === "*" ? null : "subscription";
  const listed = type === "mutation" ? permission.mutations : permission.queries;
  if (listed === "*") return null;
  if (listed.length === 0) return type;
  // `__typename` tells the name of the root type; clients add it to any selection.
  const missing = rootFields.find((field) => field !== "__typename" && !listed.includes(field));
  return missing === undefined ? null : `${type} ${missing}`;
}
