import { type Denial, isDenial } from "../denial.ts";
import { readCredential } from "../gateway/credential.ts";
import { stateProblem, type Trip } from "../gateway/index.ts";
import { findKey } from "../gateway/key-record.ts";
import type { RequestUrl } from "../gateway/url.ts";
import { sha256Hex } from "../keys/hash.ts";
import type { KeyRecord } from "../keys/record.ts";
import type { Session } from "../session/session.ts";
import { verifySession } from "../session/verify.ts";
import type { NamespaceRoute } from "./route.ts";

/** A key that is known, and why it is not let in if it is not; or somebody who is signed in. */
export type Caller = { record: KeyRecord; invalid: Denial | null } | { session: Session; invalid: null };

/** A token of an OpenID Connect issuer: three parts. A key that may do anything here has no dots. */
const TOKEN = /^bearer +[^.\s]+\.[^.\s]+\.[^.\s]+$/i;

/**
 * Who calls. The key goes in a header, never in the URL.
 * @param route what is asked for; null when there is no such route
 */
export async function identify(
  trip: Trip,
  url: RequestUrl,
  route: NamespaceRoute | null,
): Promise<Caller | Denial> {
  const { request, env, isolate } = trip;
  if (route?.sessions && mayBeSession(request.headers)) {
    const session = await verifySession(request, isolate.config, env.DB);
    if (!isDenial(session)) return { session, invalid: null };
    // Without any credential the answer is the key's, as on the rest of the data plane.
    if (session.code !== "missing_access_token" || session.reason !== "missing") return session;
  }
  const credential = readCredential(request.headers, url.query);
  if (isDenial(credential)) return credential;
  if (credential.source === "query") return { code: "invalid_api_key", reason: "query_key_not_allowed" };
  const record = await findKey(trip, credential.key, sha256Hex(credential.key), route?.strict);
  if (isDenial(record)) return record;
  trip.journey.account_id = record.account_id;
  trip.journey.key_id = record.id;
  return { record, invalid: stateProblem(record, Date.now()) };
}

/** Whether no key is presented in a header. A session's way in is a token, or what stands there by itself. */
function mayBeSession(headers: Headers): boolean {
  if (headers.has("x-api-key")) return false;
  const authorization = headers.get("authorization");
  return authorization === null || TOKEN.test(authorization);
}
