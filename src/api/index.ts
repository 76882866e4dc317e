import { accountRoutes } from "../account/index.ts";
import { adminRoutes } from "../admin/index.ts";
import type { Env } from "../env.ts";
import type { Isolate } from "../isolate.ts";
import { dispatch } from "./dispatch.ts";
import type { Route } from "./route.ts";

/** Every management route there is. */
export const ROUTES: readonly Route[] = [...accountRoutes, ...adminRoutes];

/** Answers a request to the account API, the admin API, or what documents them. */
export function handleManagement(
  request: Request,
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  isolate: Isolate,
  requestId: string,
): Promise<Response> {
  return dispatch(ROUTES, { request, env, context, isolate, requestId });
}
