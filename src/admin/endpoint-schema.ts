import * as z from "zod/mini";
import { wholeSentence } from "../api/problem.ts";
import { Id, Instant, instant, Name } from "../api/schemas.ts";
import { ORIGIN_SECRET, PROTOCOLS } from "../endpoints/endpoint.ts";
import { defaultPath, isWildcard } from "../endpoints/path.ts";
import { HOP_BY_HOP } from "../http/hop-by-hop.ts";
import { must, refuse } from "../refusal.ts";
import type { EndpointRow } from "../store/endpoints.ts";

/** Fits every origin there is, and D1's rows. */
const LONGEST_URL = 2048;
const MOST_RULES = 100;
const MOST_ORIGINS = 100;
const DEFAULT_TIMEOUT = 120;

/** A header name (RFC 9110 section 5.1: a token), lower case. Assigned to, `__proto__` makes no member. */
const HEADER = /^(?!__proto__$)[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;

/** Headers that frame the message, or that Postern itself sets: no credential may take their place. */
const TAKEN_HEADERS = new Set<string>([
  ...HOP_BY_HOP,
  ...["host", "cookie", "expect", "forwarded", "range", "x-request-id", "x-real-ip", "date", "via"],
]);
const TAKEN_PREFIXES = /^(?:content-|x-postern-|x-forwarded-|cf-|sec-|proxy-|if-|accept)/;

/** Only secrets set aside for origins: no record can ever send one of Postern's own. */

const Url = z.string().check(z.maxLength(LONGEST_URL), z.meta({ format: "uri" }));

const OperationRule = z.strictObject({
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
  path: z
    .string()
    .check(
      z.maxLength(256),
      z.regex(
        /^(?:\/|(?:\/(?:\*|[A-Za-z0-9._~!$&'()+,;=:@%-]+))+)$/,
        "must start with a slash and have no empty segment; a * stands for a whole segment",
      ),
    ),
  access: z.enum(["read", "write"]),
});

const Credential = z.strictObject({
  header: z.string().check(
    z.toLowerCase(),
    z.regex(HEADER, "must be a header name"),
    must(
      (name) => !TAKEN_HEADERS.has(name) && !TAKEN_PREFIXES.test(name),
      "must not be a header with a role of its own",
    ),
  ),
  secret: z
    .string()
    .check(
      z.regex(ORIGIN_SECRET, `must be the name of a secret that matches ${ORIGIN_SECRET.source}`),
      z.describe("Name of the secret that holds the value, never the value"),
    ),
  scheme: z
    .optional(z.string().check(z.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}$/, "must be one word")))
    .check(z.describe("Word before the value, such as Bearer")),
});

const WebOrigin = z
  .string()
  .check(z.maxLength(300), must(isWebOrigin, "must be an origin such as https://app.example.com"));

/** A browser compares origins as text, so one that is not in its normal form would never match. */
function isWebOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && origin === text;
}

const optional = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? null),
  );

/** An endpoint in a body. It stands for the whole record: what is left out has its default. */
export const EndpointBody = z
  .strictObject({
    account_id: z.nullable(Id).check(z.describe("The owner; null for an endpoint that every account sees")),
    name: Name,
    api: z.enum(["inference", "graphql"]),
    protocol: z.enum(PROTOCOLS),
    path: optional(z.string().check(z.maxLength(200))).check(
      z.describe(
        "Prefix of one to three segments; default /v2/ID, /graphql/ID, or /graphql for the id graphql",
      ),
    ),
    origin: Url,
    test_origin: optional(Url).check(z.describe("Where test keys are sent; without it they are refused")),
    operations: optional(z.array(OperationRule).check(z.maxLength(MOST_RULES))),
    credential: optional(Credential),
    assertion: z._default(z.boolean(), false),
    allow_query_key: z._default(z.boolean(), false),
    redirects: z._default(z.enum(["refuse", "pass"]), "refuse"),
    timeout_seconds: z._default(z.int().check(z.minimum(1), z.maximum(600)), DEFAULT_TIMEOUT),
    freshness: z._default(z.enum(["bounded", "strict"]), "bounded"),
    cors: optional(z.strictObject({ origins: z.array(WebOrigin).check(z.maxLength(MOST_ORIGINS)) })),
  })
  .check((context) => {
    const { api, protocol, operations, path } = context.value;
    const complain = (message: string) => refuse(context, wholeSentence(message));
    if ((api === "graphql") !== (protocol === "graphql")) {
      complain(`protocol ${protocol} does not go with api ${api}`);
    }
    // The document is what tells a query from a mutation; a rule by path would overrule it.
    if (api === "graphql" && operations !== null) {
      complain("operations cannot be given for a graphql endpoint");
    }
    if (api === "graphql" && path !== null && isWildcard(path)) {
      complain("path must not end in * for a graphql endpoint");
    }
  });

/** An endpoint as the admin API shows it. */
export const EndpointSchema = z
  .strictObject({
    id: z.string(),
    account_id: z.nullable(z.string()),
    name: z.string(),
    api: z.enum(["inference", "graphql"]),
    protocol: z.enum(PROTOCOLS),
    path: z.string(),
    origin: Url,
    test_origin: z.nullable(Url),
    operations: z.nullable(z.array(OperationRule)),
    credential: z.nullable(Credential),
    assertion: z.boolean(),
    allow_query_key: z.boolean(),
    redirects: z.enum(["refuse", "pass"]),
    timeout_seconds: z.int(),
    freshness: z.enum(["bounded", "strict"]),
    cors: z.nullable(z.strictObject({ origins: z.array(z.string()) })),
    created_at: Instant,
    updated_at: Instant,
  })
  .check(z.meta({ id: "Endpoint" }));

/** The record that a body stands for. */
export function endpointOf(id: string, body: z.output<typeof EndpointBody>) {
  return { ...body, id, path: body.path ?? defaultPath(body.api, id) };
}

export function endpointView({ version: _, created_at, updated_at, ...endpoint }: EndpointRow) {
  return { ...endpoint, created_at: instant(created_at), updated_at: instant(updated_at) };
}
