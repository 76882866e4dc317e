import * as z from "zod/mini";
import type { AuditEntry } from "../store/write.ts";
import { Instant, instant } from "./schemas.ts";

export const AuditSchema = z
  .strictObject({
    id: z.string(),
    at: Instant,
    account_id: z.nullable(z.string()),
    actor: z.string().check(z.describe("E-mail address or id of the person, or the name of a machine")),
    address: z.nullable(z.string()).check(z.describe("Client address as the platform reports it")),
    action: z.string().check(z.meta({ examples: ["api_key.create"] })),
    subject: z.string().check(z.describe("Id of what changed")),
    before: z.unknown(),
    after: z.unknown(),
  })
  .check(z.meta({ id: "AuditEntry" }));

/** A change as both audit logs show it. */
export function auditView({ at, ...entry }: AuditEntry) {
  return { ...entry, at: instant(at) };
}
