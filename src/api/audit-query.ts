import * as z from "zod/mini";
import type { AuditFilter, AuditPage } from "../store/audit.ts";
import { auditView } from "./audit-view.ts";
import { encodeCursor, limit, timeCursor } from "./cursor.ts";
import { ok } from "./reply.ts";
import { SentInstant } from "./schemas.ts";

const Text = z.optional(z.string().check(z.maxLength(320)));

/** What a page of the audit log may be narrowed to. */
export const AuditQuery = z.strictObject({
  limit,
  cursor: timeCursor,
  actor: Text.check(z.describe("Text in the name of whoever made the change")),
  action: Text.check(z.describe("An action, or what it begins with: `endpoint.` for all of endpoints")),
  subject: Text.check(z.describe("Id of what changed")),
  from: z.optional(SentInstant).check(z.describe("The earliest moment")),
  to: z.optional(SentInstant).check(z.describe("The moment before which changes were made")),
});

/** What a client of a narrowed log must know. */
export const SHORT_AUDIT_PAGES =
  "A page of a narrowed log may be shorter than `limit`, even empty: there is more as long as `next_cursor` is not null.";

/** The store's question that a query stands for; an empty text is no filter. */
export function auditFilter({ actor, action, subject, from, to }: z.output<typeof AuditQuery>): AuditFilter {
  return {
    actor: actor || undefined,
    action: action || undefined,
    subject: subject || undefined,
    from,
    to,
  };
}

/** A page of the audit log as it is answered. */
export function auditPage({ rows, next }: AuditPage): Response {
  return ok({
    data: rows.map(auditView),
    next_cursor: next === null ? null : encodeCursor([next.at, next.id]),
  });
}
