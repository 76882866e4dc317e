import type { Permissions } from "../keys/permissions.ts";
import type { Environment, KeyRecord } from "../keys/record.ts";
import type { KeyStatus } from "../keys/state.ts";
import { auditEach } from "./audit.ts";
import { areSeen, hasRoom, type Named, roomFor, STATUS } from "./key-conditions.ts";
import { type AuditEntry, and, type Bound, type Write } from "./write.ts";

/** A key record as stored. Times in ms. */
export interface KeyRow {
  id: string;
  account_id: string;
  hash: string;
  prefix: string;
  name: string;
  environment: Environment;
  permissions: Permissions;
  /** What the client sent; null for legacy keys. */
  scopes: unknown;
  template: string | null;
  enabled: boolean;
  legacy: boolean;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  revoked_at: number | null;
  rotated_from: string | null;
  rotated_to: string | null;
  version: number;
}

/** A key record with the last use that D1 knows of. */
export type KeyRowWithUse = KeyRow & { last_used_at: number | null };

const COLUMNS = [
  "id",
  "account_id",
  "hash",
  "prefix",
  "name",
  "environment",
  "permissions",
  "scopes",
  "template",
  "enabled",
  "legacy",
  "created_at",
  "created_by",
  "expires_at",
  "revoked_at",
  "rotated_from",
  "rotated_to",
  "version",
] as const;

/** The subject a key's changes are fenced under: the first 128 bits of its hash. */
export function keySubject(hash: string): string {
  return hash.slice(0, 32);
}

/** Reads what a decision needs, by hash, on the primary. Null when no such key exists. */
export async function readKeyRecord(db: D1Database, hash: string): Promise<KeyRecord | null> {
  const row = await db
    .prepare(
      `SELECT k.id, k.hash, k.account_id, a.suspended AS account_suspended, k.name, k.prefix, k.environment,
              k.permissions, k.enabled, k.legacy, k.expires_at, k.revoked_at
       FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.hash = ?`,
    )
    .bind(hash)
    .first<Record<string, unknown>>();
  if (row === null) return null;
  return {
    ...row,
    account_suspended: row.account_suspended === 1,
    enabled: row.enabled === 1,
    legacy: row.legacy === 1,
    permissions: JSON.parse(row.permissions as string),
  } as KeyRecord;
}

function fromRow(row: Record<string, unknown>): KeyRowWithUse {
  return {
    ...row,
    permissions: JSON.parse(row.permissions as string),
    scopes: row.scopes === null ? null : JSON.parse(row.scopes as string),
    enabled: row.enabled === 1,
    legacy: row.legacy === 1,
  } as KeyRowWithUse;
}

const SELECT = `SELECT ${COLUMNS.map((column) => `k.${column}`).join(", ")}, u.last_used_at
  FROM keys k LEFT JOIN key_last_used u ON u.key_id = k.id`;

export async function readKey(db: D1Database, id: string): Promise<KeyRowWithUse | null> {
  const row = await db.prepare(`${SELECT} WHERE k.id = ?`).bind(id).first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

export async function readKeyByHash(db: D1Database, hash: string): Promise<KeyRowWithUse | null> {
  const row = await db.prepare(`${SELECT} WHERE k.hash = ?`).bind(hash).first<Record<string, unknown>>();
  return row === null ? null : fromRow(row);
}

/** What a list of keys may be narrowed to. */
export interface KeyFilter {
  account_id?: string | undefined;
  created_by?: string | undefined;
  status?: KeyStatus | undefined;
  environment?: Environment | undefined;
  /**
   * Text that the name holds, or that the display prefix starts with; the case of A to Z does not matter.
   * The whole display prefix of a native key is looked up as it is, and not looked for in names.
   */
  q?: string | undefined;
  /** Id of an endpoint or a namespace that the permissions name. */
  names?: string | undefined;
}

/** Where a list stands: after this key. */
export interface KeyPosition {
  at: number;
  id: string;
}

/** Some keys, newest first, and where the next page starts; null on the last. */
export interface KeyPage {
  rows: KeyRowWithUse[];
  next: KeyPosition | null;
}

/**
 * Keys looked at for one page of a narrowed list, whether they fit or not. At a million keys, of which none
 * fits, a list ends after 500 pages of some milliseconds each, rather than in one that D1 would cut off.
 */
export const MOST_SCANNED = 2000;

/** The display prefix of a native key, whole: at most a few keys share one. */
const WHOLE_PREFIX = /^[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{5}$/;

/**
 * The index that has the keys of a list in their order, and as few others as may be; `where` is what makes it
 * usable. All are named: without statistics SQLite would guess.
 */
function source({ account_id, created_by, status, environment, q }: KeyFilter): {
  index: string;
  where: Bound;
} {
  if (q !== undefined && WHOLE_PREFIX.test(q)) {
    return { index: "keys_by_prefix", where: { sql: "prefix = ?", values: [q] } };
  }
  if (account_id === undefined) return { index: "keys_by_age", where: { sql: "true", values: [] } };
  const [index, sql] =
    created_by !== undefined
      ? ["keys_of_maker", "created_by = ?"]
      : status === "revoked"
        ? ["keys_revoked", "revoked_at IS NOT NULL"]
        : status === "disabled"
          ? ["keys_disabled", "enabled = 0"]
          : status === "expired"
            ? ["keys_expiring", "expires_at IS NOT NULL"]
            : environment === "test"
              ? ["keys_test", "environment = 'test'"]
              : ["keys_of_account", "true"];
  const values = created_by === undefined ? [account_id] : [account_id, created_by];
  return { index: index!, where: { sql: `account_id = ? AND ${sql}`, values } };
}

/** What every key of a list must be, whatever index it came from. */
function conditions(filter: KeyFilter, now: number): Bound[] {
  const where: Bound[] = [];
  if (filter.account_id !== undefined) where.push({ sql: "k.account_id = ?", values: [filter.account_id] });
  if (filter.created_by !== undefined) where.push({ sql: "k.created_by = ?", values: [filter.created_by] });
  if (filter.status !== undefined) where.push({ sql: STATUS[filter.status], values: [now] });
  if (filter.environment !== undefined)
    where.push({ sql: "k.environment = ?", values: [filter.environment] });
  if (filter.names !== undefined) {
    where.push({
      sql: `(EXISTS (SELECT 1 FROM json_each(k.permissions, '$.inference.endpoints') named WHERE named.key = ?)
        OR EXISTS (SELECT 1 FROM json_each(k.permissions, '$.kubernetes_exec.namespace_ids') named WHERE named.value = ?))`,
      values: [filter.names, filter.names],
    });
  }
  if (filter.q !== undefined && !WHOLE_PREFIX.test(filter.q)) {
    // Not LIKE: D1 refuses patterns of more than 50 bytes.
    where.push({
      sql: "(instr(lower(k.name), lower(?)) > 0 OR instr(lower(k.prefix), lower(?)) = 1)",
      values: [filter.q, filter.q],
    });
  }
  return where.length === 0 ? [{ sql: "true", values: [] }] : where;
}

/**
 * A page of keys, newest first. It reads a bounded number of rows however many keys there are and however
 * few fit: so it may hold fewer than `limit`, even none, and not be the last.
 */
export async function listKeys(
  db: D1Database,
  filter: KeyFilter,
  page: { limit: number; before: KeyPosition | null },
  now: number,
): Promise<KeyPage> {
  const { index, where } = source(filter);
  const fits = and(...conditions(filter, now));
  const after: Bound =
    page.before === null
      ? { sql: "true", values: [] }
      : { sql: "(created_at, id) < (?, ?)", values: [page.before.at, page.before.id] };
  // The inner query runs only as far as the outer one asks. Its last row comes out whether it fits or not:
  // that is where the next page goes on.
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS.map((column) => `k.${column}`).join(", ")}, u.last_used_at, k.nth, ${fits.sql} AS fits
       FROM (
         SELECT *, row_number() OVER (ORDER BY created_at DESC, id DESC) AS nth FROM keys INDEXED BY ${index}
         WHERE ${where.sql} AND ${after.sql} ORDER BY created_at DESC, id DESC LIMIT ?
       ) k LEFT JOIN key_last_used u ON u.key_id = k.id
       WHERE fits OR k.nth = ? LIMIT ?`,
    )
    .bind(...fits.values, ...where.values, ...after.values, MOST_SCANNED, MOST_SCANNED, page.limit + 1)
    .all<Record<string, unknown>>();
  const fitting = results.filter((row) => row.fits === 1);
  const rows = fitting.slice(0, page.limit).map(({ nth: _, fits: __, ...row }) => fromRow(row));
  const end = fitting.length > page.limit ? rows.at(-1) : results.find(({ nth }) => nth === MOST_SCANNED);
  const next = end === undefined ? null : { at: end.created_at as number, id: end.id as string };
  return { rows, next };
}

const stored = (row: KeyRow, column: (typeof COLUMNS)[number]): string | number | null => {
  const value = row[column];
  if (typeof value === "boolean") return Number(value);
  if (column === "permissions" || column === "scopes") return value === null ? null : JSON.stringify(value);
  return value as string | number | null;
};

/**
 * Adds a key. Guarded by the hash being new, by what it names and by the account's limit; a successor's, by
 * its predecessor's change.
 */
export function insertKey(row: KeyRow, now: number, named: Named = {}): Write {
  const isNew: Bound = {
    sql: "NOT EXISTS (SELECT 1 FROM keys WHERE hash = ? OR id = ?)",
    values: [row.hash, row.id],
  };
  return {
    subjects: [keySubject(row.hash)],
    guard: and(isNew, areSeen(named), ...(row.rotated_from === null ? [hasRoom(row.account_id, now)] : [])),
    statements: [
      {
        sql: `INSERT INTO keys (${COLUMNS.join(", ")}) SELECT ${COLUMNS.map(() => "?").join(", ")}
              WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = ?)`,
        values: [...COLUMNS.map((column) => stored(row, column)), row.id],
      },
    ],
  };
}

/**
 * Changes a key. Guarded by nobody having changed it since `row` was read, by what it is to name and, where it
 * is enabled or rotated, by the account's limit.
 */
export function updateKey(
  row: KeyRow,
  change: Partial<
    Pick<
      KeyRow,
      "name" | "permissions" | "scopes" | "template" | "enabled" | "expires_at" | "revoked_at" | "rotated_to"
    >
  >,
  now: number,
  named: Named = {},
): Write {
  const columns = Object.keys(change) as (keyof typeof change)[];
  const next = { ...row, ...change };
  const unchanged: Bound = {
    sql: "EXISTS (SELECT 1 FROM keys WHERE id = ? AND version = ?)",
    values: [row.id, row.version],
  };
  // Only what changes a key between active and not, or which key makes up for which, changes the count.
  const counts = change.rotated_to ? row.enabled : change.enabled && !row.enabled;
  return {
    subjects: [keySubject(row.hash)],
    guard: and(unchanged, areSeen(named), ...(counts ? [roomFor(row, now)] : [])),
    statements: [
      {
        sql: `UPDATE keys SET ${columns.map((column) => `${column} = ?`).join(", ")}, version = version + 1
              WHERE id = ? AND version = ?`,
        values: [...columns.map((column) => stored(next, column)), row.id, row.version],
      },
    ],
  };
}

/** What tells whether a key is there already. */
export interface KnownKey {
  id: string;
  account_id: string;
  hash: string;
  revoked_at: number | null;
}

/** Those keys that have one of many hashes or ids. */
export async function readKnownKeys(
  db: D1Database,
  hashes: readonly string[],
  ids: readonly string[] = [],
): Promise<KnownKey[]> {
  const { results } = await db
    .prepare(
      `SELECT id, account_id, hash, revoked_at FROM keys
       WHERE hash IN (SELECT value FROM json_each(?)) OR id IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(hashes), JSON.stringify(ids))
    .all<KnownKey>();
  return results;
}

/**
 * Adds many keys, past every limit, each with its audit row. Those whose hash or id is taken by then are
 * left out. Guarded by every account being there, and what the keys name.
 * @param entries the audit rows; `subject` is the key's id, and `hash` is looked at but not kept
 * @param named what the keys of each account name; every account is there
 */
export function importKeys(
  rows: readonly KeyRow[],
  entries: readonly (AuditEntry & Pick<KeyRow, "hash">)[],
  named: Named,
): Write {
  const json = JSON.stringify(
    rows.map((row) => Object.fromEntries(COLUMNS.map((column) => [column, stored(row, column)]))),
  );
  return {
    subjects: rows.map(({ hash }) => keySubject(hash)),
    guard: and(areSeen(named), {
      sql: "NOT EXISTS (SELECT key FROM json_each(?) EXCEPT SELECT id FROM accounts)",
      values: [JSON.stringify(named)],
    }),
    statements: [
      // First, while the keys are not there: that is what tells the new ones.
      auditEach(entries, {
        sql: "NOT EXISTS (SELECT 1 FROM keys WHERE id = value ->> 'subject' OR hash = value ->> 'hash')",
        values: [],
      }),
      {
        sql: `INSERT OR IGNORE INTO keys (${COLUMNS.join(", ")})
              SELECT ${COLUMNS.map((column) => `value ->> '${column}'`).join(", ")} FROM json_each(?) WHERE true`,
        values: [json],
      },
    ],
  };
}

/** Revokes many keys, each with its audit row; those that are revoked by then are left out. */
export function revokeKeys(
  keys: readonly Pick<KeyRow, "id" | "hash">[],
  entries: readonly AuditEntry[],
  now: number,
): Write {
  return {
    subjects: keys.map(({ hash }) => keySubject(hash)),
    guard: { sql: "true", values: [] },
    statements: [
      auditEach(entries, {
        sql: "EXISTS (SELECT 1 FROM keys WHERE id = value ->> 'subject' AND revoked_at IS NULL)",
        values: [],
      }),
      {
        sql: `UPDATE keys SET revoked_at = ?, version = version + 1
              WHERE id IN (SELECT value FROM json_each(?)) AND revoked_at IS NULL`,
        values: [now, JSON.stringify(keys.map(({ id }) => id))],
      },
    ],
  };
}
