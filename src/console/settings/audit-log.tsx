import { AUDITORS } from "../../api/route.ts";
import { filtersOf, isNarrowed, Listing, Pages, PER_PAGE } from "../admin/lists.tsx";
import { type ListOf, Problem } from "../api.ts";
import { EmptyState, PageHead } from "../components.tsx";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import { AuditFilterForm, AuditTable, type AuditView, auditQuery } from "./audit-table.tsx";

const PATH = "/console/settings/audit-log";

export const auditLogPage = page(AUDITORS, {
  method: "GET",
  path: PATH,
  async handle({ api, query, visitor }) {
    const filters = { ...filtersOf(query, "actor", "action", "subject", "from", "to"), account_id: "" };
    const cursor = query.get("cursor");
    const list = await api.get<ListOf<AuditView>>("/v1/account/audit-log", {
      ...auditQuery(filters),
      cursor,
      limit: PER_PAGE,
    });
    return show(
      "Audit log",
      <>
        <PageHead
          title="Audit log"
          trail={[{ label: "Settings", path: "/console/settings" }, { label: "Audit log" }]}
          lead={`Who changed what in ${visitor.account?.name ?? "this account"}, newest first.`}
        />
        <AuditFilterForm action={PATH} filters={filters} everywhere={false} />
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
          {(rows) => <AuditTable rows={rows} everywhere={false} />}
        </Listing>
        <Pages path={PATH} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});
