/** What a member of an account may do: everything; keys of one's own; look. */
export type Role = "owner" | "member" | "viewer";

export const ROLES: readonly Role[] = ["owner", "member", "viewer"];

export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

export interface Membership {
  account_id: string;
  role: Role;
}

/** Who is signed in, and what they may manage. */
export interface Session {
  /** The issuer's id of the person. */
  subject: string;
  /** Lower case; null when the issuer names none, or says that it is not verified. */
  email: string | null;
  name: string | null;
  /** Whether the admin API is open to them. */
  admin: boolean;
  memberships: Membership[];
}

/** The name under which a session's doings are recorded: `created_by`, and the audit log's `actor`. */
export function identityOf(session: Session): string {
  if (session.email !== null) return session.email;
  // A subject that looks like an address must not pass for the person who has that address.
  return session.subject.includes("@") ? `sub:${session.subject}` : session.subject;
}
