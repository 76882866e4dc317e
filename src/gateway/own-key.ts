import { type Denial, denialResponse, isDenial, reasonOf } from "../denial.ts";
import { identify } from "../journey/caller.ts";
import { type Arrival, beginTrip, countUse, finish, type Trip } from "../journey/trip.ts";
import { formatInstant } from "../keys/time.ts";

/** `GET /v1/key`, with the key itself: what may I do? */
export async function describeKey(arrival: Arrival): Promise<Response> {
  const trip = beginTrip(arrival);
  const result = await describe(trip, arrival);
  if (!isDenial(result)) return finish(trip, result);
  trip.journey.reason = reasonOf(result);
  return finish(trip, denialResponse(result, { requestId: trip.requestId }));
}

async function describe(trip: Trip, { url, request }: Arrival): Promise<Response | Denial> {
  const { journey } = trip;
  if (isDenial(url)) return url;
  if (request.method !== "GET") return { code: "method_not_allowed", allow: ["GET", "OPTIONS"] };
  const caller = await identify(trip, url);
  if (isDenial(caller)) return caller;
  const { record, invalid } = caller;
  journey.operation = "read";
  if (invalid === null) journey.decision = "allow";
  else journey.reason = reasonOf(invalid);
  countUse(trip, record, invalid === null);
  if (invalid !== null) return invalid;
  const { name, prefix, environment, permissions, expires_at } = record;
  return Response.json(
    { name, prefix, environment, permissions, expires_at: formatInstant(expires_at) },
    {
      headers: {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": trip.requestId,
      },
    },
  );
}
