import type { Endpoint } from "../../endpoints/endpoint.ts";
import type { KeyView } from "../../keys/view.ts";
import type { AccountRow } from "../../store/accounts.ts";
import type { MemberRow } from "../../store/members.ts";
import type { NamespaceRow } from "../../store/namespaces.ts";

/** Records as the admin API answers them; times are RFC 3339. */
interface Times {
  created_at: string;
  updated_at: string;
}

type Shown<R> = Omit<R, "version" | keyof Times> & Times;

export type AccountView = Shown<AccountRow>;
export type EndpointView = Endpoint & Times;
export type MemberView = Shown<MemberRow>;
export type NamespaceView = Shown<NamespaceRow>;
export type AdminKeyView = KeyView & { account_id: string };
