import { type Denial, isDenial, problemOf } from "../denial.ts";
import { isOwnRoute } from "../endpoints/path.ts";
import { type RequestUrl, readUrl } from "../http/url.ts";
import type { Isolate } from "../isolate.ts";
import { readNode } from "../store/endpoints.ts";
import { type Operation as GraphqlOperation, inspectGraphql, permits } from "./graphql/index.ts";
import { match } from "./match.ts";
import { ALL_METHODS, classify, isKnownMethod } from "./operation.ts";

/** A request as an admin describes it. */
export interface Trial {
  method: string;
  /** Path and query as sent. */
  path: string;
  websocket: boolean;
  /** What a GraphQL POST would carry. */
  document?: string | undefined;
}

/** What the gateway would make of it. */
export interface Outcome {
  endpoint: { id: string; name: string; account_id: string | null; protocol: string; path: string } | null;
  /** What permissions name: under a wildcard, the segment that stood for the id. */
  endpoint_id: string | null;
  tail: string | null;
  operation: "read" | "write" | null;
  access: "read" | "read_write" | null;
  operations: { type: string; root_fields: string[] }[] | null;
  denial: { status: number; code: string; detail: string; allow: string[] | null } | null;
}

const NOTHING: Outcome = {
  endpoint: null,
  endpoint_id: null,
  tail: null,
  operation: null,
  access: null,
  operations: null,
  denial: null,
};

/**
 * Takes a request through the gateway's own steps (URL, endpoint, operation), without a key and without an
 * origin. Endpoints are read from the database: what is registered, not what some cache still holds.
 */
export async function tryPath(
  db: D1Database,
  isolate: Isolate,
  trial: Trial,
  requestId: string,
): Promise<Outcome> {
  const method = trial.method.toUpperCase();
  const denied = (denial: Denial, known: Partial<Outcome> = {}): Outcome => {
    const { status, detail, error } = problemOf(denial, requestId);
    const allow = denial.code === "method_not_allowed" ? [...denial.allow] : null;
    return { ...NOTHING, ...known, denial: { status, code: error.code, detail, allow } };
  };

  const url = readUrl(`https://${isolate.config.HOSTNAMES[0] ?? "gateway.test"}${trial.path}`, null, []);
  if (isDenial(url)) return denied(url);
  if (isOwnRoute(url.segments)) {
    return denied({ code: "path_reserved", detail: "This path belongs to the gateway itself" });
  }
  const target = await match(url.segments, (path) => readNode(db, path));
  if (target === null || target === "unavailable") return denied({ code: "endpoint_not_found" });
  const tail = url.segments.slice(target.depth);
  const { id, name, account_id, protocol, path } = target.endpoint;
  const found = {
    endpoint: { id, name, account_id, protocol, path },
    endpoint_id: target.id,
    tail: tail.map((segment) => `/${segment}`).join("") + (url.trailingSlash ? "/" : ""),
  };
  if (!isKnownMethod(method)) return denied({ code: "method_not_allowed", allow: ALL_METHODS }, found);
  if (method === "OPTIONS") return { ...NOTHING, ...found };

  const upgrade = trial.websocket && method === "GET" && protocol !== "serverless";
  const operation = classify(target.endpoint, method, url, tail, upgrade);
  if (typeof operation === "object") return denied(operation, found);
  if (operation !== "inspect")
    return { ...NOTHING, ...found, operation, access: operation === "read" ? "read" : "read_write" };
  // Without a document only the method is known: a mutation is what a POST may turn out to be.
  if (method === "POST" && trial.document === undefined) return { ...NOTHING, ...found };
  const judged = judge(method, url, trial.document ?? "");
  return isDenial(judged)
    ? denied(judged, found)
    : { ...NOTHING, ...found, ...judged, operation: judged.access === "read" ? "read" : "write" };
}

const EVERYTHING = { queries: "*" as const, mutations: "*" as const };

/** What a GraphQL document does, by the gate that judges it in front of an origin. */
function judge(
  method: string,
  { query }: RequestUrl,
  document: string,
): { access: "read" | "read_write"; operations: Outcome["operations"] } | Denial {
  const inspection = inspectGraphql({
    method,
    query,
    contentType: "application/json",
    contentEncoding: null,
    accept: null,
    hasBody: method !== "GET",
    body: new TextEncoder().encode(JSON.stringify({ query: document })),
  });
  switch (inspection.kind) {
    case "persisted_query":
      return { code: "invalid_request", detail: "A persisted query is refused until its document is sent" };
    case "refused":
      return inspection.status === 405
        ? { code: "method_not_allowed", allow: [...inspection.allow.split(", "), "OPTIONS"] }
        : { code: "invalid_request", detail: inspection.detail };
    case "judged": {
      const verdict = permits(EVERYTHING, inspection.operations);
      return {
        access: verdict.ok ? verdict.access : "read_write",
        operations: inspection.operations.map(({ type, rootFields }: GraphqlOperation) => ({
          type,
          root_fields: [...rootFields],
        })),
      };
    }
  }
}
