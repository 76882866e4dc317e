import * as z from "zod/mini";
import { ok } from "../api/reply.ts";
import { adminRoute } from "../api/route.ts";
import { tryPath } from "./try-path.ts";

const LONGEST_DOCUMENT = 100_000;

const Trial = z
  .strictObject({
    endpoint: z
      .nullable(
        z.strictObject({
          id: z.string(),
          name: z.string(),
          account_id: z.nullable(z.string()),
          protocol: z.string(),
          path: z.string(),
        }),
      )
      .check(z.describe("The endpoint that the path leads to")),
    endpoint_id: z
      .nullable(z.string())
      .check(
        z.describe("The id that a key's permissions name: under a wildcard, the segment that stood for it"),
      ),
    tail: z.nullable(z.string()).check(z.describe("The path below the endpoint's prefix")),
    operation: z.nullable(z.enum(["read", "write"])),
    access: z
      .nullable(z.enum(["read", "read_write"]))
      .check(z.describe("What a key must hold on the endpoint; null where every request is refused")),
    operations: z
      .nullable(z.array(z.strictObject({ type: z.string(), root_fields: z.array(z.string()) })))
      .check(z.describe("What the GraphQL document does, one entry for each operation")),
    denial: z
      .nullable(
        z.strictObject({
          status: z.int(),
          code: z.string(),
          detail: z.string(),
          allow: z.nullable(z.array(z.string())),
        }),
      )
      .check(z.describe("Why no key can make this request")),
  })
  .check(z.meta({ id: "PathTrial" }));

export const tryPathRoute = adminRoute({
  method: "POST",
  path: "/admin/try-path",
  summary: "Try a path",
  description:
    "Which endpoint a request would reach, what it would do there, and which access it would need. Judged by the gateway's own rules on the endpoints as they are registered now; nothing is sent anywhere.",
  tag: "Endpoints",
  body: z.strictObject({
    method: z.string().check(z.regex(/^[A-Za-z]{1,20}$/, "must be a method such as GET")),
    path: z
      .string()
      .check(
        z.maxLength(8192),
        z.regex(/^\//, "must start with a slash"),
        z.describe("As a client sends it: percent-encoded, with its query. Never with a key in it"),
      ),
    websocket: z._default(z.boolean(), false).check(z.describe("Whether it asks for a WebSocket")),
    document: z
      .optional(z.string().check(z.maxLength(LONGEST_DOCUMENT)))
      .check(z.describe("The GraphQL document that a POST to a GraphQL endpoint would carry")),
  }),
  bodyExample: { method: "POST", path: "/v2/chat/chat/completions" },
  answers: {
    200: {
      description: "What would become of the request",
      schema: Trial,
      example: {
        endpoint: { id: "chat", name: "Chat", account_id: "acme", protocol: "openai", path: "/v2/chat" },
        endpoint_id: "chat",
        tail: "/chat/completions",
        operation: "write",
        access: "read_write",
        operations: null,
        denial: null,
      },
    },
  },
  async handle({ env, isolate, body, requestId }) {
    return ok(await tryPath(env.DB, isolate, body, requestId));
  },
});
