import type { Denial } from "../denial.ts";
import type { HeaderLookup } from "../http/header-entries.ts";
import { readBody } from "../http/read-capped.ts";
import type { RequestUrl } from "../http/url.ts";
import { type Credential, withoutKey } from "../journey/credential.ts";
import type { Trip } from "../journey/trip.ts";
import { graphqlAccess, type Permissions } from "../keys/permissions.ts";
import { Stalled, within } from "../store/retry.ts";
import { inspectGraphql, type Judged, MAX_BODY_BYTES } from "./graphql/index.ts";

/** Tells clients of persisted queries to send the document itself (Apollo's APQ protocol). */
const NOT_SUPPORTED = {
  errors: [{ message: "PersistedQueryNotSupported", extensions: { code: "PERSISTED_QUERY_NOT_SUPPORTED" } }],
};

/**
 * What a GraphQL request would do. Null where that need not be known: a POST under a key that may do
 * everything streams by unread (spec 2.5). GET is always looked at: it carries queries only.
 */
export async function readGraphql(
  trip: Trip,
  headers: HeaderLookup,
  permissions: Permissions,
  url: RequestUrl,
  credential: Credential,
): Promise<Judged | null | Denial | Response> {
  const { request, requestId, journey } = trip;
  const { method } = journey;
  const access = graphqlAccess(permissions);
  if (access === "none") {
    return { code: "insufficient_scope", needed: "read", resource: "GraphQL" };
  }
  if (access === "read_write" && method === "POST") return null;

  let body: Uint8Array = new Uint8Array();
  if (method === "POST") {
    let read: Uint8Array | "too_large";
    try {
      read = await within(readBody(request, MAX_BODY_BYTES, headers.get("content-length")), BODY_PATIENCE);
    } catch (error) {
      const why = error instanceof Stalled ? "did not arrive in time" : "ended early";
      return { code: "invalid_request", detail: `The body ${why}` };
    }
    if (read === "too_large") return { code: "body_too_large", limit: MAX_BODY_BYTES };
    body = read;
  }
  const inspection = inspectGraphql({
    method,
    query: credential.source === "query" ? withoutKey(url.query) : url.query,
    contentType: headers.get("content-type"),
    contentEncoding: headers.get("content-encoding"),
    accept: headers.get("accept"),
    // A POST is judged by what was read of it.
    hasBody: method === "GET" && request.body !== null,
    body,
  });
  switch (inspection.kind) {
    case "judged":
      return inspection;
    case "persisted_query":
      journey.reason = "persisted_query_not_supported";
      return persistedQueryAnswer(inspection.batch, headers.get("accept"), requestId);
    case "refused":
      switch (inspection.status) {
        case 400:
          return { code: "invalid_request", detail: inspection.detail };
        case 405:
          return { code: "method_not_allowed", allow: [...inspection.allow.split(", "), "OPTIONS"] };
        case 413:
          return { code: "body_too_large", limit: MAX_BODY_BYTES, detail: inspection.detail };
        case 415:
          return { code: "unsupported_media_type", detail: inspection.detail };
      }
  }
}

/** Longest wait for the whole of a body that is inspected, in ms. */
const BODY_PATIENCE = 30_000;

/** @param batch how many entries the client's batch had: it expects as many answers */
function persistedQueryAnswer(batch: number | null, accept: string | null, requestId: string): Response {
  const body = batch === null ? NOT_SUPPORTED : Array.from({ length: batch }, () => NOT_SUPPORTED);
  const type = accept?.includes("application/graphql-response+json")
    ? "application/graphql-response+json"
    : "application/json";
  return new Response(JSON.stringify(body), {
    headers: {
      "content-type": type,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
    },
  });
}
