import { type ListOf, Problem } from "../api.ts";
import { EmptyState, PageHead } from "../components.tsx";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import { AuditFilterForm, AuditTable, type AuditView, auditQuery } from "../settings/audit-table.tsx";
import { AccountOptions, accountChoices } from "./account-choices.tsx";
import { filtersOf, isNarrowed, Listing, Pages, PER_PAGE } from "./lists.tsx";
import { trail } from "./paths.ts";

const PATH = "/console/admin/audit-log";

const logPage = page("admin", {
  method: "GET",
  path: PATH,
  async handle({ api, query }) {
    const filters = filtersOf(query, "actor", "action", "subject", "account_id", "from", "to");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<AuditView>>("/admin/audit-log", { ...auditQuery(filters), cursor, limit: PER_PAGE }),
      accountChoices(api),
    ]);
    return show(
      "Full audit log",
      <>
        <PageHead
          title="Full audit log"
          trail={trail({ label: "Audit log" })}
          lead="Every change in every account, newest first. Each is written together with the change itself."
        />
        <AuditFilterForm action={PATH} filters={filters} everywhere />
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed(filters)}
          unmatched="No change fits. Try more days, or part of a name."
          empty={
            <EmptyState title="Nothing has changed yet">
              The first change anybody makes shows here.
            </EmptyState>
          }
        >
          {(rows) => <AuditTable rows={rows} everywhere />}
        </Listing>
        <Pages path={PATH} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

export const auditLogPages = [logPage];
