import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  type Column,
  DataTable,
  EmptyState,
  Filters,
  PageHead,
  When,
} from "../components.tsx";
import { page } from "../page.ts";
import { show } from "../replies.tsx";
import { AccountOptions, accountChoices } from "./account-choices.tsx";
import {
  bodyOf,
  EndpointCards,
  type EndpointValues,
  FIELDS,
  NEW_ENDPOINT,
  PHRASES,
  readValues,
  valuesOf,
} from "./endpoint-form.tsx";
import { filtersOf, isNarrowed, Listing, NameCell, NONE, openOne, Pages, PER_PAGE } from "./lists.tsx";
import { ENDPOINTS, recordPath, trail } from "./paths.ts";
import { recordPages } from "./record-pages.tsx";
import type { EndpointView } from "./records.ts";

const LIST = ENDPOINTS;
const pathOf = (id: string) => recordPath(LIST, id);

const PROTOCOLS: Record<EndpointView["protocol"], string> = {
  serverless: "Serverless",
  openai: "OpenAI",
  http: "HTTP",
  graphql: "GraphQL",
};

const COLUMNS: readonly Column<EndpointView>[] = [
  {
    label: "Endpoint",
    heading: true,
    cell: ({ id, name }) => <NameCell name={name} id={id} href={pathOf(id)} />,
  },
  { label: "Path", cell: ({ path }) => <code>{path}</code> },
  { label: "Speaks", cell: ({ protocol }) => PROTOCOLS[protocol] },
  {
    label: "Seen by",
    cell: ({ account_id }) =>
      account_id === null ? <Badge tone="accent">every account</Badge> : <code>{account_id}</code>,
  },
  { label: "Origin", cell: ({ origin }) => <code class="long">{origin}</code> },
  {
    label: "Test",
    cell: ({ test_origin }) =>
      test_origin === null ? <span class="quiet">No</span> : <Badge tone="good">yes</Badge>,
  },
];

const listPage = page("admin", {
  method: "GET",
  path: LIST,
  async handle({ api, query }) {
    const { id, ...filters } = filtersOf(query, "id", "account_id");
    const opened = await openOne(api, id, { records: "/admin/endpoints", list: LIST });
    if (opened !== null) return opened;
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      id === ""
        ? api.get<ListOf<EndpointView>>("/admin/endpoints", { ...filters, cursor, limit: PER_PAGE })
        : NONE,
      accountChoices(api),
    ]);
    return show(
      "Endpoints",
      <>
        <PageHead
          title="Endpoints"
          trail={trail({ label: "Endpoints" })}
          lead="What keys open: each stands for one origin, under one path of this gateway."
        >
          <ButtonLink href={`${LIST}/try`}>Try a path</ButtonLink>
          <ButtonLink href={`${LIST}/new`} kind="primary">
            Add endpoint
          </ButtonLink>
        </PageHead>
        <Filters action={LIST}>
          <div>
            <label for="id">Id</label>
            <input id="id" name="id" value={id} />
          </div>
          <div>
            <label for="account_id">Seen by account</label>
            <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
          </div>
        </Filters>
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed({ id, ...filters })}
          unmatched="There is no such endpoint. Is the id spelled right? It is looked up as a whole."
          empty={
            <EmptyState
              title="No endpoints yet"
              action={
                <ButtonLink href={`${LIST}/new`} kind="primary">
                  Add the first endpoint
                </ButtonLink>
              }
            >
              Until there is one, every path but the gateway's own answers 404.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Endpoints, by id" columns={COLUMNS} rows={rows} />}
        </Listing>
        <Pages path={LIST} filters={filters} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});

const records = recordPages<EndpointView, EndpointValues>({
  noun: "endpoint",
  plural: "Endpoints",
  list: LIST,
  records: "/admin/endpoints",
  key: "id",
  nameOf: ({ id, name }) => ({ id, name }),
  blank: () => NEW_ENDPOINT,
  valuesOf,
  read: readValues,
  body: bodyOf,
  fields: FIELDS,
  phrases: PHRASES,
  form: (values, error) => <EndpointCards values={values} error={error} />,
  lead: (record, { origin }) =>
    record === null ? (
      "In force everywhere seconds after it is saved."
    ) : (
      <>
        Reached at{" "}
        <code>
          {origin}
          {record.path}
        </code>
        . Added <When at={record.created_at} date />, changed <When at={record.updated_at} date />.
      </>
    ),
  links: ({ id, path }) => (
    <>
      <ButtonLink href={`${LIST}/try?path=${encodeURIComponent(path)}`}>Try a path</ButtonLink>
      <ButtonLink href={`/console/admin/audit-log?subject=${encodeURIComponent(id)}`}>History</ButtonLink>
    </>
  ),
  welcome: ({ name, path }) => `${name} is registered. It is reached under ${path}.`,
  remove: {
    text: "Its path answers 404 from then on. Refused while a key that is not revoked or expired names it.",
    steps: (id) => [
      <>
        Look at <a href={`/console/admin/keys?names=${encodeURIComponent(id)}`}>the keys that name {id}</a>.
      </>,
      "Revoke those that nobody needs, or have their owners take the endpoint out of their permissions.",
      "Delete the endpoint again. Keys with access to every endpoint are no obstacle.",
    ],
  },
});

export const endpointPages = [listPage, ...records];
