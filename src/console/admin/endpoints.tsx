import { Badge, ButtonLink, type Column, When } from "../components.tsx";
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
import { NameCell } from "./lists.tsx";
import { ENDPOINTS, recordPath } from "./paths.ts";
import { recordList } from "./record-list.tsx";
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

const KIND = { noun: "endpoint", plural: "Endpoints", list: LIST, records: "/admin/endpoints" };

const listPage = recordList<EndpointView>({
  ...KIND,
  lead: "What keys open: each stands for one origin, under one path of this gateway.",
  links: <ButtonLink href={`${LIST}/try`}>Try a path</ButtonLink>,
  opens: { name: "id", label: "Id" },
  ofAccount: "Seen by account",
  columns: COLUMNS,
  unmatched: () => "There is no such endpoint. Is the id spelled right? It is looked up as a whole.",
  empty: "Until there is one, every path but the gateway's own answers 404.",
});

const records = recordPages<EndpointView, EndpointValues>({
  ...KIND,
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
