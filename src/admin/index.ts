import type { Route } from "../api/route.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { auditLogRoute } from "./routes/audit-log.ts";
import { endpointRoutes } from "./routes/endpoints.ts";
import { importRoute } from "./routes/import.ts";
import { keyRoutes } from "./routes/keys.ts";
import { memberRoutes } from "./routes/members.ts";
import { namespaceRoutes } from "./routes/namespaces.ts";

/** The admin API (spec 6), in the order of the documentation. */
export const adminRoutes: readonly Route[] = [
  ...accountRoutes,
  ...endpointRoutes,
  ...namespaceRoutes,
  ...memberRoutes,
  ...keyRoutes,
  importRoute,
  auditLogRoute,
];
