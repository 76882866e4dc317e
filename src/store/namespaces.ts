import { isTaken, type NamingKey, namedByNoKey, namingKeys } from "./naming-keys.ts";
import { and, type Bound, FIRST_VERSION, type Write } from "./write.ts";

/** Where a namespace's kube-apiserver is, and how its credentials are addressed. */
export interface Cluster {
  /** URL of the kube-apiserver; only clients ever call it. */
  server: string;
  /** PEM, in base64, as in a kubeconfig. */
  certificate_authority_data?: string | undefined;
  /** Audience of the tokens the cluster accepts. */
  audience: string;
}

/** A Kubernetes namespace as stored. */
export interface NamespaceRow {
  /** Lower-case UUID. */
  id: string;
  account_id: string;
  name: string;
  cluster: Cluster;
  version: number;
  created_at: number;
  updated_at: number;
}

const fromRow = (row: Record<string, unknown>) =>
  ({ ...row, cluster: JSON.parse(row.cluster as string) }) as NamespaceRow;

export async function readNamespace(db: D1Database, id: string): Promise<NamespaceRow | null> {
  const row = await db
    .prepare("SELECT * FROM namespaces WHERE id = ?")
    .bind(id)
    .first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** A page of namespaces in the order of their ids, after `after`; with `account_id`, that account's. */
export async function listNamespaces(
  db: D1Database,
  filter: { account_id?: string | undefined },
  page: { limit: number; after: string | null },
): Promise<NamespaceRow[]> {
  const { account_id } = filter;
  const { results } = await db
    .prepare(
      `SELECT * FROM namespaces WHERE id > ? ${account_id === undefined ? "" : "AND account_id = ?"}
       ORDER BY id LIMIT ?`,
    )
    .bind(page.after ?? "", ...(account_id === undefined ? [] : [account_id]), page.limit)
    .all<Record<string, unknown>>();
  return results.map(fromRow);
}

/** Which of `ids` are not the account's. */
export async function foreignNamespaces(
  db: D1Database,
  ids: readonly string[],
  accountId: string,
): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT value AS id FROM json_each(?) EXCEPT SELECT id FROM namespaces WHERE account_id = ?")
    .bind(JSON.stringify(ids), accountId)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/**
 * Adds a namespace, or changes it; guarded by its account being there, by nobody having changed it since, and
 * by no live key naming it whose account it is taken from.
 */
export function putNamespace(before: NamespaceRow | null, row: Omit<NamespaceRow, "version">): Write {
  const values = [row.account_id, row.name, JSON.stringify(row.cluster), row.updated_at];
  const owned = "EXISTS (SELECT 1 FROM accounts WHERE id = ?)";
  if (before === null) {
    return {
      subjects: [],
      guard: {
        sql: `NOT EXISTS (SELECT 1 FROM namespaces WHERE id = ?) AND ${owned}`,
        values: [row.id, row.account_id],
      },
      statements: [
        {
          sql: `INSERT INTO namespaces (account_id, name, cluster, updated_at, created_at, id, version)
                SELECT ?, ?, ?, ?, ?, ?, ${FIRST_VERSION} WHERE NOT EXISTS (SELECT 1 FROM namespaces WHERE id = ?)`,
          values: [...values, row.created_at, row.id, row.id],
        },
      ],
    };
  }
  const unchanged: Bound = {
    sql: `EXISTS (SELECT 1 FROM namespaces WHERE id = ? AND version = ?) AND ${owned}`,
    values: [row.id, before.version, row.account_id],
  };
  // Taking it from an account is refused as deleting it is.
  const taken = isTaken(before, row)
    ? [namedByNoKey(IN_PERMISSIONS, row.id, row.updated_at, row.account_id)]
    : [];
  return {
    subjects: [],
    guard: and(unchanged, ...taken),
    statements: [
      {
        sql: `UPDATE namespaces SET account_id = ?, name = ?, cluster = ?, updated_at = ?, version = version + 1
              WHERE id = ? AND version = ?`,
        values: [...values, row.id, before.version],
      },
    ],
  };
}

/** Where a key's permissions name namespaces (spec 6: `in_use`). */
const IN_PERMISSIONS = ["$.kubernetes_exec.namespace_ids", "value"] as const;

/** Some of the keys that keep a namespace from being deleted, or given to the account `except`. */
export function keysNamingNamespace(
  db: D1Database,
  id: string,
  now: number,
  except: string | null = null,
): Promise<NamingKey[]> {
  return namingKeys(db, IN_PERMISSIONS, id, now, except);
}

/** Deletes a namespace that no live key names. */
export function deleteNamespace(row: NamespaceRow, now: number): Write {
  return {
    subjects: [],
    guard: and(
      {
        sql: "EXISTS (SELECT 1 FROM namespaces WHERE id = ? AND version = ?)",
        values: [row.id, row.version],
      },
      namedByNoKey(IN_PERMISSIONS, row.id, now),
    ),
    statements: [
      { sql: "DELETE FROM namespaces WHERE id = ? AND version = ?", values: [row.id, row.version] },
    ],
  };
}
