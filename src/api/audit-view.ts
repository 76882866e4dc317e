import * as z from "zod";
import type { AuditEntry } from "../store/write.ts";
import { Instant, instant } from "./schemas.ts";

export const AuditSchema = z
  .strictObject({
    id: z.string(),
    at: Instant,
    account_id: z.string().nullable(),
    actor: z.string().meta({ description: "E-mail address or id of the person, or the name of a machine" }),
    address: z.string().nullable().meta({ description: "Client address as the platform reports it" }),
    action: z.string().meta({ examples: ["api_key.create"] }),
    subject: z.string().meta({ description: "Id of what changed" }),
    before: z.unknown(),
    after: z.unknown(),
  })
  .meta({ id: "AuditEntry" });

/** A change as both audit logs show it. */
export function auditView({ at, ...entry }: AuditEntry) {
  return { ...entry, at: instant(at) };
}
