import type { Env } from "../env.ts";
import { applyChange, type ChangeResult, type ChangeWorld } from "../freshness/change.ts";
import type { Isolate } from "../isolate.ts";
import { auditEach } from "../store/audit.ts";
import type { AuditEntry, Bound, Write } from "../store/write.ts";

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

const ALWAYS: Bound = { sql: "true", values: [] };

/**
 * Makes a change with its audit row, and waits until it is in force (spec 8).
 * @param told what else it is, to another account or of another subject: a row of its own in the same batch
 */
export function carryOut(
  operator: Operator,
  deed: Deed,
  writes: readonly Write[],
  told: readonly Deed[] = [],
): Promise<ChangeResult> {
  const { now: at, actor, address } = operator;
  const entry = (deed: Deed): AuditEntry => ({ id: crypto.randomUUID(), at, actor, address, ...deed });
  const rows = { subjects: [], guard: ALWAYS, statements: [auditEach(told.map(entry), ALWAYS)] };
  return applyChange(operator.world, entry(deed), told.length === 0 ? writes : [...writes, rows]);
}

/**
 * A change of an owned record, as the account that owns it from now on is told, and then as the one is that it is
 * taken from, if it is: neither sees what is the other's.
 */
export function toEachOwner(
  deed: Deed,
  before: { account_id: string | null } | null,
  after: { account_id: string | null },
): [owner: Deed, ...former: Deed[]] {
  const former = before?.account_id ?? null;
  if (former === null || former === after.account_id) return [deed];
  if (after.account_id === null) return [deed, { ...deed, account_id: former }];
  return [
    { ...deed, before: null },
    { ...deed, account_id: former, after: null },
  ];
}
