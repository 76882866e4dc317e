import { type ListOf, Problem } from "../api.ts";
import {
  Badge,
  ButtonLink,
  Card,
  type Column,
  DataTable,
  EmptyState,
  Filters,
  PageHead,
  When,
} from "../components.tsx";
import { Form } from "../layout.tsx";
import { page, type Visit } from "../page.ts";
import { confirmation, done, isConfirmed, show } from "../replies.tsx";
import {
  bodyOf,
  EndpointForm,
  type EndpointValues,
  NEW_ENDPOINT,
  readValues,
  valuesOf,
} from "./endpoint-form.tsx";
import {
  AccountOptions,
  accountChoices,
  CHANGED_MEANWHILE,
  filtersOf,
  inUse,
  isNarrowed,
  Listing,
  NameCell,
  Pages,
  PER_PAGE,
  trail,
} from "./parts.tsx";
import type { EndpointView } from "./records.ts";

const LIST = "/console/admin/endpoints";
const pathOf = (id: string) => `${LIST}/${encodeURIComponent(id)}`;
const recordOf = (id: string) => `/admin/endpoints/${encodeURIComponent(id)}`;
const ABOVE = trail({ label: "Endpoints", path: LIST });

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
    const filters = filtersOf(query, "account_id");
    const cursor = query.get("cursor");
    const [list, accounts] = await Promise.all([
      api.get<ListOf<EndpointView>>("/admin/endpoints", { ...filters, cursor, limit: PER_PAGE }),
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
            <label for="account_id">Seen by account</label>
            <input id="account_id" name="account_id" value={filters.account_id} list="accounts" />
          </div>
        </Filters>
        <AccountOptions accounts={accounts} />
        <Listing
          list={list}
          narrowed={isNarrowed(filters)}
          unmatched="The account sees no endpoint. Is its id spelled right?"
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

async function newForm({ api, visitor }: Visit, values: EndpointValues, problem: Problem | null = null) {
  return show(
    "Add endpoint",
    <>
      <PageHead title="Add endpoint" trail={ABOVE} lead="In force everywhere seconds after it is saved." />
      <EndpointForm
        visitor={visitor}
        action={`${LIST}/new`}
        values={values}
        accounts={await accountChoices(api)}
        problem={problem}
        submit="Add endpoint"
      />
    </>,
    problem?.status ?? 200,
  );
}

const newPage = page("admin", {
  method: "GET",
  path: `${LIST}/new`,
  handle: (visit) => newForm(visit, NEW_ENDPOINT),
});

const createPage = page("admin", {
  method: "POST",
  path: `${LIST}/new`,
  async handle(visit) {
    const { api, form } = visit;
    const values = readValues(form, form.text("id"));
    if (values.id === "")
      return newForm(visit, values, new Problem(400, "invalid_request", "id is required"));
    const there = await api.get<EndpointView>(recordOf(values.id));
    if (!(there instanceof Problem)) {
      return newForm(
        visit,
        values,
        new Problem(409, "conflict", `id must be a new one: ${values.id} is an endpoint already`),
      );
    }
    if (there.status !== 404) return there;
    const made = await api.call<EndpointView>("PUT", recordOf(values.id), { body: bodyOf(values) });
    if (made instanceof Problem) return newForm(visit, values, made);
    return done(pathOf(made.id), `${made.name} is registered. It is reached under ${made.path}.`);
  },
});

async function editForm(
  { api, visitor, origin }: Visit,
  endpoint: EndpointView,
  values: EndpointValues,
  problem: Problem | null = null,
) {
  const { id, name, path, created_at, updated_at } = endpoint;
  return show(
    name,
    <>
      <PageHead
        title={name}
        trail={[...ABOVE, { label: id }]}
        lead={
          <>
            Reached at{" "}
            <code>
              {origin}
              {path}
            </code>
            . Added <When at={created_at} />, changed <When at={updated_at} />.
          </>
        }
      >
        <ButtonLink href={`${LIST}/try?path=${encodeURIComponent(path)}`}>Try a path</ButtonLink>
        <ButtonLink href={`/console/admin/audit-log?subject=${encodeURIComponent(id)}`}>History</ButtonLink>
      </PageHead>
      <EndpointForm
        visitor={visitor}
        action={pathOf(id)}
        values={values}
        accounts={await accountChoices(api)}
        problem={problem}
        submit="Save changes"
      />
      <Card title="Delete this endpoint">
        <p>Its path answers 404 from then on. Refused while a key that is not revoked or expired names it.</p>
        <Form
          visitor={visitor}
          action={`${pathOf(id)}/delete`}
          confirm={`Delete the endpoint ${name}? Requests to ${path} will be answered 404.`}
          yes="Delete endpoint"
        >
          <div class="buttons">
            <button class="button danger" type="submit">
              Delete endpoint
            </button>
          </div>
        </Form>
      </Card>
    </>,
    problem?.status ?? 200,
  );
}

const showPage = page("admin", {
  method: "GET",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const endpoint = await visit.api.get<EndpointView>(recordOf(visit.params.id!));
    return endpoint instanceof Problem ? endpoint : editForm(visit, endpoint, valuesOf(endpoint));
  },
});

const savePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}`,
  async handle(visit) {
    const { api, form, params } = visit;
    const before = await api.get<EndpointView>(recordOf(params.id!));
    if (before instanceof Problem) return before;
    const values = readValues(form, before.id);
    if (values.updated_at !== before.updated_at) {
      return editForm(visit, before, { ...values, updated_at: before.updated_at }, CHANGED_MEANWHILE);
    }
    const saved = await api.call<EndpointView>("PUT", recordOf(before.id), { body: bodyOf(values) });
    return saved instanceof Problem
      ? editForm(visit, before, values, saved)
      : done(pathOf(saved.id), `${saved.name} is saved.`);
  },
});

const deletePage = page("admin", {
  method: "POST",
  path: `${LIST}/{id}/delete`,
  async handle(visit) {
    const id = visit.params.id!;
    if (!isConfirmed(visit)) {
      return confirmation(visit, {
        title: "Delete endpoint",
        question: `Delete the endpoint ${id}? Requests to its path will be answered 404.`,
        yes: "Delete endpoint",
        danger: true,
        back: pathOf(id),
      });
    }
    const deleted = await visit.api.call("DELETE", recordOf(id));
    if (!(deleted instanceof Problem)) return done(LIST, `The endpoint ${id} is deleted.`);
    if (deleted.code !== "in_use") return deleted;
    return inUse("The endpoint is in use", deleted, {
      what: "What to do",
      steps: [
        <>
          Look at <a href={`/console/admin/keys?names=${encodeURIComponent(id)}`}>the keys that name {id}</a>.
        </>,
        "Revoke those that nobody needs, or have their owners take the endpoint out of their permissions.",
        "Delete the endpoint again. Keys with access to every endpoint are no obstacle.",
      ],
      back: pathOf(id),
    });
  },
});

export const endpointPages = [listPage, newPage, createPage, showPage, savePage, deletePage];
