import * as z from "zod/mini";
import { AuditQuery, auditFilter, auditPage, SHORT_AUDIT_PAGES } from "../../api/audit-query.ts";
import { AuditSchema } from "../../api/audit-view.ts";
import { EXAMPLE_AUDIT_ENTRY, examplePage } from "../../api/examples.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, pageOf } from "../../api/schemas.ts";
import { listAudit } from "../../store/audit.ts";

export const auditLogRoute = adminRoute({
  method: "GET",
  path: "/admin/audit-log",
  summary: "List all changes",
  description: `Newest first: who, when, what, from where, before and after. Written with the change itself. ${SHORT_AUDIT_PAGES}`,
  tag: "Audit log",
  query: z.strictObject({ ...AuditQuery.shape, account_id: z.optional(Id) }),
  answers: {
    200: {
      description: "A page of the audit log",
      schema: pageOf(AuditSchema),
      example: examplePage(EXAMPLE_AUDIT_ENTRY),
    },
  },
  async handle({ env, query }) {
    const filter = { ...auditFilter(query), account_id: query.account_id };
    return auditPage(await listAudit(env.DB, filter, { limit: query.limit, before: query.cursor ?? null }));
  },
});
