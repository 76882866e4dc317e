import { EXAMPLE_KEY } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, KEY_MAKERS } from "../../api/route.ts";
import { KeySchema } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { viewOf } from "../key-view.ts";
import { withLatestUse } from "../last-used.ts";
import { revokeKey } from "../revoke-key.ts";
import { finder, KeyParams } from "./find-key.ts";

export const revokeKeyRoute = accountRoute(KEY_MAKERS, {
  method: "POST",
  path: "/v1/account/api-keys/{id}/revoke",
  summary: "Revoke an API key",
  description:
    "For ever. The key is refused everywhere within `LEASE_SECONDS` of the answer (2 by default), and at once on endpoints with strict freshness. May be repeated.",
  tag: "API keys",
  params: KeyParams,
  answers: {
    200: {
      description: "The key, revoked",
      schema: KeySchema,
      example: { ...EXAMPLE_KEY, status: "revoked", revoked_at: "2026-11-21T02:00:00.000Z" },
    },
  },
  errors: ["api_key_not_found"],
  async handle(call) {
    const row = await revokeKey(call, finder(call));
    return isDenial(row) ? row : ok(viewOf(await withLatestUse(call, row), call.now));
  },
});
