import type { RequestUrl } from "../http/url.ts";
import { type Arrival, beginTrip, finish } from "../journey/trip.ts";

/**
 * Whether a person's browser opened the gateway's bare address. No endpoint can be there: a path prefix has at
 * least one segment. Whoever presents a key, or a query in which one may be, is answered as anywhere.
 */
export function isEntrance({ method, headers }: Request, { segments, query }: RequestUrl): boolean {
  return (
    segments.length === 0 &&
    query === "" &&
    method === "GET" &&
    !headers.has("authorization") &&
    !headers.has("x-api-key") &&
    prefersHtml(headers.get("accept") ?? "")
  );
}

/** Whether HTML comes first in an `Accept` (RFC 9110 section 12.5.1), as browsers say when they open a page. */
function prefersHtml(accept: string): boolean {
  const ranges = accept.split(",").map((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  const most = Math.max(...ranges.map(({ weight }) => weight));
  return most > 0 && ranges.find(({ weight }) => weight === most)?.type === "text/html";
}

/** Shows a person in: to the console. */
export function showIn(arrival: Arrival): Response {
  const trip = beginTrip(arrival);
  trip.journey.decision = "allow";
  const headers = {
    location: "/console",
    vary: "accept",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": arrival.requestId,
  };
  return finish(trip, new Response(null, { status: 303, headers }));
}
