import { type Denial, isDenial } from "../denial.ts";
import type { RequestUrl } from "../http/url.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { KeyRecord } from "../keys/record.ts";
import { keyStatus } from "../keys/state.ts";
import { readCredential } from "./credential.ts";
import { findKey } from "./key-record.ts";
import type { Trip } from "./trip.ts";

/** A key that is known, and why it is not let in if it is not. */
export interface KnownKey {
  record: KeyRecord;
  invalid: Denial | null;
}

/** Why a known key is not let in, judged against the clock at every request (spec 2.2). */
export function stateProblem(record: KeyRecord, now: number): Denial | null {
  const status = keyStatus(record, now);
  if (status !== "active") return { code: "invalid_api_key", reason: status };
  return record.account_suspended ? { code: "invalid_api_key", reason: "account_suspended" } : null;
}

/** What a query key is answered where none is allowed: nothing was presented that counts. */
export const QUERY_KEY_REFUSED: Denial = { code: "invalid_api_key", reason: "query_key_not_allowed" };

/**
 * The key that calls one of the gateway's own routes: in a header, never in the URL.
 * @param strict trust nothing that was asked before this request began
 */
export async function identify(trip: Trip, url: RequestUrl, strict = false): Promise<KnownKey | Denial> {
  const credential = readCredential(trip.request.headers, url.query);
  if (isDenial(credential)) return credential;
  if (credential.source === "query") return QUERY_KEY_REFUSED;
  const record = await findKey(trip, credential.key, sha256Hex(credential.key), strict);
  if (isDenial(record)) return record;
  trip.journey.account_id = record.account_id;
  trip.journey.key_id = record.id;
  return { record, invalid: stateProblem(record, Date.now()) };
}
