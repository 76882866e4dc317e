import type { Denial } from "../denial.ts";
import type { Env } from "../env.ts";
import { type World, worldOf } from "../freshness/world.ts";
import type { HeaderEntries } from "../http/header-entries.ts";
import type { RequestUrl } from "../http/url.ts";
import type { Isolate } from "../isolate.ts";
import type { KeyRecord } from "../keys/record.ts";
import { type Journey, writeLog } from "./log.ts";

/** A request at the door: what was read of it before anything is asked. */
export interface Arrival {
  request: Request;
  env: Env;
  context: ExecutionContext;
  isolate: Isolate;
  requestId: string;
  url: RequestUrl | Denial;
  entries: HeaderEntries | Denial;
}

/** One request on its way, and what is known of it so far. */
export interface Trip {
  request: Request;
  env: Env;
  isolate: Isolate;
  world: World;
  /** When it arrived, in ms; once its body was read, when that was. */
  now: number;
  requestId: string;
  /** The one log line it will leave. */
  journey: Journey;
}

/** Cloudflare's id of the request. Where Cloudflare is not in front, anything may stand there. */
export function rayOf(headers: Headers): string | null {
  const ray = headers.get("cf-ray");
  return ray !== null && /^[0-9a-f]{16}(-[A-Z]{3})?$/.test(ray) ? ray : null;
}

/** Starts a trip, with a log line that says "denied" until something allows it. */
export function beginTrip({ request, env, context, isolate, requestId }: Arrival): Trip {
  return {
    request,
    env,
    isolate,
    world: worldOf(env, context, isolate.patience, isolate.relayFor(request), isolate.config.COLO_CACHE),
    now: Date.now(),
    requestId,
    journey: {
      request_id: requestId,
      ray: isolate.config.REQUEST_LOG ? rayOf(request.headers) : null,
      method: request.method,
      account_id: null,
      key_id: null,
      endpoint_id: null,
      operation: null,
      decision: "deny",
      reason: null,
      tier: null,
      status: 0,
      postern_ms: 0,
      origin_ms: null,
    },
  };
}

/** Counts the request for its key; never on its path (spec 9). */
export function countUse(trip: Trip, record: KeyRecord, authenticated: boolean): void {
  const { journey, now, isolate, world } = trip;
  isolate.freshness.recordUse(
    isolate.keys.shard(record.hash),
    {
      key_id: record.id,
      endpoint_id: journey.endpoint_id ?? "",
      hour: now - (now % 3_600_000),
      kind: journey.decision === "allow" ? (journey.operation ?? "read") : `denied:${journey.reason}`,
      count: 1,
      last_used_at: authenticated ? now : null,
    },
    world,
  );
}

/** Ends a trip: its log line says what it came to. */
export function finish(trip: Trip, response: Response): Response {
  trip.journey.status = response.status;
  writeLog(trip.journey, trip.env, trip.isolate.config.REQUEST_LOG);
  return response;
}
