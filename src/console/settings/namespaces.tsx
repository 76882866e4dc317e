import { READERS } from "../../api/route.ts";
import { Listing, Pages, PER_PAGE } from "../admin/lists.tsx";
import { type ListOf, Problem } from "../api.ts";
import { type Column, DataTable, EmptyState, PageHead, When } from "../components.tsx";
import type { NamespaceChoice } from "../keys/choices.ts";
import { page } from "../page.ts";
import { show } from "../replies.tsx";

const PATH = "/console/settings/namespaces";

type AccountNamespace = NamespaceChoice & { created_at: string };

const COLUMNS: readonly Column<AccountNamespace>[] = [
  { label: "Namespace", heading: true, cell: ({ name }) => name },
  { label: "Id", cell: ({ id }) => <code>{id}</code> },
  { label: "Cluster", cell: ({ server }) => <code class="long">{server}</code> },
  { label: "Added", cell: ({ created_at }) => <When at={created_at} date /> },
];

export const namespacesPage = page(READERS, {
  method: "GET",
  path: PATH,
  async handle({ api, query }) {
    const cursor = query.get("cursor");
    const list = await api.get<ListOf<AccountNamespace>>("/v1/account/namespaces", {
      cursor,
      limit: PER_PAGE,
    });
    return show(
      "Namespaces",
      <>
        <PageHead
          title="Namespaces"
          trail={[{ label: "Settings", path: "/console/settings" }, { label: "Namespaces" }]}
          lead="Where keys with Kubernetes access may use kubectl."
        />
        <Listing
          list={list}
          narrowed={false}
          unmatched=""
          empty={
            <EmptyState title="No namespaces yet">
              Whoever runs this gateway adds them, one for each namespace of a cluster.
            </EmptyState>
          }
        >
          {(rows) => <DataTable caption="Namespaces, by id" columns={COLUMNS} rows={rows} />}
        </Listing>
        <Pages path={PATH} filters={{}} cursor={cursor} list={list} />
      </>,
      list instanceof Problem ? list.status : 200,
    );
  },
});
