import { settled } from "../api/attempt.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import type { Denial } from "../denial.ts";
import { randomBase62 } from "../keys/base62.ts";
import { displayPrefix } from "../keys/format.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { Environment } from "../keys/record.ts";
import { readAccount } from "../store/accounts.ts";
import { insertKey, type KeyRow, readKey } from "../store/keys.ts";
import type { Grant } from "./grant.ts";
import { auditViewOf } from "./key-view.ts";

/** A key and its record: the only time they meet. */
export interface NewKey {
  row: KeyRow;
  key: string;
}

/** Id of a key record: 131 random bits, as good as never twice. */
export const newKeyId = () => `key_${randomBase62(22)}`;

/** A new native key, not yet stored. */
export function makeKey(
  operator: Operator,
  record: { account_id: string; name: string; environment: Environment; expires_at: number | null } & Grant,
): NewKey {
  const key = operator.isolate.keyFormat.generate(record.environment);
  const row: KeyRow = {
    ...record,
    id: operator.keyId ?? newKeyId(),
    hash: sha256Hex(key),
    prefix: displayPrefix(key),
    enabled: true,
    legacy: false,
    created_at: operator.now,
    created_by: operator.actor,
    revoked_at: null,
    rotated_from: null,
    rotated_to: null,
    version: 1,
  };
  return { row, key };
}

const MADE_ALREADY: Denial = {
  code: "conflict",
  detail: "This API key was created already. It was shown once, and cannot be shown again",
};

/** Stores a new key, if the account has room for it. */
export async function createKey(operator: Operator, fresh: NewKey): Promise<NewKey | Denial> {
  const { row } = fresh;
  const { now } = operator;
  const deed = {
    action: "api_key.create",
    subject: row.id,
    account_id: row.account_id,
    before: null,
    after: auditViewOf(row, now),
  };
  const result = await carryOut(operator, deed, [insertKey(row, now)]);
  const attempt = await settled<NewKey>(result, fresh, async () => {
    const made = operator.keyId === undefined ? null : await readKey(operator.env.DB, row.id);
    return made === null ? noRoom(operator, row.account_id) : MADE_ALREADY;
  });
  return attempt === "again" ? { code: "internal_error" } : attempt;
}

/** Why one more active key was refused. */
export async function noRoom(operator: Operator, accountId: string): Promise<Denial> {
  const account = await readAccount(operator.env.DB, accountId);
  if (account === null) return { code: "forbidden", detail: `There is no account ${accountId}` };
  return { code: "active_key_limit_reached", limit: account.active_key_limit };
}
