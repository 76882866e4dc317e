/**
 * The GraphQL gate: what a request would do, and the one form in which it may be forwarded.
 *
 * The rule behind everything here: what was judged is what is forwarded. The origin never receives bytes that
 * it could read differently (another charset, the other of two members, a URL beside the body, a hash beside
 * a document), and every operation of every document counts, selected or not. What cannot be classified is
 * refused.
 *
 * ```ts
 * const inspection = inspectGraphql({ method, query, contentType, contentEncoding, accept, hasBody, body });
 * if (inspection.kind === "judged") verdict = permits(key.permissions.graphql, inspection.operations);
 * ```
 */
import { judgeBody } from "./body.ts";
import { type Inspection, refuse, refuseMethod } from "./result.ts";
import { canonicalUrlQuery, judgeUrlMembers, splitUrlQuery } from "./url-query.ts";

export { MAX_BODY_BYTES } from "./limits.ts";
export { permits } from "./permits.ts";
export type { Inspection, Judged, Operation } from "./result.ts";

/** A request as it arrived. Header values as `Headers.get` gives them: null when absent, joined when repeated. */
export interface GraphqlRequest {
  method: string;
  /** The raw URL query without its `?`; `""` for none. The caller has taken `api_key` out already. */
  query: string;
  contentType: string | null;
  contentEncoding: string | null;
  accept: string | null;
  /** Whether the request announces a body, empty or not. Only a GET is judged by it. */
  hasBody: boolean;
  /** The body, read with `readCapped(stream, MAX_BODY_BYTES)`; ignored for GET. */
  body: Uint8Array;
}

/** Judges a GraphQL request sent by GET or POST (GraphQL over HTTP). Never throws. */
export function inspectGraphql(request: GraphqlRequest): Inspection {
  switch (request.method) {
    case "POST":
      return inspectPost(request);
    case "GET":
      return inspectGet(request);
    default:
      return refuseMethod("GraphQL is served by GET and POST", "GET, POST");
  }
}

/** GraphQL members in the URL are not judged, so they are not forwarded: some origins let them win. */
function inspectPost(request: GraphqlRequest): Inspection {
  const url = splitUrlQuery(request.query);
  if (url.kind === "refused") return url;
  const judged = judgeBody(request.contentType, request.contentEncoding, request.body);
  if (judged.kind !== "body") return judged;
  return { kind: "judged", operations: judged.operations, body: judged.body, query: url.rest };
}

function inspectGet(request: GraphqlRequest): Inspection {
  if (request.hasBody) return refuse(400, "GET with a body");
  const url = splitUrlQuery(request.query);
  if (url.kind === "refused") return url;
  const entry = judgeUrlMembers(url.members);
  if (entry.kind !== "entry") return entry;
  for (const { type } of entry.operations) {
    if (type === "mutation") return refuseMethod("A mutation needs POST", "POST");
    // GraphQL over SSE subscribes by GET, and a subscription is a read. Any other GET carries queries only.
    if (type === "subscription" && !acceptsEventStream(request.accept)) {
      return refuseMethod("A subscription needs POST, or Accept: text/event-stream", "POST");
    }
  }
  return {
    kind: "judged",
    operations: entry.operations,
    body: null,
    query: canonicalUrlQuery(url.rest, entry),
  };
}

function acceptsEventStream(accept: string | null): boolean {
  if (accept === null) return false;
  return accept
    .split(",")
    .some((range) => range.split(";", 1)[0]?.trim().toLowerCase() === "text/event-stream");
}
