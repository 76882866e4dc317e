import * as z from "zod/mini";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { EXAMPLE_NAMESPACE_ID, EXAMPLE_TIMES, examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { Instant, instant, pageOf } from "../../api/schemas.ts";
import { listNamespaces, type NamespaceRow } from "../../store/namespaces.ts";

const AccountNamespaceSchema = z
  .strictObject({ id: z.uuid(), name: z.string(), server: z.string(), created_at: Instant })
  .check(z.meta({ id: "AccountNamespace" }));

const view = ({ id, name, cluster, created_at }: NamespaceRow) => ({
  id,
  name,
  server: cluster.server,
  created_at: instant(created_at),
});

export const namespacesRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/namespaces",
  summary: "List Kubernetes namespaces",
  tag: "Account",
  query: z.strictObject({ limit, cursor: nameCursor }),
  answers: {
    200: {
      description: "A page of namespaces",
      schema: pageOf(AccountNamespaceSchema),
      example: examplePage({
        id: EXAMPLE_NAMESPACE_ID,
        name: "training",
        server: "https://kube.example.com:6443",
        created_at: EXAMPLE_TIMES.created_at,
      }),
    },
  },
  async handle({ env, account, query }) {
    const rows = await listNamespaces(
      env.DB,
      { account_id: account.id },
      { limit: query.limit + 1, after: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, view, (row) => [row.id]));
  },
});
