import { attempting, settled } from "../api/attempt.ts";
import { carryOut, type Operator } from "../api/operator.ts";
import type { Denial } from "../denial.ts";
import { modificationRefusal } from "../keys/rules.ts";
import { renderScopes, type Scopes } from "../keys/scopes.ts";
import { keyStatus } from "../keys/state.ts";
import { formatInstant } from "../keys/time.ts";
import { insertKey, updateKey } from "../store/keys.ts";
import { makeKey, type NewKey, noRoom } from "./create-key.ts";
import type { FindKey } from "./edit-key.ts";
import { auditViewOf } from "./key-view.ts";

/**
 * Replaces a key: the new one may do what the old one may, under the same name, environment and expiry, and
 * is switched off if that one is; the old one lives on until the overlap ends, and does not count while the new
 * one does in its place. Both in one change, so that the account never holds neither, or one too many. The
 * old one's own predecessor counts again if it is still active: that needs room.
 * @param overlap milliseconds
 */
export function rotateKey(operator: Operator, find: FindKey, overlap: number): Promise<NewKey | Denial> {
  return attempting(async () => {
    const old = await find();
    if (old === null) return { code: "api_key_not_found" };
    const { now } = operator;
    const refusal = modificationRefusal(keyStatus(old, now));
    if (refusal !== null) return refusal;
    if (old.rotated_to !== null) {
      return {
        code: "conflict",
        detail: `The key was rotated before; rotate ${old.rotated_to}, which replaced it`,
      };
    }

    const made = makeKey(operator, {
      account_id: old.account_id,
      name: old.name,
      environment: old.environment,
      permissions: old.permissions,
      // A legacy key has none: its successor spells what it may do.
      scopes: (old.scopes as Scopes | null) ?? renderScopes(old.permissions),
      template: old.template,
      expires_at: old.expires_at,
    });
    const row = { ...made.row, enabled: old.enabled, rotated_from: old.id };
    const change = {
      expires_at: Math.min(now + overlap, old.expires_at ?? Number.POSITIVE_INFINITY),
      rotated_to: row.id,
    };
    const deed = {
      action: "api_key.rotate",
      subject: old.id,
      account_id: old.account_id,
      before: { expires_at: formatInstant(old.expires_at) },
      after: { expires_at: formatInstant(change.expires_at), rotated_to: row.id, key: auditViewOf(row, now) },
    };
    // The new key's own history begins here.
    const creation = {
      ...deed,
      action: "api_key.create",
      subject: row.id,
      before: null,
      after: deed.after.key,
    };
    const writes = [updateKey(old, change, now), insertKey(row, now)];
    const result = await carryOut(operator, deed, writes, [creation]);
    return settled<NewKey>(result, { row, key: made.key }, async () =>
      (await find())?.version === old.version ? noRoom(operator, old.account_id) : "again",
    );
  });
}
