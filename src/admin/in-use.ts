import type { Denial } from "../denial.ts";
import type { NamingKey } from "../store/naming-keys.ts";

/** 409 `in_use` that names some of the keys in the way. */
export function inUse(what: "endpoint" | "namespace", keys: readonly NamingKey[]): Denial {
  const named = keys.map(({ id, account_id, name }) => `${name} (${id} of ${account_id})`).join(", ");
  const detail = `A key that is neither revoked nor expired names this ${what}`;
  return { code: "in_use", detail: named === "" ? detail : `${detail}: ${named}` };
}
