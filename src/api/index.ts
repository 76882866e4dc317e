import { denialResponse } from "../denial.ts";
import type { Env } from "../env.ts";
import type { Isolate } from "../isolate.ts";

/** Placeholder until the management routes land. */
export async function handleManagement(
  _request: Request,
  _env: Env,
  _context: ExecutionContext,
  _isolate: Isolate,
  requestId: string,
): Promise<Response> {
  return denialResponse({ code: "missing_access_token" }, { requestId });
}
