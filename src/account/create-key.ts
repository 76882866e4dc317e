import { attempting, settled } from "../api/attempt.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import { type Denial, isDenial } from "../denial.ts";
import { sameJson } from "../json.ts";
import { randomBase62 } from "../keys/base62.ts";
import { displayPrefix } from "../keys/format.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { Environment } from "../keys/record.ts";
import { readAccount } from "../store/accounts.ts";
import { insertKey, type KeyRow, readKey } from "../store/keys.ts";
import { type Grant, grantOf } from "./grant.ts";
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

/** Makes and stores a key with the grant that is asked for, if the account has room for it. */
export function createKey(
  operator: Operator,
  record: Omit<Parameters<typeof makeKey>[1], keyof Grant>,
  asked: Parameters<typeof grantOf>[2],
): Promise<NewKey | Denial> {
  const { now, env } = operator;
  const { account_id } = record;
  return attempting(async () => {
    const granted = await grantOf(env.DB, account_id, asked);
    if (isDenial(granted)) return granted;
    const { named, ...grant } = granted;
    const fresh = makeKey(operator, { ...record, ...grant });
    const { row } = fresh;
    const deed = {
      action: "api_key.create",
      subject: row.id,
      account_id,
      before: null,
      after: auditViewOf(row, now),
    };
    const result = await carryOut(operator, deed, [insertKey(row, now, named)]);
    return settled<NewKey>(result, fresh, async () => {
      const made = operator.keyId === undefined ? null : await readKey(env.DB, row.id);
      if (made !== null) return MADE_ALREADY;
      // Something that it names may have gone meanwhile.
      return sameJson(await grantOf(env.DB, account_id, asked), granted)
        ? noRoom(operator, account_id)
        : "again";
    });
  });
}

/** Why one more active key was refused. */
export async function noRoom(operator: Operator, accountId: string): Promise<Denial> {
  const account = await readAccount(operator.env.DB, accountId);
  if (account === null) return { code: "forbidden", detail: `There is no account ${accountId}` };
  return { code: "active_key_limit_reached", limit: account.active_key_limit };
}
