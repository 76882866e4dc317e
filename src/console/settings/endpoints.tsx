import { READERS } from "../../api/route.ts";
import { Listing, NameCell, Pages, PER_PAGE } from "../admin/lists.tsx";
import { type ListOf, Problem } from "../api.ts";
import { Badge, type Column, DataTable, EmptyState, PageHead } from "../components.tsx";
import type { EndpointChoice } from "../keys/choices.ts";
import { page } from "../page.ts";
import { show } from "../replies.tsx";

const PATH = "/console/settings/endpoints";

/** An endpoint as the account API tells of it. */
type AccountEndpoint = EndpointChoice & { shared: boolean };

const SPEAKS: Record<AccountEndpoint["protocol"], string> = {
  serverless: "Serverless job queue",
  openai: "OpenAI-compatible",
  http: "HTTP",
  graphql: "GraphQL",
};

export const endpointsPage = page(READERS, {
  method: "GET",
  path: PATH,
  async handle({ api, query, origin }) {
    const cursor = query.get("cursor");
    const list = await api.get<ListOf<AccountEndpoint>>("/v1/account/endpoints", { cursor, limit: PER_PAGE });
    const columns: Column<AccountEndpoint>[] = [
      {
        label: "Endpoint",
        heading: true,
        cell: ({ id, name }) => <NameCell name={name} id={id} />,
      },
      {
        label: "Address",
        cell: ({ path }) => (
          <code class="long">
            {origin}
            {path}
          </code>
        ),
      },
      { label: "Speaks", cell: ({ protocol }) => SPEAKS[protocol] },
      { label: "Test keys", cell: ({ environments }) => (environments.includes("test") ? "Yes" : "No") },
      {
        label: "Kind",
        cell: ({ shared, wildcard }) => (
          <span class="actions">
            {shared && <Badge>shared</Badge>}
            {wildcard && <Badge tone="accent">any id</Badge>}
          </span>
        ),
      },
    ];
    return show(
      "Endpoints",
      <>
        <PageHead
          title="Endpoints"
          trail={[{ label: "Settings", path: "/console/settings" }, { label: "Endpoints" }]}
          lead="What this account's keys can open, as far as their permissions go."
        />
        <Listing
          list={list}
          narrowed={false}
          unmatched=""
          empty={
            <EmptyState title="No endpoints yet">
              Whoever runs this gateway adds them. Keys can be made before; they open what comes later.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Endpoints, by id" columns={columns} rows={rows} />}
        </Listing>
        <Pages path={PATH} filters={{}} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});
