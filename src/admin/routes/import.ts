import * as z from "zod/mini";
import { hasNoBody } from "../../api/body.ts";
import { EXAMPLE_KEY } from "../../api/examples.ts";
import { adminRoute } from "../../api/route.ts";
import { streamLines } from "../../api/stream-lines.ts";
import { importKeys } from "../import-keys.ts";
import { ImportRecord } from "../import-record.ts";

const Result = z
  .union([
    z.strictObject({
      line: z.int(),
      status: z.enum(["created", "unchanged", "error"]),
      id: z.optional(z.string()),
      error: z.optional(z.strictObject({ code: z.string(), message: z.string() })),
    }),
    z.strictObject({
      summary: z.strictObject({ created: z.int(), unchanged: z.int(), failed: z.int() }),
    }),
  ])
  .check(z.meta({ id: "ImportResult" }));

const NDJSON = "application/x-ndjson";

export const importRoute = adminRoute({
  method: "POST",
  path: "/admin/keys/import",
  summary: "Import API keys",
  description:
    "A line of JSON for each key, by its SHA-256 or as it is; any number of them. Answers a line for each line, and a summary at the end. Keys that are there already are left as they are, so an import may be repeated. The limit of active keys does not hold here.",
  tag: "All keys",
  raw: { types: [NDJSON, "application/ndjson", "application/jsonl"], schema: ImportRecord },
  bodyExample: {
    account_id: "acme",
    name: "Old deploy key",
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    graphql: "read_write",
  },
  errors: ["invalid_request"],
  answers: {
    200: {
      description: "A line for each line, and a summary",
      schema: Result,
      type: NDJSON,
      example: { line: 1, status: "created", id: EXAMPLE_KEY.id },
    },
  },
  async handle(call) {
    const { request } = call;
    if (request.body === null || hasNoBody(request)) {
      return { code: "invalid_request", detail: "The body is empty" };
    }
    return new Response(streamLines(importKeys(call, request.body)), { headers: { "content-type": NDJSON } });
  },
});
