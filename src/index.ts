import { denialResponse } from "./denial.ts";
import type { Env } from "./env.ts";
import { handle } from "./gateway/index.ts";
import { isolateOf } from "./isolate.ts";

export { Ledger } from "./ledger/ledger.ts";

export default {
  async fetch(request, env, context): Promise<Response> {
    const requestId = crypto.randomUUID();
    try {
      return await handle(request, env, context, isolateOf(env), requestId);
    } catch (error) {
      // Never forwards, never says why: the log does, without anything the client sent.
      console.error(
        JSON.stringify({ message: "unexpected exception", request_id: requestId, error: String(error) }),
      );
      return denialResponse({ code: "internal_error" }, { requestId });
    }
  },
} satisfies ExportedHandler<Env>;
