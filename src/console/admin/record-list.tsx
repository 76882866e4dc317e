import type { Child } from "../../html/jsx-runtime.ts";
import { type ListOf, Problem, search } from "../api.ts";
import { ButtonLink, type Column, DataTable, EmptyState, PageHead } from "../components.tsx";
import { Filters } from "../form-controls.tsx";
import { type Page, page } from "../page.ts";
import { show } from "../replies.tsx";
import { AccountOptions, accountChoices } from "./account-choices.tsx";
import { filtersOf, isNarrowed, Listing, NONE, openOne, Pages, PER_PAGE } from "./lists.tsx";
import { trail } from "./paths.ts";

/** A list of records that admins keep. */
export interface RecordList<R> {
  /** `endpoint`. */
  noun: string;
  /** `Endpoints`. */
  plural: string;
  /** Path of the page. */
  list: string;
  /** Path of the records in the API. */
  records: string;
  lead: string;
  /** Buttons beside the one that adds a record. */
  links?: Child;
  /** The field that leads to the one record of that id. */
  opens?: { name: "id" | "email"; label: string };
  /** Label of the field for the id of an account, where the list may be narrowed to one. */
  ofAccount?: string;
  /** Whether a new record is offered for the account that the list is narrowed to. */
  addsToAccount?: boolean;
  /** Default Apply. */
  submit?: string;
  columns: readonly Column<R>[];
  /** What the list goes by; default `id`. */
  by?: string;
  /** What to try where the fields match nothing. */
  unmatched(id: string): string;
  /** What is said before the first record was made. */
  empty: string;
}

/** The page of a list: fields to find records by, the records, and where to add one. */
export function recordList<R>({
  noun,
  plural,
  list,
  records,
  opens,
  ofAccount,
  ...spec
}: RecordList<R>): Page {
  return page("admin", {
    method: "GET",
    path: list,
    async handle({ api, query }) {
      const id = opens === undefined ? "" : filtersOf(query, opens.name)[opens.name];
      const opened = await openOne(api, id, { records, list });
      if (opened !== null) return opened;
      const filters: Record<string, string> = ofAccount === undefined ? {} : filtersOf(query, "account_id");
      const cursor = query.get("cursor");
      const [found, accounts] = await Promise.all([
        id === "" ? api.get<ListOf<R>>(records, { ...filters, cursor, limit: PER_PAGE }) : NONE,
        ofAccount === undefined ? null : accountChoices(api),
      ]);
      const add = (label: string) => (
        <ButtonLink href={`${list}/new${spec.addsToAccount ? search(filters) : ""}`} kind="primary">
          {label}
        </ButtonLink>
      );
      return show(
        plural,
        <>
          <PageHead title={plural} trail={trail({ label: plural })} lead={spec.lead}>
            {spec.links}
            {add(`Add ${noun}`)}
          </PageHead>
          <Filters action={list} submit={spec.submit}>
            {opens !== undefined && (
              <div>
                <label for={opens.name}>{opens.label}</label>
                <input id={opens.name} name={opens.name} value={id} />
              </div>
            )}
            {ofAccount !== undefined && (
              <div>
                <label for="account_id">{ofAccount}</label>
                <input id="account_id" name="account_id" value={filters.account_id!} list="accounts" />
              </div>
            )}
          </Filters>
          {accounts !== null && <AccountOptions accounts={accounts} />}
          <Listing
            list={found}
            narrowed={isNarrowed({ id, ...filters })}
            unmatched={spec.unmatched(id)}
            empty={
              <EmptyState title={`No ${plural.toLowerCase()} yet`} action={add(`Add the first ${noun}`)}>
                {spec.empty}
              </EmptyState>
            }
          >
            {(rows) => (
              <DataTable caption={`${plural}, by ${spec.by ?? "id"}`} columns={spec.columns} rows={rows} />
            )}
          </Listing>
          <Pages path={list} filters={filters} cursor={cursor} list={found} />
        </>,
        found instanceof Problem ? found.status : 200,
      );
    },
  });
}
