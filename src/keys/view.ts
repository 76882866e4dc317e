import { type PermissionLabel, type Permissions, permissionLabel } from "./permissions.ts";
import type { Environment } from "./record.ts";
import { renderScopes, type Scopes } from "./scopes.ts";
import { type KeyState, type KeyStatus, keyStatus } from "./state.ts";
import { formatInstant } from "./time.ts";

/** A key record joined with its last use. Times are integer milliseconds since 1970 UTC, or null. */
export interface KeyRow extends KeyState {
  id: string;
  name: string;
  prefix: string;
  environment: Environment;
  /** Canonical. */
  permissions: Permissions;
  /** As sent; null for keys whose scopes nobody sent. */
  scopes: Scopes | null;
  template: string | null;
  legacy: boolean;
  created_at: number;
  created_by: string;
  last_used_at: number | null;
  rotated_from: string | null;
  rotated_to: string | null;
}

/** The Key of the account API. Times are RFC 3339 UTC, or null. Never holds the secret or its hash. */
export interface KeyView {
  id: string;
  name: string;
  prefix: string;
  environment: Environment;
  status: KeyStatus;
  permission: PermissionLabel;
  scopes: Scopes;
  template: string | null;
  enabled: boolean;
  legacy: boolean;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  rotated_from: string | null;
}

/**
 * Members are named one by one: a row may carry more than may be shown. `scopes` is what was sent;
 * where nothing was, the spelling of what the key may do. `now` is in milliseconds.
 */
export function keyView(row: KeyRow, now: number): KeyView {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    environment: row.environment,
    status: keyStatus(row, now),
    permission: permissionLabel(row.permissions, row.legacy),
    scopes: row.scopes ?? renderScopes(row.permissions),
    template: row.template,
    enabled: row.enabled,
    legacy: row.legacy,
    created_at: formatInstant(row.created_at),
    created_by: row.created_by,
    expires_at: formatInstant(row.expires_at),
    revoked_at: formatInstant(row.revoked_at),
    last_used_at: formatInstant(row.last_used_at),
    rotated_from: row.rotated_from,
  };
}
