import type { Bound } from "./write.ts";

/** A key whose permissions name something. */
export interface NamingKey {
  id: string;
  account_id: string;
  name: string;
}

/** Where in a key's permissions names stand: the path of their list or map, and which part of its entries they are. */
type Place =
  | readonly [path: "$.inference.endpoints", part: "key"]
  | readonly [path: "$.kubernetes_exec.namespace_ids", part: "value"];

/** At most so many are told: enough to begin with. */
const TOLD = 3;

const naming = (...[path, part]: Place) => `FROM keys, json_each(keys.permissions, '${path}') named
  WHERE keys.revoked_at IS NULL AND (keys.expires_at IS NULL OR keys.expires_at > ?) AND named.${part} = ?
  AND keys.account_id IS NOT ?`;

/** Holds while no key that is neither revoked nor expired names it. Keys of the account `except` do not count. */
export const namedByNoKey = (
  place: Place,
  name: string,
  now: number,
  except: string | null = null,
): Bound => ({ sql: `NOT EXISTS (SELECT 1 ${naming(...place)})`, values: [now, name, except] });

/** Whether a change takes an owned record from accounts: to be given to all is to be taken from nobody. */
export const isTaken = (before: Owned, after: Owned) =>
  after.account_id !== null && after.account_id !== before.account_id;

interface Owned {
  account_id: string | null;
}

/** Some of the keys that `namedByNoKey` holds against, the oldest first. */
export async function namingKeys(
  db: D1Database,
  place: Place,
  name: string,
  now: number,
  except: string | null,
): Promise<NamingKey[]> {
  const { results } = await db
    .prepare(
      `SELECT keys.id, keys.account_id, keys.name ${naming(...place)}
       ORDER BY keys.created_at, keys.id LIMIT ${TOLD}`,
    )
    .bind(now, name, except)
    .all<NamingKey>();
  return results;
}
