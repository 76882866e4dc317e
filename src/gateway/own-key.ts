import { type Denial, denialResponse, isDenial } from "../denial.ts";
import { sha256Hex } from "../keys/hash.ts";
import { formatInstant } from "../keys/time.ts";
import { readCredential } from "./credential.ts";
import { type Arrival, beginTrip, countUse, finish, stateProblem } from "./index.ts";
import { findKey } from "./key-record.ts";

/** `GET /v1/key`, with the key itself: what may I do? The key goes in a header, never in the URL. */
export async function describeKey(arrival: Arrival): Promise<Response> {
  const trip = beginTrip(arrival);
  const { request, now, journey, requestId } = trip;
  const answer = async (): Promise<Response | Denial> => {
    if (request.method !== "GET") return { code: "method_not_allowed", allow: ["GET", "OPTIONS"] };
    const credential = readCredential(request.headers, isDenial(arrival.url) ? "" : arrival.url.query);
    if (isDenial(credential)) return credential;
    if (credential.source === "query") return { code: "invalid_api_key", reason: "query_key_not_allowed" };
    const record = await findKey(trip, credential.key, sha256Hex(credential.key));
    if (isDenial(record)) return record;
    journey.account_id = record.account_id;
    journey.key_id = record.id;
    const invalid = stateProblem(record, now);
    journey.decision = invalid === null ? "allow" : "deny";
    journey.operation = "read";
    journey.reason = invalid === null ? null : "reason" in invalid ? (invalid.reason ?? null) : invalid.code;
    countUse(trip, record, invalid === null);
    if (invalid !== null) return invalid;
    return Response.json(
      {
        name: record.name,
        prefix: record.prefix,
        environment: record.environment,
        permissions: record.permissions,
        expires_at: formatInstant(record.expires_at),
      },
      {
        headers: {
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "x-request-id": requestId,
        },
      },
    );
  };
  const result = await answer();
  return finish(trip, isDenial(result) ? denialResponse(result, { requestId }) : result);
}
