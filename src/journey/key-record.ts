import type { Denial } from "../denial.ts";
import type { Asked } from "../freshness/freshness.ts";
import type { KeyRecord } from "../keys/record.ts";
import { networkOf } from "./network.ts";
import type { Trip } from "./trip.ts";

/** Seconds a client is told to wait when its address has presented too many unknown keys. */
const RETRY_AFTER = 60;
/** The same where too many addresses together have: some of their look-ups are back by then. */
const RETRY_AFTER_ALL = 5;

const UNKNOWN: Denial = { code: "invalid_api_key", reason: "unknown" };

/** The record of a presented key, where memory has one that is in force. */
export function keyInMemory({ isolate, journey, world, now }: Trip, hash: string): KeyRecord | undefined {
  // In memory under this hash: its tag was checked when it was read.
  const record = isolate.freshness.peek(isolate.keys, hash, now, world);
  if (record !== undefined) journey.tier = "memory";
  return record;
}

/**
 * The record of a presented key, whatever its state (spec 2.2). A forged native key costs no I/O: its tag
 * is checked first. Unknown legacy keys cost little: see `UnknownKeys`.
 * @param hash SHA-256 of the key, hex
 * @param strict trust nothing asked before this request began; see `Freshness.get`
 */
export async function findKey(
  trip: Trip,
  key: string,
  hash: string,
  strict: boolean | Asked = false,
): Promise<KeyRecord | Denial> {
  const { isolate, journey, world, now } = trip;
  if (strict === false) {
    const warm = keyInMemory(trip, hash);
    if (warm !== undefined) return warm;
  }
  const shape = isolate.keyFormat.classify(key);
  if (shape.kind === "forged") return { code: "invalid_api_key", reason: "forged" };
  // One that was known a moment ago only lacks a lease, and is not held up by strangers.
  const isStrange = shape.kind === "legacy" && isolate.freshness.remembered(isolate.keys, hash) === undefined;
  if (shape.kind === "legacy" && !isolate.config.LEGACY_KEYS) return UNKNOWN;
  if (isStrange) {
    if (!(await mayLookUp(trip))) return { code: "rate_limited", retryAfter: RETRY_AFTER };
    if (!isolate.unknownKeys.spendLookup(now)) return { code: "rate_limited", retryAfter: RETRY_AFTER_ALL };
  }
  const began = Date.now();
  const found = await isolate.freshness.get(isolate.keys, hash, world, { strict });
  journey.postern_ms += Date.now() - began;
  if (found === "unavailable") return { code: "state_unavailable" };
  journey.tier = found.tier;
  if (isStrange && (found.value !== null || found.tier === "memory")) {
    isolate.unknownKeys.returnLookup();
  }
  if (found.value === null) {
    if (shape.kind === "legacy") isolate.unknownKeys.note(addressOf(trip), now);
    return UNKNOWN;
  }
  return found.value;
}

/** Whether the client's address has any of its limit left, where it must spend from it. */
async function mayLookUp(trip: Trip): Promise<boolean> {
  return !trip.isolate.unknownKeys.suspects(addressOf(trip), trip.now) || hasLimitLeft(trip, "key");
}

/** Spends from what a client's address may look up without a good key, in each Cloudflare location. */
export async function hasLimitLeft(trip: Trip, purpose: "key" | "preflight"): Promise<boolean> {
  const { success } = await trip.env.LEGACY_LIMITER.limit({ key: `${purpose}:${addressOf(trip)}` });
  return success;
}

/** Where a client comes from, as the platform reports it; all share one address where it reports none. */
function addressOf(trip: Trip): string {
  const header = trip.isolate.config.CLIENT_IP_HEADER;
  return networkOf((header === undefined ? null : trip.request.headers.get(header)) ?? "unknown");
}
