import type * as z from "zod/mini";
import type { Denial } from "../denial.ts";
import { ACCOUNT_HEADER } from "../session/choose-account.ts";
import { SchemaBook } from "./json-schema.ts";
import { problemExample } from "./problem-examples.ts";
import type { Answer, Described } from "./route.ts";

type Json = Record<string, unknown>;

/** One operation of the document, as far as the documentation page reads it. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  /** Any one of these opens it; an empty list: none is needed. */
  security: Json[];
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Json }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; headers?: Json; content?: Record<string, Media> }>;
}

/** A body of one media type. `examples` where there are several, by name. */
export interface Media {
  schema: Json;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

/** An OpenAPI 3.1 document of some routes. */
export interface OpenApi {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; headers: Json; securitySchemes: Json };
}

const DESCRIPTION =
  "Manage API keys, and the endpoints they open. Calls under `/v1/account` and `/admin` carry the access token of a signed-in session, as `Authorization: Bearer TOKEN` (on a local gateway, `npm run --silent token -- --account ID` prints one); API keys are refused there. `/v1/key` and `/v1/kubernetes` take an API key. Errors are problem details (RFC 9457) whose `error.code` says what is wrong; every answer carries `x-request-id`. The endpoints behind the gateway are not described here: each has its own path, see `GET /v1/account/endpoints`. They take an API key as `x-api-key: KEY` or `Authorization: Bearer KEY`.";

/** Describes routes from the very definitions that dispatch and validate them. */
export function describe(routes: readonly Described[], server: string): OpenApi {
  const book = new SchemaBook();
  const paths: OpenApi["paths"] = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operation(route, book);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Postern", version: "1", description: DESCRIPTION },
    servers: [{ url: server }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...book.schemas, Problem: PROBLEM },
      headers: HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const SECURITY_SCHEMES = {
  session: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Access token of a session" },
  access: {
    type: "apiKey",
    in: "header",
    name: "cf-access-jwt-assertion",
    description: "A session of Cloudflare Access, which adds the header itself",
  },
  key: { type: "apiKey", in: "header", name: "x-api-key", description: "An API key" },
  bearer_key: { type: "http", scheme: "bearer", description: "An API key, where clients send it that way" },
};

const SESSION = [{ session: [] }, { access: [] }];
const KEY = [{ key: [] }, { bearer_key: [] }];

/** Any one of these opens a route; an empty list: none is needed. */
function security(audience: Described["audience"]) {
  if (audience === "anybody") return [];
  if (audience === "key") return KEY;
  return audience === "key_or_session" ? [...KEY, ...SESSION] : SESSION;
}

const HEADERS = {
  "x-request-id": {
    description: "Names this exchange in the logs",
    schema: { type: "string", format: "uuid" },
  },
  location: { description: "Path of what was created", schema: { type: "string" } },
  "retry-after": { description: "Seconds to wait", schema: { type: "integer" } },
  "www-authenticate": { description: "What would have been accepted", schema: { type: "string" } },
};

/** The headers that answers of a status carry. */
function headers(status: number) {
  const names = ["x-request-id"];
  if (status === 201) names.push("location");
  if (status === 429 || status === 503) names.push("retry-after");
  if (status === 401) names.push("www-authenticate");
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function operation(route: Described, book: SchemaBook): Operation {
  const body = route.body ?? route.raw?.schema;
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    security: security(route.audience),
    parameters: [
      ...parameters(route.params, "path", book),
      ...parameters(route.query, "query", book),
      ...parameters(route.headers, "header", book),
      ...(Array.isArray(route.audience) ? [ACCOUNT_PARAMETER] : []),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: route.bodyOptional !== true,
        content: {
          [route.raw?.types[0] ?? "application/json"]: {
            schema: book.write(body, "input"),
            ...(route.bodyExample !== undefined && { example: route.bodyExample }),
          },
        },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, one]) => [status, answer(Number(status), one, book)]),
      ),
      ...denials(route),
    },
  };
}

/** `GET /v1/account/api-keys/{id}` is `get_account_api_keys_by_id`. */
function operationId({ method, path }: Described): string {
  const words = path
    .replace(/^\/(v1\/)?/, "")
    .replace(/\{(\w+)\}/g, "by_$1")
    .replace(/[^A-Za-z]+/g, "_");
  return `${method.toLowerCase()}_${words}`;
}

const ACCOUNT_PARAMETER = {
  name: ACCOUNT_HEADER,
  in: "header",
  required: false,
  description: "The account meant; needed by sessions that hold several",
  schema: { type: "string" },
};

function parameters(schema: z.ZodMiniType | undefined, place: "path" | "query" | "header", book: SchemaBook) {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = book.write(schema, "input") as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(typeof description === "string" && { description }),
    schema: rest,
  }));
}

function answer(
  status: number,
  { description, schema, type = "application/json", example }: Answer,
  book: SchemaBook,
): Operation["responses"][string] {
  const said = { description, headers: headers(status) };
  return schema === undefined
    ? said
    : { ...said, content: { [type]: { schema: book.write(schema, "output"), example } } };
}

/** Refusals of a session, and of an API key. */
const SESSION_REFUSALS = ["missing_access_token", "forbidden"] as const;
const KEY_REFUSALS = ["invalid_request", "invalid_api_key", "rate_limited"] as const;

/** The codes a route may be refused with, by status. */
function denials(route: Described): Operation["responses"] {
  const { audience } = route;
  const codes = new Set<Denial["code"]>(route.errors);
  const add = (more: readonly Denial["code"][]) => {
    for (const code of more) codes.add(code);
  };
  if (audience === "key") add(KEY_REFUSALS);
  else if (audience === "key_or_session") add([...KEY_REFUSALS, "missing_access_token"]);
  else if (audience !== "anybody") add(SESSION_REFUSALS);
  if (Array.isArray(audience)) add(["account_required"]);
  const posted = route.method !== "GET" && route.raw === undefined && audience !== "key";
  if (route.query !== undefined || posted) add(["invalid_request"]);
  if (posted) add(["body_too_large"]);
  if (route.body !== undefined || (route.raw !== undefined && !route.raw.anyType))
    add(["unsupported_media_type"]);
  add(["uri_too_long", "unknown_host", "headers_too_large", "internal_error"]);
  if (audience !== "anybody" || route.raw !== undefined) add(["state_unavailable"]);

  const byStatus = Map.groupBy(codes, (code) => problemExample(code).status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, named]) => [
        String(status),
        {
          description: named.map((code) => `\`${code}\``).join(", "),
          headers: headers(status),
          content: {
            "application/problem+json": {
              schema: { $ref: "#/components/schemas/Problem" },
              examples: Object.fromEntries(named.map((code) => [code, { value: problemExample(code) }])),
            },
          },
        },
      ]),
  );
}

/** The one shape of every denial (spec 2.8). */
const PROBLEM = {
  type: "object",
  properties: {
    type: { type: "string", const: "about:blank" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    error: {
      type: "object",
      properties: {
        code: { type: "string" },
        message: { type: "string" },
        type: { type: "string" },
        request_id: { type: "string" },
      },
      required: ["code", "message", "type", "request_id"],
    },
  },
  required: ["type", "title", "status", "detail", "error"],
};
