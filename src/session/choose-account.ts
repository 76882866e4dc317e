import type { Denial } from "../denial.ts";
import type { Membership, Session } from "./session.ts";

/** Names the account meant, where a session holds several. */
export const ACCOUNT_HEADER = "x-postern-account-id";

/**
 * The account a session acts for (spec 5): the one named by the header, else the only one it holds.
 * @param named value of `x-postern-account-id`, or null
 */
export function chooseAccount(session: Session, named: string | null): Membership | Denial {
  const { memberships } = session;
  if (named !== null) {
    const membership = memberships.find(({ account_id }) => account_id === named);
    return membership ?? { code: "forbidden", detail: "You are not a member of this account" };
  }
  const [only, another] = memberships;
  if (only === undefined) return { code: "forbidden", detail: "You are not a member of any account" };
  if (another === undefined) return only;
  return { code: "account_required", detail: `Name one of your accounts in the header ${ACCOUNT_HEADER}` };
}
