import type { KeyStatus } from "../keys/state.ts";
import type { KeyRow } from "./keys.ts";
import { and, type Bound } from "./write.ts";

/** The states of spec 3 in SQL; `?` is now. The order of precedence is the same as `keyStatus`'s. */
export const STATUS: Record<KeyStatus, string> = {
  revoked: "k.revoked_at IS NOT NULL AND ? IS NOT NULL",
  expired: "k.revoked_at IS NULL AND k.expires_at <= ?",
  disabled: "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) AND k.enabled = 0",
  active: "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) AND k.enabled = 1",
};

/** Holds while an active key fits. */
const isActive = (
  fits: "k.id = ? AND k.rotated_to IS ?" | "k.id = keys.rotated_to AND k.rotated_to IS NULL",
) => `EXISTS (SELECT 1 FROM keys k WHERE ${fits} AND ${STATUS.active})`;

/**
 * Holds while the account has room for one more active key (spec 3). Active keys count, but for those whose
 * successor is active and has not been rotated itself. Counts no further than the limit, which an import may
 * have left far behind; those that it passes over are no more, as each is made up for by one that counts.
 */
export function hasRoom(accountId: string, now: number): Bound {
  const limit = "(SELECT active_key_limit FROM accounts WHERE id = ?)";
  const active = (index: string, more: string) =>
    `SELECT 1 FROM keys INDEXED BY keys_${index}
     WHERE account_id = ? AND revoked_at IS NULL AND enabled = 1 AND rotated_to IS ${more}`;
  return {
    sql: `(SELECT count(*) FROM (${active("counted", "NULL AND expires_at IS NULL")}
             UNION ALL ${active("counted", "NULL AND expires_at > ?")}
             UNION ALL ${active("rotated", `NOT NULL AND expires_at > ? AND NOT ${isActive("k.id = keys.rotated_to AND k.rotated_to IS NULL")}`)}
             LIMIT ${limit})) < ${limit}`,
    values: [accountId, accountId, now, accountId, now, now, accountId, accountId],
  };
}

/**
 * Holds where enabling a disabled key, or rotating an enabled one, makes no more keys count, or there is room.
 * Enabling makes one more, unless the key's successor makes up for it, or it for its predecessor. Rotating makes
 * one more if the key's predecessor is active, as that counts from then on.
 */
export function roomFor(
  row: Pick<KeyRow, "id" | "account_id" | "enabled" | "rotated_from" | "rotated_to">,
  now: number,
): Bound {
  const other = row.rotated_to === null ? [row.rotated_from, row.id] : [row.rotated_to, null];
  const room = hasRoom(row.account_id, now);
  return {
    sql: `${row.enabled ? "NOT " : ""}${isActive("k.id = ? AND k.rotated_to IS ?")} OR ${room.sql}`,
    values: [...other, now, ...room.values],
  };
}

/** What keys are to name, by account: endpoints and namespaces whose records the account sees. */
export type Named = Record<string, { endpoint_ids: readonly string[]; namespace_ids: readonly string[] }>;

/** Holds while it still sees them: who deletes one finds no key that is about to name it. */
export const areSeen = (named: Named) =>
  and(
    ...["endpoint", "namespace"].map((what) => ({
      sql: `NOT EXISTS (SELECT 1 FROM json_each(?) a, json_each(a.value, '$.${what}_ids') named WHERE NOT EXISTS (
              SELECT 1 FROM ${what}s WHERE id = named.value AND coalesce(account_id, a.key) = a.key))`,
      values: [JSON.stringify(named)],
    })),
  );
