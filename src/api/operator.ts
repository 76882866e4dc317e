import type { Env } from "../env.ts";
import { applyChange, type ChangeResult, type ChangeWorld } from "../freshness/change.ts";
import type { Isolate } from "../isolate.ts";
import type { AuditEntry, Write } from "../store/write.ts";

/** Who manages, from where, and the platform to do it with. */
export interface Operator {
  env: Env;
  isolate: Isolate;
  /** When the request arrived, in ms. */
  now: number;
  /** The session's e-mail or subject, or the name of a machine interface. */
  actor: string;
  /** Client address as the platform reports it. */
  address: string | null;
  world: ChangeWorld;
  /** Id for the key record that is made; default a new one. */
  keyId?: string | undefined;
}

/** What a change is, for the audit log. `before` and `after` never hold a key or its hash. */
export type Deed = Pick<AuditEntry, "action" | "subject" | "account_id" | "before" | "after">;

/** Makes a change with its audit row, and waits until it is in force (spec 8). */
export function carryOut(operator: Operator, deed: Deed, writes: readonly Write[]): Promise<ChangeResult> {
  const { now: at, actor, address } = operator;
  return applyChange(operator.world, { id: crypto.randomUUID(), at, actor, address, ...deed }, writes);
}
