import * as z from "zod/mini";
import { ID } from "../endpoints/endpoint.ts";
import { checkName, EXPIRY_FORMAT } from "../keys/rules.ts";
import { type ParsedScopes, parseScopes, type Scopes } from "../keys/scopes.ts";
import { formatInstant, parseInstant } from "../keys/time.ts";
import { refuse } from "../refusal.ts";
import { wholeSentence } from "./problem.ts";

/** Id of an account or an endpoint. */
export const Id = z.string().check(z.regex(ID, `must match ${ID.source}`));

/** A name that people read. White space at its ends is dropped. */
export const Name = z
  .pipe(
    z.string(),
    z.transform((text, context): string => {
      const checked = checkName(text);
      if (checked.ok) return checked.value;
      return refuse(context, wholeSentence(checked.message));
    }),
  )
  .check(
    z.meta({
      description: "1 to 64 characters, none of them a control or direction-changing character",
      minLength: 1,
      maxLength: 64,
    }),
  );

export const Environment = z.enum(["production", "test"]);

/** A time in an answer. */
export const Instant = z
  .string()
  .check(z.meta({ format: "date-time", examples: ["2026-01-31T12:00:00.000Z"] }));

/** Milliseconds since 1970 UTC as an `Instant`. */
export const instant = formatInstant;

/** A time in a request; milliseconds since 1970 UTC once it is read. */
export const SentInstant = z
  .pipe(
    z.string(),
    z.transform((text, context): number => {
      const at = parseInstant(text);
      if (at !== null) return at;
      return refuse(context, { message: "must be an RFC 3339 date-time such as 2030-01-31T12:00:00Z" });
    }),
  )
  .check(z.meta({ format: "date-time" }));

/** An expiry in a body; `parseExpiry` judges it against the clock. */
export const ExpiresAt = z
  .nullable(
    z.string({
      error: (issue) => (issue.input === undefined ? undefined : EXPIRY_FORMAT.replace("expires_at ", "")),
    }),
  )
  .check(z.meta({ format: "date-time", description: "In the future, or null for never" }));

export const Access = z.enum(["none", "read", "read_write"]).check(
  z.meta({
    id: "Access",
    description: "`read_write` includes `read`",
  }),
);
/** An object whose members, whatever their names, have one shape. */
export const mapOf = <T extends z.ZodMiniType>(shape: T) => z.catchall(z.object({}), shape);

const RootFields = z.union([z.literal("*"), z.array(z.string())]);
const KubernetesExec = z.strictObject({
  namespace_ids: z.optional(z.array(z.guid())),
  all_namespaces: z.optional(z.boolean()),
});

/** The shapes of `scopes`, for the documentation. What they mean, and whether they hold, `parseScopes` says. */
export const ScopesShape = z
  .union([
    z.strictObject({ all: z.literal(true) }).check(z.meta({ title: "Everything" })),
    z.strictObject({ read_only: z.literal(true) }).check(z.meta({ title: "Reads on GraphQL and inference" })),
    z.strictObject({ inference: z.literal(true) }).check(z.meta({ title: "Inference alone" })),
    z.strictObject({ kubernetes_exec: KubernetesExec }).check(z.meta({ title: "Kubernetes alone" })),
    z
      .strictObject({
        restricted: z.strictObject({
          graphql: z.optional(
            z.union([
              Access,
              z.strictObject({ queries: z.optional(RootFields), mutations: z.optional(RootFields) }),
            ]),
          ),
          inference: z.optional(
            z.union([Access, z.strictObject({ endpoints: mapOf(Access), others: z.optional(Access) })]),
          ),
          kubernetes_exec: z.optional(z.union([z.enum(["none", "all_namespaces"]), KubernetesExec])),
        }),
      })
      .check(z.meta({ title: "Each API on its own; what is not named is none" })),
    z.array(z.string()).check(
      z.meta({
        title: "A list of scope strings",
        examples: [["inference:read", "inference:ENDPOINT:write"]],
      }),
    ),
  ])
  .check(
    z.meta({
      id: "Scopes",
      description: "What a key may do (GET /v1/account/scopes lists every scope string)",
    }),
  );

/** `scopes` as sent, and what they mean. */
export interface SentScopes {
  sent: Scopes;
  parsed: Extract<ParsedScopes, { ok: true }>;
}

/** `scopes` in a body, with the exact refusals of spec 4. */
export const SentScopesSchema = z
  .pipe(
    z.unknown(),
    z.transform((sent, context): SentScopes => {
      const parsed = parseScopes(sent);
      if (parsed.ok) return { sent: sent as Scopes, parsed };
      return refuse(context, wholeSentence(parsed.message));
    }),
  )
  .check(z.meta({ $ref: "#/components/schemas/Scopes" }));

export const TemplateName = z
  .string()
  .check(z.regex(ID, `must match ${ID.source}`), z.describe("Name of a permission template"));

/** A key, as every route shows it. */
export const KeySchema = z
  .strictObject({
    id: z.string().check(z.meta({ examples: ["key_1TnWqGgWLb2oZzzRT0yJ6M"] })),
    name: z.string(),
    prefix: z.string().check(z.describe("The beginning of the key, to recognise it by")),
    environment: Environment,
    status: z.enum(["active", "disabled", "expired", "revoked"]),
    permission: z.enum(["read_write", "read_only", "restricted", "legacy"]),
    scopes: ScopesShape,
    template: z.nullable(z.string()),
    enabled: z.boolean(),
    legacy: z.boolean(),
    created_at: Instant,
    created_by: z.string(),
    expires_at: z.nullable(Instant),
    revoked_at: z.nullable(Instant),
    last_used_at: z.nullable(Instant),
    rotated_from: z.nullable(z.string()).check(z.describe("Id of the key this one replaces")),
  })
  .check(z.meta({ id: "Key" }));

/** A key with its secret, which is shown this once. */
export const NewKeySchema = z
  .strictObject({
    ...KeySchema.shape,
    key: z.string().check(z.describe("The key itself. It is not stored and cannot be shown again")),
  })
  .check(z.meta({ id: "NewKey" }));

/** A page of anything. */
export const pageOf = (item: z.ZodMiniType) =>
  z.strictObject({
    data: z.array(item),
    next_cursor: z.nullable(z.string()).check(z.describe("For the next page; null on the last")),
  });
