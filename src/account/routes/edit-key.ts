import * as z from "zod/mini";
import { EXAMPLE_KEY } from "../../api/examples.ts";
import { wholeSentence } from "../../api/problem.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, KEY_MAKERS } from "../../api/route.ts";
import { ExpiresAt, KeySchema, Name, SentScopesSchema, TemplateName } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { refuse } from "../../refusal.ts";
import { editKey } from "../edit-key.ts";
import { viewOf } from "../key-view.ts";
import { withLatestUse } from "../last-used.ts";
import { finder, KeyParams } from "./find-key.ts";

/** What may be edited of a key. */
export const KeyEditBody = z
  .strictObject({
    name: z.optional(Name),
    scopes: z.optional(SentScopesSchema),
    template: z.optional(TemplateName),
    expires_at: z.optional(ExpiresAt),
    enabled: z.optional(z.boolean()),
  })
  .check((context) => {
    const { scopes, template } = context.value;
    if (scopes !== undefined && template !== undefined) {
      refuse(context, wholeSentence("scopes and template cannot be combined"));
    }
  });

export const editKeyRoute = accountRoute(KEY_MAKERS, {
  method: "PATCH",
  path: "/v1/account/api-keys/{id}",
  summary: "Edit an API key",
  description:
    "What is not named stays. The change is in force everywhere within `LEASE_SECONDS` of the answer (2 by default), and at once on endpoints with strict freshness.",
  tag: "API keys",
  params: KeyParams,
  body: KeyEditBody,
  bodyExample: { enabled: false },
  answers: {
    200: {
      description: "The key as it is now",
      schema: KeySchema,
      example: { ...EXAMPLE_KEY, enabled: false, status: "disabled" },
    },
  },
  errors: [
    "api_key_not_found",
    "key_revoked",
    "key_expired",
    "legacy_key",
    "active_key_limit_reached",
    "conflict",
  ],
  async handle(call) {
    const row = await editKey(call, finder(call), call.body);
    return isDenial(row) ? row : ok(viewOf(await withLatestUse(call, row), call.now));
  },
});
