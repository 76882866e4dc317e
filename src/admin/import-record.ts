import * as z from "zod/mini";
import { newKeyId } from "../account/create-key.ts";
import type { Names } from "../account/grant.ts";
import type { Operator } from "../api/operator.ts";
import { check } from "../api/problem.ts";
import { Environment, Id, Name, SentInstant, SentScopesSchema } from "../api/schemas.ts";
import { parseStrict } from "../json.ts";
import { displayPrefix } from "../keys/format.ts";
import { sha256Hex } from "../keys/hash.ts";
import { legacyPermissions } from "../keys/permissions.ts";
import type { KeyRow } from "../store/keys.ts";

/** Deepest nesting of a line, as of any body. */
const MAX_DEPTH = 16;

/** One line of an import: a key by its hash, or the key itself, which is hashed and forgotten. */
export const ImportRecord = z
  .strictObject({
    account_id: Id,
    name: Name,
    sha256: z.optional(
      z.string().check(z.regex(/^[0-9a-f]{64}$/i, "must be 64 hexadecimal digits"), z.toLowerCase()),
    ),
    key: z.optional(
      z.string().check(
        // What can be presented (spec 2.1).
        z.regex(
          /^[\x21-\x2b\x2d-\x7e]{1,512}$/,
          "must be printable ASCII without spaces and commas, at most 512 characters",
        ),
      ),
    ),
    graphql: z.optional(z.enum(["read", "read_write"])).check(z.describe("Makes it a legacy key")),
    scopes: z.optional(SentScopesSchema).check(z.describe("Makes it a native key")),
    id: z.optional(
      z.string().check(z.regex(/^key_[0-9A-Za-z]{22}$/, "must be key_ and 22 letters or digits")),
    ),
    prefix: z
      .optional(
        z
          .string()
          .check(
            z.regex(/^[\x21-\x7e]{0,32}$/, "must be printable ASCII without spaces, at most 32 characters"),
          ),
      )
      .check(z.describe("What may be shown of the key")),
    environment: z.optional(Environment),
    enabled: z._default(z.boolean(), true),
    created_at: z.optional(SentInstant),
    expires_at: z
      ._default(z.nullable(SentInstant), null)
      .check(z.describe("May have passed: then the key is expired")),
  })
  .check(z.meta({ id: "ImportRecord" }));

/** What a line stands for: a key record and what its scopes name, neither looked up yet. */
export interface Imported {
  row: KeyRow;
  names: Names;
}

/** Reads a line, or says why it cannot be read. */
export function readRecord(text: string, operator: Operator): Imported | { message: string } {
  const parsed = parseStrict(text, { maxDepth: MAX_DEPTH });
  if (!parsed.ok) return { message: `The line is not JSON: ${parsed.message}` };
  const checked = check(ImportRecord, parsed.value, "line");
  if ("message" in checked) return checked;
  const record = checked.value;

  const problem = contradiction(record, operator);
  if (problem !== null) return { message: problem };
  const hash = record.sha256 ?? sha256Hex(record.key!);
  const prefix = record.prefix ?? (record.key === undefined ? "" : displayPrefix(record.key));
  if (sha256Hex(prefix) === hash) return { message: "prefix must not be the whole key" };
  if (sha256Hex(record.name) === hash) return { message: "name must not hold the key" };

  const { scopes } = record;
  const row: KeyRow = {
    id: record.id ?? newKeyId(),
    account_id: record.account_id,
    hash,
    prefix,
    name: record.name,
    environment: environmentOf(record, operator),
    permissions: scopes?.parsed.permissions ?? legacyPermissions(record.graphql!),
    scopes: scopes?.sent ?? null,
    template: null,
    enabled: record.enabled,
    legacy: scopes === undefined,
    created_at: record.created_at ?? operator.now,
    created_by: operator.actor,
    expires_at: record.expires_at,
    revoked_at: null,
    rotated_from: null,
    rotated_to: null,
    version: 1,
  };
  return { row, names: scopes?.parsed.names ?? { endpoint_ids: [], namespace_ids: [] } };
}

type Parsed = z.output<typeof ImportRecord>;

/** What members say against each other, or the key against them. */
function contradiction(record: Parsed, { isolate, now }: Operator): string | null {
  const { sha256, key, graphql, scopes, environment, created_at } = record;
  if ((sha256 === undefined) === (key === undefined)) return "One of sha256 and key is required";
  if ((graphql === undefined) === (scopes === undefined)) {
    return "One of graphql (for a legacy key) and scopes (for a native key) is required";
  }
  if (created_at !== undefined && created_at > now) return "created_at must not be in the future";
  if (graphql !== undefined && environment === "test") return "A legacy key has no test environment";
  const { keyFormat } = isolate;
  if (keyFormat.within(record.name)) return "name must not hold an API key";
  if (key === undefined) return null;
  // Both are shown.
  if (record.name.includes(key)) return "name must not hold the key";
  if (2 * (record.prefix?.length ?? 0) > key.length) return "prefix must not be more than half of the key";
  const classified = keyFormat.classify(key);
  if (classified.kind === "forged")
    return "key has the form of a native key, but this gateway did not make it";
  if (classified.kind === "legacy") return scopes === undefined ? null : "Only a native key can have scopes";
  if (scopes === undefined) return "A native key needs scopes instead of graphql";
  if (environment !== undefined && environment !== classified.environment) {
    return `environment must be ${classified.environment}, as the key says`;
  }
  return null;
}

function environmentOf({ key, environment }: Parsed, { isolate }: Operator) {
  const classified = key === undefined ? undefined : isolate.keyFormat.classify(key);
  return classified?.kind === "native" ? classified.environment : (environment ?? "production");
}
