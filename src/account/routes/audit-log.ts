import * as z from "zod";
import { AuditSchema, auditView } from "../../api/audit-view.ts";
import { limit, page, timeCursor } from "../../api/cursor.ts";
import { EXAMPLE_AUDIT_ENTRY, examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { AUDITORS, accountRoute } from "../../api/route.ts";
import { pageOf } from "../../api/schemas.ts";
import { listAudit } from "../../store/audit.ts";

export const auditLogRoute = accountRoute(AUDITORS, {
  method: "GET",
  path: "/v1/account/audit-log",
  summary: "List changes",
  description: "Newest first: who, when, what, from where, before and after. Not for members.",
  tag: "Account",
  query: z.strictObject({ limit, cursor: timeCursor }),
  answers: {
    200: {
      description: "A page of the audit log",
      schema: pageOf(AuditSchema),
      example: examplePage(EXAMPLE_AUDIT_ENTRY),
    },
  },
  async handle({ env, account, query }) {
    const rows = await listAudit(
      env.DB,
      { account_id: account.id },
      { limit: query.limit + 1, before: query.cursor ?? null },
    );
    return ok(page(rows, query.limit, auditView, (row) => [row.at, row.id]));
  },
});
