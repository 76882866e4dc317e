import { type KeyView, keyView, type KeyRow as ViewedRow } from "../keys/view.ts";
import type { KeyRow, KeyRowWithUse } from "../store/keys.ts";

/** What may be shown of a stored key. */
export function viewOf(row: KeyRow | KeyRowWithUse, now: number): KeyView {
  return keyView({ last_used_at: null, ...row } as ViewedRow, now);
}

/** What the audit log keeps of a key that was made. */
export function auditViewOf(row: KeyRow, now: number) {
  const {
    name,
    prefix,
    environment,
    permission,
    scopes,
    template,
    enabled,
    legacy,
    expires_at,
    rotated_from,
  } = viewOf(row, now);
  return {
    name,
    prefix,
    environment,
    permission,
    scopes,
    template,
    enabled,
    legacy,
    expires_at,
    rotated_from,
  };
}
