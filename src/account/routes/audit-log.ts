import { AuditQuery, auditFilter, auditPage, SHORT_AUDIT_PAGES } from "../../api/audit-query.ts";
import { AuditSchema } from "../../api/audit-view.ts";
import { EXAMPLE_AUDIT_ENTRY, examplePage } from "../../api/examples.ts";
import { AUDITORS, accountRoute } from "../../api/route.ts";
import { pageOf } from "../../api/schemas.ts";
import { listAudit } from "../../store/audit.ts";

export const auditLogRoute = accountRoute(AUDITORS, {
  method: "GET",
  path: "/v1/account/audit-log",
  summary: "List changes",
  description: `Newest first: who, when, what, from where, before and after. Not for members. ${SHORT_AUDIT_PAGES}`,
  tag: "Account",
  query: AuditQuery,
  answers: {
    200: {
      description: "A page of the audit log",
      schema: pageOf(AuditSchema),
      example: examplePage(EXAMPLE_AUDIT_ENTRY),
    },
  },
  async handle({ env, account, query }) {
    const filter = { ...auditFilter(query), account_id: account.id };
    return auditPage(await listAudit(env.DB, filter, { limit: query.limit, before: query.cursor ?? null }));
  },
});
