import type { Endpoint, EndpointNode } from "../endpoints/endpoint.ts";
import { idOfNode, nodesOf } from "../endpoints/path.ts";
import { isTaken, type NamingKey, namedByNoKey, namingKeys } from "./naming-keys.ts";
import { and, type Bound, FIRST_VERSION, type Write } from "./write.ts";

/** An endpoint as stored. */
export type EndpointRow = Endpoint & { version: number; created_at: number; updated_at: number };

const COLUMNS = [
  "account_id",
  "name",
  "api",
  "protocol",
  "path",
  "origin",
  "test_origin",
  "operations",
  "credential",
  "assertion",
  "allow_query_key",
  "redirects",
  "timeout_seconds",
  "freshness",
  "cors",
  "updated_at",
] as const;

const JSON_COLUMNS = ["operations", "credential", "cors"] as const;
const BOOLEAN_COLUMNS = ["assertion", "allow_query_key"] as const;

function fromRow(row: Record<string, unknown>): EndpointRow {
  const endpoint: Record<string, unknown> = { ...row };
  for (const column of JSON_COLUMNS) {
    endpoint[column] = row[column] === null ? null : JSON.parse(row[column] as string);
  }
  for (const column of BOOLEAN_COLUMNS) endpoint[column] = row[column] === 1;
  return endpoint as unknown as EndpointRow;
}

/** The subjects of a path node's cache entry: the path and, where it has the form of one, the id. */
export function nodeSubjects(path: string): string[] {
  const id = idOfNode(path);
  return id === null ? [pathSubject(path)] : [pathSubject(path), idSubject(id)];
}

const pathSubject = (path: string) => `endpoint:${path}`;
const idSubject = (id: string) => `endpoint:${id}`;

/** Reads one node of the path tree, on the primary. */
export async function readNode(db: D1Database, path: string): Promise<EndpointNode> {
  const { results } = await db
    .prepare(
      `SELECT 'self' AS part, e.* FROM endpoints e WHERE e.path = ?1
       UNION ALL SELECT 'wildcard', e.* FROM endpoints e WHERE e.path = ?1 || '/*'
       UNION ALL SELECT * FROM (
         SELECT 'below', e.* FROM endpoints e
         WHERE e.path > ?1 || '/' AND e.path < ?1 || '0' AND e.path <> ?1 || '/*' LIMIT 1)
       UNION ALL SELECT 'taken', e.* FROM endpoints e WHERE e.id = ?2 AND e.path <> ?1`,
    )
    .bind(path, idOfNode(path) ?? "")
    .all<Record<string, unknown>>();
  const part = (name: string) => results.find((row) => row.part === name);
  const endpoint = (name: string) => {
    const row = part(name);
    if (row === undefined) return null;
    const {
      part: _,
      version: __,
      created_at: ___,
      updated_at: ____,
      ...rest
    } = fromRow(row) as EndpointRow & {
      part: string;
    };
    return rest;
  };
  return {
    self: endpoint("self"),
    wildcard: endpoint("wildcard"),
    below: part("below") !== undefined,
    taken: part("taken") !== undefined,
  };
}

export async function readEndpoint(db: D1Database, id: string): Promise<EndpointRow | null> {
  const row = await db
    .prepare("SELECT * FROM endpoints WHERE id = ?")
    .bind(id)
    .first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** A page of endpoints in the order of their ids; with `visible_to`, the account's own and the shared. */
export async function listEndpoints(
  db: D1Database,
  filter: { visible_to?: string | undefined },
  page: { limit: number; after: string | null },
): Promise<EndpointRow[]> {
  const mine = filter.visible_to === undefined ? "" : "AND (account_id IS NULL OR account_id = ?)";
  const { results } = await db
    .prepare(`SELECT * FROM endpoints WHERE id > ? ${mine} ORDER BY id LIMIT ?`)
    .bind(page.after ?? "", ...(filter.visible_to === undefined ? [] : [filter.visible_to]), page.limit)
    .all<Record<string, unknown>>();
  return results.map(fromRow);
}

/** Those of `ids` that have a record, and whether the account may see it. */
export function recordedEndpoints(
  db: D1Database,
  ids: readonly string[],
  accountId: string,
): Promise<[id: string, seen: 0 | 1][]> {
  return db
    .prepare(
      `SELECT id, account_id IS NULL OR account_id = ? FROM endpoints WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .bind(accountId, JSON.stringify(ids))
    .raw();
}

/** Whether a wildcard visible to the account serves ids that have no record of their own. */
export async function hasVisibleWildcard(db: D1Database, accountId: string): Promise<boolean> {
  const row = await db
    .prepare(
      `SELECT 1 FROM endpoints WHERE path LIKE '%/*' AND api = 'inference'
       AND (account_id IS NULL OR account_id = ?) LIMIT 1`,
    )
    .bind(accountId)
    .first();
  return row !== null;
}

/** Id of the endpoint registered at a path, if any. */
export async function endpointAt(db: D1Database, path: string): Promise<string | null> {
  return db.prepare("SELECT id FROM endpoints WHERE path = ?").bind(path).first<string>("id");
}

const stored = (row: EndpointRow, column: (typeof COLUMNS)[number]): string | number | null => {
  const value = row[column];
  if (typeof value === "boolean") return Number(value);
  return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
};

const changed = (id: string, ...paths: string[]) => [
  ...new Set([idSubject(id), ...paths.flatMap(nodesOf).flatMap((path) => [pathSubject(path)])]),
];

/**
 * Registers an endpoint, or changes it; guarded by the path being free, the account there and, for a change, the
 * version, and by no live key naming it whose account it is taken from.
 */
export function putEndpoint(before: EndpointRow | null, row: EndpointRow): Write {
  const values = COLUMNS.map((column) => stored(row, column));
  const free = `NOT EXISTS (SELECT 1 FROM endpoints WHERE path = ? AND id <> ?)
    AND (? IS NULL OR EXISTS (SELECT 1 FROM accounts WHERE id = ?))`;
  const place = [row.path, row.id, row.account_id, row.account_id];
  if (before === null) {
    return {
      subjects: changed(row.id, row.path),
      guard: {
        sql: `NOT EXISTS (SELECT 1 FROM endpoints WHERE id = ?) AND ${free}`,
        values: [row.id, ...place],
      },
      statements: [
        {
          sql: `INSERT INTO endpoints (${COLUMNS.join(", ")}, created_at, id, version)
                SELECT ${COLUMNS.map(() => "?").join(", ")}, ?, ?, ${FIRST_VERSION}
                WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE id = ?)`,
          values: [...values, row.created_at, row.id, row.id],
        },
      ],
    };
  }
  const unchanged: Bound = {
    sql: `EXISTS (SELECT 1 FROM endpoints WHERE id = ? AND version = ?) AND ${free}`,
    values: [row.id, before.version, ...place],
  };
  // Taking it from accounts is refused as deleting it is.
  const taken = isTaken(before, row)
    ? [namedByNoKey(IN_PERMISSIONS, row.id, row.updated_at, row.account_id)]
    : [];
  return {
    subjects: changed(row.id, before.path, row.path),
    guard: and(unchanged, ...taken),
    statements: [
      {
        sql: `UPDATE endpoints SET ${COLUMNS.map((column) => `${column} = ?`).join(", ")}, version = version + 1
              WHERE id = ? AND version = ?`,
        values: [...values, row.id, before.version],
      },
    ],
  };
}

/** Where a key's permissions name endpoints (spec 6: `in_use`). */
const IN_PERMISSIONS = ["$.inference.endpoints", "key"] as const;

/** Some of the keys that keep an endpoint from being deleted, or given to the account `except`. */
export function keysNamingEndpoint(
  db: D1Database,
  id: string,
  now: number,
  except: string | null = null,
): Promise<NamingKey[]> {
  return namingKeys(db, IN_PERMISSIONS, id, now, except);
}

/** Deletes an endpoint that no live key names. */
export function deleteEndpoint(row: EndpointRow, now: number): Write {
  return {
    subjects: changed(row.id, row.path),
    guard: and(
      { sql: "EXISTS (SELECT 1 FROM endpoints WHERE id = ? AND version = ?)", values: [row.id, row.version] },
      namedByNoKey(IN_PERMISSIONS, row.id, now),
    ),
    statements: [
      { sql: "DELETE FROM endpoints WHERE id = ? AND version = ?", values: [row.id, row.version] },
    ],
  };
}
