import * as z from "zod/mini";
import { EXAMPLE_NEW_KEY } from "../../api/examples.ts";
import { wholeSentence } from "../../api/problem.ts";
import { created } from "../../api/reply.ts";
import { accountRoute, KEY_MAKERS } from "../../api/route.ts";
import {
  Environment,
  ExpiresAt,
  Name,
  NewKeySchema,
  SentScopesSchema,
  TemplateName,
} from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { parseExpiry } from "../../keys/rules.ts";
import { refuse } from "../../refusal.ts";
import { createKey } from "../create-key.ts";
import { viewOf } from "../key-view.ts";

const Body = z
  .strictObject({
    name: Name,
    scopes: z.optional(SentScopesSchema),
    template: z.optional(TemplateName),
    environment: z._default(Environment, "production"),
    expires_at: z._default(ExpiresAt, null),
  })
  .check((context) => {
    const { scopes, template } = context.value;
    if (scopes === undefined && template === undefined) {
      refuse(context, wholeSentence("scopes or template is required"));
    } else if (scopes !== undefined && template !== undefined) {
      refuse(context, wholeSentence("scopes and template cannot be combined"));
    }
  });

export const createKeyRoute = accountRoute(KEY_MAKERS, {
  method: "POST",
  path: "/v1/account/api-keys",
  summary: "Create an API key",
  description: "The answer alone holds the key itself: it is not stored and cannot be shown again.",
  tag: "API keys",
  body: Body,
  bodyExample: {
    name: "Production deploy script",
    scopes: { inference: true },
    expires_at: "2030-01-31T12:00:00Z",
  },
  answers: { 201: { description: "The key", schema: NewKeySchema, example: EXAMPLE_NEW_KEY } },
  errors: ["active_key_limit_reached"],
  async handle(call) {
    const { name, environment, expires_at } = call.body;
    const expiry = parseExpiry(expires_at, call.now);
    if (!expiry.ok) return { code: "invalid_request", detail: expiry.message };
    const record = { account_id: call.account.id, name, environment, expires_at: expiry.value };
    const made = await createKey(call, record, call.body);
    if (isDenial(made)) return made;
    const { row, key } = made;
    return created({ ...viewOf(row, call.now), key }, `/v1/account/api-keys/${row.id}`);
  },
});
