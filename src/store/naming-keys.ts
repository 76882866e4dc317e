/** A key whose permissions name something. */
export interface NamingKey {
  id: string;
  account_id: string;
  name: string;
}

/** Where in a key's permissions names stand: the path of their list or map, and which part of its entries they are. */
type Place =
  | [path: "$.inference.endpoints", part: "key"]
  | [path: "$.kubernetes_exec.namespace_ids", part: "value"];

/** At most so many are told: enough to begin with. */
const TOLD = 3;

const naming = (...[path, part]: Place) => `FROM keys, json_each(keys.permissions, '${path}') named
  WHERE keys.revoked_at IS NULL AND (keys.expires_at IS NULL OR keys.expires_at > ?) AND named.${part} = ?
  AND keys.account_id IS NOT ?`;

/**
 * Holds while a key that is neither revoked nor expired names it; `?` are the time, the name, and the account
 * whose keys do not count (or null).
 */
export const namedByAKey = (...place: Place) => `EXISTS (SELECT 1 ${naming(...place)})`;

/** Some of the keys that name it and are neither revoked nor expired, the oldest first. Those of `except` do not count. */
export async function namingKeys(
  db: D1Database,
  ...[path, part, name, now, except]: [...Place, string, number, string | null]
): Promise<NamingKey[]> {
  const { results } = await db
    .prepare(
      `SELECT keys.id, keys.account_id, keys.name ${naming(...([path, part] as Place))}
       ORDER BY keys.created_at, keys.id LIMIT ${TOLD}`,
    )
    .bind(now, name, except)
    .all<NamingKey>();
  return results;
}
