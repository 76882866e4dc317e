import type { Env } from "../env.ts";

/** What a request's one log line says. Never a key, a query string or a body (spec 13). */
export interface Journey {
  request_id: string;
  /** Cloudflare's id of the request, where there is one. */
  ray: string | null;
  method: string;
  account_id: string | null;
  key_id: string | null;
  endpoint_id: string | null;
  /** The Kubernetes namespace, where the request was about one. */
  namespace_id?: string;
  /** `jti` of the Kubernetes credential that was minted: kube-apiserver names it in its own audit log. */
  token_id?: string;
  operation: "read" | "write" | null;
  decision: "allow" | "deny";
  /** Why it was denied; null when it was allowed. */
  reason: string | null;
  /** Where the key record came from. */
  tier: string | null;
  status: number;
  /** Time spent waiting on KV, D1 and the ledger, in ms. */
  postern_ms: number;
  /** Time until the origin's response head, in ms. */
  origin_ms: number | null;
}

/** Writes the log line and, where Analytics Engine is bound, a data point. */
export function writeLog(journey: Journey, env: Env, enabled: boolean): void {
  if (enabled) console.log(JSON.stringify(journey));
  env.ANALYTICS?.writeDataPoint({
    indexes: [journey.account_id ?? "none"],
    blobs: [
      journey.endpoint_id ?? "",
      journey.key_id ?? "",
      journey.operation ?? "",
      journey.decision,
      journey.reason ?? "",
      journey.tier ?? "",
      journey.method,
    ],
    doubles: [journey.status, journey.postern_ms, journey.origin_ms ?? 0],
  });
}
