import * as z from "zod/mini";
import { EXAMPLE_NEW_KEY } from "../../api/examples.ts";
import { created } from "../../api/reply.ts";
import { accountRoute, KEY_MAKERS } from "../../api/route.ts";
import { NewKeySchema } from "../../api/schemas.ts";
import { isDenial } from "../../denial.ts";
import { viewOf } from "../key-view.ts";
import { rotateKey } from "../rotate-key.ts";
import { finder, KeyParams } from "./find-key.ts";

const DAY = 24 * 3600;
const LONGEST_OVERLAP = 30 * DAY;

const Body = z.strictObject({
  overlap_seconds: z
    ._default(z.int().check(z.minimum(0), z.maximum(LONGEST_OVERLAP)), DAY)
    .check(z.describe("How long the old key goes on working; default 24 hours, at most 30 days")),
});

export const rotateKeyRoute = accountRoute(KEY_MAKERS, {
  method: "POST",
  path: "/v1/account/api-keys/{id}/rotate",
  summary: "Rotate an API key",
  description:
    "Makes a new key with the same permissions, name, environment and expiry. The old one expires when the overlap ends, never later than it would have, and does not count against the limit while the new one is active and not rotated itself.",
  tag: "API keys",
  params: KeyParams,
  body: Body,
  bodyOptional: true,
  bodyExample: { overlap_seconds: 3600 },
  answers: {
    201: {
      description: "The new key",
      schema: NewKeySchema,
      example: { ...EXAMPLE_NEW_KEY, rotated_from: "key_0aBcDeFgHiJkLmNoPqRsTu" },
    },
  },
  errors: ["api_key_not_found", "key_revoked", "key_expired", "active_key_limit_reached", "conflict"],
  async handle(call) {
    const made = await rotateKey(call, finder(call), call.body.overlap_seconds * 1000);
    if (isDenial(made)) return made;
    const { row, key } = made;
    return created({ ...viewOf(row, call.now), key }, `/v1/account/api-keys/${row.id}`);
  },
});
