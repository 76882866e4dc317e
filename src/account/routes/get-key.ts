import { EXAMPLE_KEY } from "../../api/examples.ts";
import { ok } from "../../api/reply.ts";
import { accountRoute, READERS } from "../../api/route.ts";
import { KeySchema } from "../../api/schemas.ts";
import { viewOf } from "../key-view.ts";
import { withLatestUse } from "../last-used.ts";
import { finder, KeyParams } from "./find-key.ts";

export const getKeyRoute = accountRoute(READERS, {
  method: "GET",
  path: "/v1/account/api-keys/{id}",
  summary: "Get an API key",
  description:
    "With the exact time of its last use; lists lag behind it by some 15 seconds, and where many keys are busy by up to an hour and a quarter.",
  tag: "API keys",
  params: KeyParams,
  answers: { 200: { description: "The key", schema: KeySchema, example: EXAMPLE_KEY } },
  errors: ["api_key_not_found"],
  async handle(call) {
    const row = await finder(call)();
    if (row === null) return { code: "api_key_not_found" };
    return ok(viewOf(await withLatestUse(call, row), call.now));
  },
});
