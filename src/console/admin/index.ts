import type { Page } from "../page.ts";
import { accountPages } from "./accounts.tsx";
import { auditLogPages } from "./audit-log.tsx";
import { endpointPages } from "./endpoints.tsx";
import { findKeyPages } from "./find-key.tsx";
import { importPages } from "./import.tsx";
import { keyPages } from "./key.tsx";
import { keyListPage } from "./keys.tsx";
import { memberPages } from "./members.tsx";
import { namespacePages } from "./namespaces.tsx";
import { tryPages } from "./try-path.tsx";

/** What admins see and change. */
export const adminPages: readonly Page[] = [
  ...endpointPages,
  ...tryPages,
  ...namespacePages,
  ...accountPages,
  ...memberPages,
  keyListPage,
  ...findKeyPages,
  ...keyPages,
  ...importPages,
  ...auditLogPages,
];
