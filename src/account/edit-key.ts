import { attempting, settled } from "../api/attempt.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import type { SentScopes } from "../api/schemas.ts";
import { type Denial, isDenial } from "../denial.ts";
import { sameJson } from "../json.ts";
import { sha256Hex } from "../keys/hash.ts";
import { modificationRefusal, parseExpiry } from "../keys/rules.ts";
import { keyStatus } from "../keys/state.ts";
import { formatInstant } from "../keys/time.ts";
import type { Named } from "../store/key-conditions.ts";
import { type KeyRow, type KeyRowWithUse, updateKey } from "../store/keys.ts";
import { noRoom } from "./create-key.ts";
import { grantOf } from "./grant.ts";

/** What an edit asks for; what is absent stays. */
export interface KeyEdit {
  name?: string | undefined;
  scopes?: SentScopes | undefined;
  template?: string | undefined;
  expires_at?: string | null | undefined;
  enabled?: boolean | undefined;
}

/** Finds the key to change, afresh at each call; null when there is none that the caller may see. */
export type FindKey = () => Promise<KeyRowWithUse | null>;

type Change = Partial<
  Pick<KeyRow, "name" | "permissions" | "scopes" | "template" | "enabled" | "expires_at">
>;

/**
 * Edits a key. What is already as asked for is left alone, and leaves no trace in the audit log.
 * @returns the key as it then is
 */
export function editKey(operator: Operator, find: FindKey, edit: KeyEdit): Promise<KeyRowWithUse | Denial> {
  return attempting(async () => {
    const row = await find();
    if (row === null) return { code: "api_key_not_found" };
    const refusal = modificationRefusal(keyStatus(row, operator.now));
    if (refusal !== null) return refusal;
    const wanted = await wantedChange(operator, row, edit);
    if (isDenial(wanted)) return wanted;
    const { named, ...asked } = wanted;
    const change = withoutSame(row, asked);
    if (Object.keys(change).length === 0) return row;

    const result = await carryOut(operator, deedOf(row, change), [
      updateKey(row, change, operator.now, named),
    ]);
    return settled(result, { ...row, ...change }, async () => {
      const unchanged =
        change.enabled &&
        (await find())?.version === row.version &&
        sameJson(await wantedChange(operator, row, edit), wanted);
      return unchanged ? noRoom(operator, row.account_id) : "again";
    });
  });
}

async function wantedChange(
  operator: Operator,
  row: KeyRow,
  edit: KeyEdit,
): Promise<(Change & { named?: Named }) | Denial> {
  const change: Change & { named?: Named } = {};
  if (edit.name !== undefined) {
    if (sha256Hex(edit.name) === row.hash)
      return { code: "invalid_request", detail: "name must not be the key" };
    change.name = edit.name;
  }
  if (edit.enabled !== undefined) change.enabled = edit.enabled;
  if (edit.expires_at !== undefined) {
    const expiry = parseExpiry(edit.expires_at, operator.now);
    if (!expiry.ok) return { code: "invalid_request", detail: expiry.message };
    if (row.rotated_to !== null && (expiry.value ?? Number.POSITIVE_INFINITY) > row.expires_at!) {
      // It need not count against the limit: living on, it would be one key more than the account may have.
      return {
        code: "conflict",
        detail: `The key was rotated to ${row.rotated_to}; it can only expire sooner`,
      };
    }
    change.expires_at = expiry.value;
  }
  if (edit.scopes !== undefined || edit.template !== undefined) {
    if (row.legacy) return { code: "legacy_key", detail: "The scopes of a legacy key cannot be edited" };
    const grant = await grantOf(operator.env.DB, row.account_id, edit);
    if (isDenial(grant)) return grant;
    Object.assign(change, grant);
  }
  return change;
}

function withoutSame(row: KeyRow, change: Change): Change {
  return Object.fromEntries(
    Object.entries(change).filter(([column, value]) => !sameJson(row[column as keyof KeyRow], value)),
  );
}

/** Only what changes; permissions are told by the scopes they come from. */
function deedOf(row: KeyRow, change: Change) {
  const shown = (values: Partial<KeyRow>) => {
    const { permissions: _, expires_at, ...rest } = values;
    return expires_at === undefined ? rest : { ...rest, expires_at: formatInstant(expires_at) };
  };
  const before = Object.fromEntries(
    Object.keys(change).map((column) => [column, row[column as keyof KeyRow]]),
  );
  return {
    action: "api_key.update",
    subject: row.id,
    account_id: row.account_id,
    before: shown(before),
    after: shown(change),
  };
}
