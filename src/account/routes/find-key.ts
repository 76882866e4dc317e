import * as z from "zod/mini";
import type { AccountCall } from "../../api/route.ts";
import { identityOf } from "../../session/session.ts";
import { type KeyRowWithUse, readKey } from "../../store/keys.ts";

export const KeyParams = z.strictObject({
  id: z.string().check(z.meta({ examples: ["key_1TnWqGgWLb2oZzzRT0yJ6M"] })),
});

type KeyCall = AccountCall<z.output<typeof KeyParams>, unknown, unknown>;

/** Whose keys the caller sees: a member, those they made; the others, all of the account. */
export function makerFilter(call: AccountCall<unknown, unknown, unknown>): string | undefined {
  return call.role === "member" ? identityOf(call.session) : undefined;
}

/** Finds the key a route is about; null when the caller's account, or the caller, has no such key. */
export function finder(call: KeyCall): () => Promise<KeyRowWithUse | null> {
  const maker = makerFilter(call);
  return async () => {
    const row = await readKey(call.env.DB, call.params.id);
    if (row === null || row.account_id !== call.account.id) return null;
    return maker === undefined || row.created_by === maker ? row : null;
  };
}
