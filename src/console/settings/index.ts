import type { Page } from "../page.ts";
import { auditLogPage } from "./audit-log.tsx";
import { endpointsPage } from "./endpoints.tsx";
import { namespacesPage } from "./namespaces.tsx";
import { createTemplatePage, deleteTemplatePage, newTemplatePage, templatesPage } from "./templates.tsx";

/** What an account has besides keys: templates, endpoints, namespaces, its audit log. */
export const settingsPages: readonly Page[] = [
  templatesPage,
  newTemplatePage,
  createTemplatePage,
  deleteTemplatePage,
  endpointsPage,
  namespacesPage,
  auditLogPage,
];
