import { attempting, settled } from "../api/attempt.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import type { Denial } from "../denial.ts";
import { formatInstant } from "../keys/time.ts";
import { type KeyRowWithUse, updateKey } from "../store/keys.ts";
import type { FindKey } from "./edit-key.ts";

/**
 * Revokes a key, for ever, in whatever state it is. Revoking it again changes nothing.
 * @returns the key as it then is
 */
export function revokeKey(operator: Operator, find: FindKey): Promise<KeyRowWithUse | Denial> {
  return attempting(async () => {
    const row = await find();
    if (row === null) return { code: "api_key_not_found" };
    if (row.revoked_at !== null) return row;
    const change = { revoked_at: operator.now };
    const deed = {
      action: "api_key.revoke",
      subject: row.id,
      account_id: row.account_id,
      before: { revoked_at: null },
      after: { revoked_at: formatInstant(operator.now) },
    };
    const result = await carryOut(operator, deed, [updateKey(row, change, operator.now)]);
    return settled(result, { ...row, ...change });
  });
}
