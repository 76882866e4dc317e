import type { Denial } from "../denial.ts";
import { type NamespaceRow, readNamespace } from "../store/namespaces.ts";
import { retrying } from "../store/retry.ts";
import type { Caller } from "./caller.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The namespace of that id, if the caller may know of it. Read from D1 each time: this is asked once in ten
 * minutes and client.
 */
export async function findNamespace(
  db: D1Database,
  given: string,
  caller: Caller,
): Promise<NamespaceRow | Denial> {
  const id = given.toLowerCase();
  if (!UUID.test(id)) return { code: "not_found" };
  const namespace = await retrying(() => readNamespace(db, id));
  return namespace !== null && sees(caller, namespace.account_id) ? namespace : { code: "not_found" };
}

function sees(caller: Caller, accountId: string): boolean {
  if ("record" in caller) return caller.record.account_id === accountId;
  const { admin, memberships } = caller.session;
  return admin || memberships.some(({ account_id }) => account_id === accountId);
}
