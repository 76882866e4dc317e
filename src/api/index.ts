import { accountRoutes } from "../account/index.ts";
import { adminRoutes } from "../admin/index.ts";
import type { Env } from "../env.ts";
import { tryPathRoute } from "../gateway/try-path-route.ts";
import type { Isolate } from "../isolate.ts";
import { secretScanningRoute } from "../webhooks/secret-scanning.ts";
import { type Caller, dispatch } from "./dispatch.ts";
import { documentRoutes } from "./document-routes.ts";
import { OTHER_DOORS } from "./other-doors.ts";
import type { Route } from "./route.ts";

const managed: readonly Route[] = [...accountRoutes, ...adminRoutes, tryPathRoute, secretScanningRoute];

/** Every management route there is, in the order of the documentation. */
export const ROUTES: readonly Route[] = [...managed, ...documentRoutes(managed, OTHER_DOORS)];

/** Answers a request to the account API, the admin API, the webhooks, or what documents them. */
export function handleManagement(
  request: Request,
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  isolate: Isolate,
  requestId: string,
  caller?: Caller,
): Promise<Response> {
  return dispatch(ROUTES, { request, env, context, isolate, requestId, ...(caller && { caller }) });
}
