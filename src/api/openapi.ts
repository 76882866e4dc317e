import type * as z from "zod";
import { type Denial, statusOf } from "../denial.ts";
import { ACCOUNT_HEADER } from "../session/choose-account.ts";
import { SchemaBook } from "./json-schema.ts";
import type { Answer, Route } from "./route.ts";

type Json = Record<string, unknown>;

/** One operation of the document, as far as the documentation page reads it. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Json }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

/** An OpenAPI 3.1 document of some routes. */
export interface OpenApi {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
}

const DESCRIPTION =
  "Manage API keys, and the endpoints they open. Every call carries the access token of a signed-in session; API keys are refused here. Errors are problem details (RFC 9457) whose `error.code` says what is wrong.";

/** Describes routes from the very definitions that dispatch and validate them. */
export function describe(routes: readonly Route[], server: string): OpenApi {
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
      securitySchemes: {
        session: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Token of a session" },
      },
    },
  };
}

function operation(route: Route, book: SchemaBook): Operation {
  const isPublic = route.audience === "anybody";
  const body = route.body ?? route.raw?.schema;
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(isPublic ? { security: [] } : { security: [{ session: [] }] }),
    parameters: [
      ...parameters(route.params, "path", book),
      ...parameters(route.query, "query", book),
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
        Object.entries(route.answers).map(([status, one]) => [status, answer(one, book)]),
      ),
      ...denials(route),
    },
  };
}

/** `GET /v1/account/api-keys/{id}` is `get_account_api_keys_by_id`. */
function operationId({ method, path }: Route): string {
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

function parameters(schema: z.ZodType | undefined, place: "path" | "query", book: SchemaBook) {
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

function answer({ description, schema, type = "application/json" }: Answer, book: SchemaBook) {
  if (schema === undefined) return { description };
  return { description, content: { [type]: { schema: book.write(schema, "output") } } };
}

/** The codes a route may be refused with, by status. */
function denials(route: Route): Operation["responses"] {
  const codes = new Set<Denial["code"]>(route.errors);
  if (route.audience !== "anybody") {
    codes.add("missing_access_token").add("forbidden");
    if (Array.isArray(route.audience)) codes.add("account_required");
  }
  if (route.query !== undefined || route.body !== undefined) codes.add("invalid_request");
  if (route.body !== undefined) codes.add("body_too_large");
  if (route.body !== undefined || (route.raw !== undefined && !route.raw.anyType))
    codes.add("unsupported_media_type");
  codes.add("state_unavailable").add("internal_error");

  const byStatus = Map.groupBy(codes, (code) => statusOf({ code, allow: [] } as unknown as Denial));
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, named]) => [
        String(status),
        {
          description: named.map((code) => `\`${code}\``).join(", "),
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
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
