import type { Page } from "../page.ts";
import { auditLogPage } from "./audit-log.tsx";
import { endpointsPage } from "./endpoints.tsx";
import { namespacesPage } from "./namespaces.tsx";

/** What an account has besides keys and their templates: endpoints, namespaces, its audit log. */
export const settingsPages: readonly Page[] = [endpointsPage, namespacesPage, auditLogPage];
