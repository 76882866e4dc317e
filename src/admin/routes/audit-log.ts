import * as z from "zod";
import { AuditSchema, auditView } from "../../api/audit-view.ts";
import { limit, page, timeCursor } from "../../api/cursor.ts";
import { EXAMPLE_AUDIT_ENTRY, examplePage } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { adminRoute } from "../../api/route.ts";
import { Id, pageOf } from "../../api/schemas.ts";
import { listAudit } from "../../store/audit.ts";

export const auditLogRoute = adminRoute({
  method: "GET",
  path: "/admin/audit-log",
  summary: "List all changes",
  description: "Newest first: who, when, what, from where, before and after. Written with the change itself.",
  tag: "Audit log",
  query: z.strictObject({ limit, cursor: timeCursor, account_id: Id.optional() }),
  answers: {
    200: {
      description: "A page of the audit log",
      schema: pageOf(AuditSchema),
      example: examplePage(EXAMPLE_AUDIT_ENTRY),
    },
  },
  async handle({ env, query }) {
    const { limit: most, cursor, account_id } = query;
    const rows = await listAudit(env.DB, { account_id }, { limit: most + 1, before: cursor ?? null });
    return ok(page(rows, most, auditView, (row) => [row.at, row.id]));
  },
});
