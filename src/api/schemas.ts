import * as z from "zod";
import { ID } from "../endpoints/endpoint.ts";
import { checkName, EXPIRY_FORMAT } from "../keys/rules.ts";
import { type ParsedScopes, parseScopes, type Scopes } from "../keys/scopes.ts";
import { formatInstant, parseInstant } from "../keys/time.ts";
import { wholeSentence } from "./problem.ts";

/** Id of an account or an endpoint. */
export const Id = z.string().regex(ID, `must match ${ID.source}`);

/** A name that people read. White space at its ends is dropped. */
export const Name = z
  .string()
  .transform((text, context): string => {
    const checked = checkName(text);
    if (checked.ok) return checked.value;
    context.addIssue(wholeSentence(checked.message));
    return z.NEVER;
  })
  .meta({
    description: "1 to 64 characters, none of them a control or direction-changing character",
    minLength: 1,
    maxLength: 64,
  });

export const Environment = z.enum(["production", "test"]);

/** A time in an answer. */
export const Instant = z.string().meta({ format: "date-time", examples: ["2026-01-31T12:00:00.000Z"] });

/** Milliseconds since 1970 UTC as an `Instant`. */
export const instant = formatInstant;

/** A time in a request; milliseconds since 1970 UTC once it is read. */
export const SentInstant = z
  .string()
  .transform((text, context): number => {
    const at = parseInstant(text);
    if (at !== null) return at;
    context.addIssue({
      code: "custom",
      message: "must be an RFC 3339 date-time such as 2030-01-31T12:00:00Z",
    });
    return z.NEVER;
  })
  .meta({ format: "date-time" });

/** An expiry in a body; `parseExpiry` judges it against the clock. */
export const ExpiresAt = z
  .string({
    error: (issue) => (issue.input === undefined ? undefined : EXPIRY_FORMAT.replace("expires_at ", "")),
  })
  .nullable()
  .meta({ format: "date-time", description: "In the future, or null for never" });

export const Access = z.enum(["none", "read", "read_write"]).meta({
  id: "Access",
  description: "`read_write` includes `read`",
});
const RootFields = z.union([z.literal("*"), z.array(z.string())]);
const KubernetesExec = z.strictObject({
  namespace_ids: z.array(z.guid()).optional(),
  all_namespaces: z.boolean().optional(),
});

/** The shapes of `scopes`, for the documentation. What they mean, and whether they hold, `parseScopes` says. */
export const ScopesShape = z
  .union([
    z.strictObject({ all: z.literal(true) }).meta({ title: "Everything" }),
    z.strictObject({ read_only: z.literal(true) }).meta({ title: "Reads on GraphQL and inference" }),
    z.strictObject({ inference: z.literal(true) }).meta({ title: "Inference alone" }),
    z.strictObject({ kubernetes_exec: KubernetesExec }).meta({ title: "Kubernetes alone" }),
    z
      .strictObject({
        restricted: z.strictObject({
          graphql: z
            .union([
              Access,
              z.strictObject({ queries: RootFields.optional(), mutations: RootFields.optional() }),
            ])
            .optional(),
          inference: z
            .union([
              Access,
              z.strictObject({ endpoints: z.record(z.string(), Access), others: Access.optional() }),
            ])
            .optional(),
          kubernetes_exec: z.union([z.enum(["none", "all_namespaces"]), KubernetesExec]).optional(),
        }),
      })
      .meta({ title: "Each API on its own; what is not named is none" }),
    z
      .array(z.string())
      .meta({ title: "A list of scope strings", examples: [["inference:read", "inference:ENDPOINT:write"]] }),
  ])
  .meta({ id: "Scopes", description: "What a key may do (GET /v1/account/scopes lists every scope string)" });

/** `scopes` as sent, and what they mean. */
export interface SentScopes {
  sent: Scopes;
  parsed: Extract<ParsedScopes, { ok: true }>;
}

/** `scopes` in a body, with the exact refusals of spec 4. */
export const SentScopesSchema = z
  .unknown()
  .transform((sent, context): SentScopes => {
    const parsed = parseScopes(sent);
    if (parsed.ok) return { sent: sent as Scopes, parsed };
    context.addIssue(wholeSentence(parsed.message));
    return z.NEVER;
  })
  .meta({ $ref: "#/components/schemas/Scopes" });

export const TemplateName = z
  .string()
  .regex(ID, `must match ${ID.source}`)
  .meta({ description: "Name of a permission template" });

/** A key, as every route shows it. */
export const KeySchema = z
  .strictObject({
    id: z.string().meta({ examples: ["key_1TnWqGgWLb2oZzzRT0yJ6M"] }),
    name: z.string(),
    prefix: z.string().meta({ description: "The beginning of the key, to recognise it by" }),
    environment: Environment,
    status: z.enum(["active", "disabled", "expired", "revoked"]),
    permission: z.enum(["read_write", "read_only", "restricted", "legacy"]),
    scopes: ScopesShape,
    template: z.string().nullable(),
    enabled: z.boolean(),
    legacy: z.boolean(),
    created_at: Instant,
    created_by: z.string(),
    expires_at: Instant.nullable(),
    revoked_at: Instant.nullable(),
    last_used_at: Instant.nullable(),
    rotated_from: z.string().nullable().meta({ description: "Id of the key this one replaces" }),
  })
  .meta({ id: "Key" });

/** A key with its secret, which is shown this once. */
export const NewKeySchema = KeySchema.extend({
  key: z.string().meta({ description: "The key itself. It is not stored and cannot be shown again" }),
}).meta({ id: "NewKey" });

/** A page of anything. */
export const pageOf = (item: z.ZodType) =>
  z.strictObject({
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: "For the next page; null on the last" }),
  });
