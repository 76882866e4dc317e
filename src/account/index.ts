import type { Route } from "../api/route.ts";
import { auditLogRoute } from "./routes/audit-log.ts";
import { createKeyRoute } from "./routes/create-key.ts";
import { editKeyRoute } from "./routes/edit-key.ts";
import { endpointsRoute } from "./routes/endpoints.ts";
import { getKeyRoute } from "./routes/get-key.ts";
import { listKeysRoute } from "./routes/list-keys.ts";
import { namespacesRoute } from "./routes/namespaces.ts";
import { revokeKeyRoute } from "./routes/revoke-key.ts";
import { rotateKeyRoute } from "./routes/rotate-key.ts";
import { scopesRoute } from "./routes/scopes.ts";
import { templateRoutes } from "./routes/templates.ts";
import { usageRoute } from "./routes/usage.ts";

/** The account API (spec 5), in the order of the documentation. */
export const accountRoutes: readonly Route[] = [
  listKeysRoute,
  createKeyRoute,
  getKeyRoute,
  editKeyRoute,
  revokeKeyRoute,
  rotateKeyRoute,
  usageRoute,
  ...templateRoutes,
  scopesRoute,
  endpointsRoute,
  namespacesRoute,
  auditLogRoute,
];
