import * as z from "zod/mini";
import { EXAMPLE_NAMESPACE_ID } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { isWildcard } from "../../endpoints/path.ts";
import { scopeCatalogue } from "../../keys/catalogue.ts";
import { listEndpoints } from "../../store/endpoints.ts";
import { listNamespaces } from "../../store/namespaces.ts";

/** Endpoints and namespaces that the catalogue spells out; beyond, their lists have pages. */
const MOST = 1000;

const CatalogueSchema = z
  .strictObject({
    groups: z.array(
      z.strictObject({
        group: z.enum(["inference", "graphql", "kubernetes_exec"]),
        scopes: z.array(z.strictObject({ scope: z.string(), description: z.string() })),
      }),
    ),
  })
  .check(z.meta({ id: "ScopeCatalogue" }));

export const scopesRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/scopes",
  summary: "List scope strings",
  description: `Every scope string, in groups, with a sentence each. Spells out the first ${MOST} endpoints and namespaces.`,
  tag: "Account",
  answers: {
    200: {
      description: "The catalogue",
      schema: CatalogueSchema,
      example: scopeCatalogue(
        [{ id: "chat", name: "Chat" }],
        [{ id: EXAMPLE_NAMESPACE_ID, name: "training" }],
      ),
    },
  },
  async handle({ env, account }) {
    const first = { limit: MOST, after: null };
    const [endpoints, namespaces] = await Promise.all([
      listEndpoints(env.DB, { visible_to: account.id }, first),
      listNamespaces(env.DB, { account_id: account.id }, first),
    ]);
    // A wildcard is no endpoint by itself: the ids under it are.
    const named = endpoints.filter(({ api, path }) => api === "inference" && !isWildcard(path));
    return ok(scopeCatalogue(named, namespaces));
  },
});
