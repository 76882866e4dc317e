import { type Api, type ListOf, Problem } from "../api.ts";
import type { AccountView } from "./records.ts";

/** Accounts offered while an id is typed; beyond, it is typed in full. */
const OFFERED = 100;

/** Ids and names of the first accounts, to choose from; none where they cannot be read. */
export async function accountChoices(api: Api): Promise<AccountView[]> {
  const accounts = await api.get<ListOf<AccountView>>("/admin/accounts", { limit: OFFERED });
  return accounts instanceof Problem ? [] : accounts.data;
}

/** What an input for an account's id suggests: `list="accounts"`. */
export function AccountOptions({ accounts }: { accounts: readonly AccountView[] }) {
  return (
    <datalist id="accounts">
      {accounts.map(({ id, name }) => (
        <option value={id}>{name}</option>
      ))}
    </datalist>
  );
}
