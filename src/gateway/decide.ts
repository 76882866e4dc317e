import type { Denial } from "../denial.ts";
import { accessAtLeast, graphqlAccess, inferenceAccess } from "../keys/permissions.ts";
import type { KeyRecord } from "../keys/record.ts";
import { type Judged, permits } from "./graphql/index.ts";
import type { Match } from "./match.ts";
import type { Operation } from "./operation.ts";

/** An allowed request: where it goes and what it was judged to need. */
export interface Decision {
  origin: string;
  access: "read" | "read_write";
}

/**
 * Access held against access needed, after the environment (spec 2.6). The one place where a request is
 * allowed.
 * @param judged what a GraphQL document turned out to do, when it was inspected
 */
export function decide(
  record: KeyRecord,
  { endpoint, id, wildcard }: Match,
  operation: Operation,
  judged: Judged | null,
): Decision | Denial {
  const origin = record.environment === "test" ? endpoint.test_origin : endpoint.origin;
  if (origin === null) return { code: "environment_not_available", endpoint: id };

  if (endpoint.api === "graphql") {
    if (judged !== null) {
      const verdict = permits(record.permissions.graphql, judged.operations);
      if (verdict.ok) return { origin, access: verdict.access };
      return { code: "insufficient_scope", needed: verdict.needed, resource: `endpoint ${id} (GraphQL)` };
    }
    // Not inspected: a WebSocket, or a body that streams. Both need everything.
    return graphqlAccess(record.permissions) === "read_write"
      ? { origin, access: "read_write" }
      : { code: "insufficient_scope", needed: "read_write", resource: `endpoint ${id} (GraphQL)` };
  }

  const needed = operation === "read" ? "read" : "read_write";
  const { inference } = record.permissions;
  // Under a wildcard the id is as the client spells it, and the origin may not mind the case.
  const alike = wildcard && typeof inference === "object" ? Object.keys(inference.endpoints) : [];
  const ids = [id, ...alike.filter((named) => named.toLowerCase() === id.toLowerCase())];
  return ids.every((each) => accessAtLeast(inferenceAccess(record.permissions, each), needed))
    ? { origin, access: needed }
    : { code: "insufficient_scope", needed, resource: `endpoint ${id}` };
}
