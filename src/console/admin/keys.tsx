import { type ListOf, Problem } from "../api.ts";
import { ButtonLink, type Column, DataTable, EmptyState, PageHead, When } from "../components.tsx";
import { Filters, Select } from "../form-controls.tsx";
import { PERMISSION_LABELS } from "../keys/words.ts";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import type { Visitor } from "../visitor.ts";
import { AccountOptions, accountChoices } from "./account-choices.tsx";
import { Revoke, State, shownPrefix } from "./key-card.tsx";
import { filtersOf, isNarrowed, Listing, NameCell, Pages, PER_PAGE } from "./lists.tsx";
import { ACCOUNTS, FIND_KEY, KEYS, keyPath, recordPath, trail } from "./paths.ts";
import type { AdminKeyView } from "./records.ts";

function columns(visitor: Visitor, back: string): Column<AdminKeyView>[] {
  return [
    {
      label: "Name",
      heading: true,
      cell: ({ id, name, prefix }) => (
        <NameCell name={name} id={shownPrefix(prefix) || id} href={keyPath(id)} />
      ),
    },
    {
      label: "Account",
      cell: ({ account_id }) => <a href={recordPath(ACCOUNTS, account_id)}>{account_id}</a>,
    },
    { label: "Permission", cell: ({ permission }) => PERMISSION_LABELS[permission] },
    { label: "Made by", cell: ({ created_by }) => created_by },
    { label: "Last used", cell: ({ last_used_at }) => <When at={last_used_at} /> },
    { label: "Status", cell: (entry) => <State visitor={visitor} entry={entry} back={back} /> },
    { label: "Revoke", cell: (entry) => <Revoke visitor={visitor} entry={entry} back={back} /> },
  ];
}

export const keyListPage = page("admin", {
  method: "GET",
  path: KEYS,
  async handle({ api, query, visitor, arrival }) {
    const filters = filtersOf(query, "q", "account_id", "status", "environment", "names");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<AdminKeyView>>("/admin/keys", { ...filters, cursor, limit: PER_PAGE }),
      accountChoices(api),
    ]);
    const back = arrival.url.query === "" ? KEYS : `${KEYS}?${arrival.url.query}`;
    return show(
      "All keys",
      <>
        <PageHead
          title="All keys"
          trail={trail({ label: "All keys" })}
          lead="API keys of every account, newest first."
        >
          <ButtonLink href={FIND_KEY} kind="primary">
            Find a leaked key's owner
          </ButtonLink>
        </PageHead>
        <Filters action={KEYS}>
          <div>
            <label for="q">Name or beginning of the key</label>
            {/* What is typed here goes into the address: not enough of a key for it to be of use there. */}
            <input id="q" name="q" type="search" value={filters.q} maxlength={20} />
          </div>
          <div>
            <label for="account_id">Account</label>
            <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
          </div>
          <div>
            <label for="status">Status</label>
            <Select
              name="status"
              value={filters.status}
              options={[
                ["", "Any"],
                ["active", "Active"],
                ["disabled", "Disabled"],
                ["expired", "Expired"],
                ["revoked", "Revoked"],
              ]}
            />
          </div>
          <div>
            <label for="environment">Environment</label>
            <Select
              name="environment"
              value={filters.environment}
              options={[
                ["", "Any"],
                ["production", "Production"],
                ["test", "Test"],
              ]}
            />
          </div>
          <div>
            <label for="names">Names endpoint or namespace</label>
            <input id="names" name="names" value={filters.names} placeholder="Id" />
          </div>
        </Filters>
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed(filters)}
          unmatched="No key fits. Try less of the name, or any status."
          empty={
            <EmptyState
              title="No API keys yet"
              action={<ButtonLink href="/console/admin/import">Import keys</ButtonLink>}
            >
              People make keys in their own accounts; keys of another system can be imported.
            </EmptyState>
          }
        >
          {(rows) => (
            <DataTable caption="API keys, newest first" columns={columns(visitor, back)} rows={rows} />
          )}
        </Listing>
        <Pages path={KEYS} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});
