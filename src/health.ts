import type { Isolate } from "./isolate.ts";

/** `GET /healthz`: the Worker runs and its configuration is sound. Asks nothing of KV, D1 or the ledger. */
export function health(_isolate: Isolate, requestId: string): Response {
  return Response.json(
    { status: "ok" },
    { headers: { "cache-control": "no-store", "x-request-id": requestId } },
  );
}
