import type { Denial } from "../denial.ts";
import { isTaken, type NamingKey } from "../store/naming-keys.ts";

/**
 * Why a change of an owned record was refused: `keys` of accounts that it would have been taken from; else
 * it has changed meanwhile.
 */
export async function whyRefused(
  what: "endpoint" | "namespace",
  before: { account_id: string | null } | null,
  after: { account_id: string | null },
  keys: () => Promise<NamingKey[]>,
): Promise<Denial | "again"> {
  if (before === null || !isTaken(before, after)) return "again";
  const named = await keys();
  return named.length === 0 ? "again" : inUse(what, named);
}

/** 409 `in_use` that names some of the keys in the way. */
export function inUse(what: "endpoint" | "namespace", keys: readonly NamingKey[]): Denial {
  const named = keys.map(({ id, account_id, name }) => `${name} (${id} of ${account_id})`).join(", ");
  const detail = `A key that is neither revoked nor expired names this ${what}`;
  return { code: "in_use", detail: named === "" ? detail : `${detail}: ${named}` };
}
