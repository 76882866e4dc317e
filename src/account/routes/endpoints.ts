import * as z from "zod/mini";
import { limit, nameCursor, page } from "../../api/cursor.ts";
import { examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { Environment, pageOf } from "../../api/schemas.ts";
import { PROTOCOLS } from "../../endpoints/endpoint.ts";
import { isWildcard } from "../../endpoints/path.ts";
import { type EndpointRow, listEndpoints } from "../../store/endpoints.ts";

/** What people of an account are told of an endpoint: how to call it, not what is behind it. */
const AccountEndpointSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    api: z.enum(["inference", "graphql"]),
    protocol: z.enum(PROTOCOLS),
    path: z.string(),
    wildcard: z.boolean().check(z.describe("Whether it serves every id that has no endpoint of its own")),
    environments: z.array(Environment),
    shared: z.boolean().check(z.describe("Whether every account sees it")),
  })
  .check(z.meta({ id: "AccountEndpoint" }));

function view(row: EndpointRow) {
  const { id, name, api, protocol, path, test_origin, account_id } = row;
  return {
    id,
    name,
    api,
    protocol,
    path,
    wildcard: isWildcard(path),
    environments: test_origin === null ? ["production"] : ["production", "test"],
    shared: account_id === null,
  };
}

export const endpointsRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/endpoints",
  summary: "List endpoints",
  description: "The account's own and the shared ones, by id.",
  tag: "Account",
  query: z.strictObject({ limit, cursor: nameCursor }),
  answers: {
    200: {
      description: "A page of endpoints",
      schema: pageOf(AccountEndpointSchema),
      example: examplePage({
        id: "chat",
        name: "Chat",
        api: "inference",
        protocol: "openai",
        path: "/v2/chat",
        wildcard: false,
        environments: ["production", "test"],
        shared: false,
      }),
    },
  },
  async handle({ env, account, query }) {
    const rows = await listEndpoints(
      env.DB,
      { visible_to: account.id },
      { limit: query.limit + 1, after: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, view, (row) => [row.id]));
  },
});
