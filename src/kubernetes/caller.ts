import { type Denial, isDenial } from "../denial.ts";
import type { RequestUrl } from "../http/url.ts";
import { identify as identifyKey, type KnownKey } from "../journey/caller.ts";
import type { Trip } from "../journey/trip.ts";
import type { Session } from "../session/session.ts";
import { verifySession } from "../session/verify.ts";
import type { NamespaceRoute } from "./route.ts";

/** A key that is known, and why it is not let in if it is not; or somebody who is signed in. */
export type Caller = KnownKey | { session: Session; invalid: null };

/** A token of an OpenID Connect issuer: three parts. A key that may do anything here has no dots. */
const TOKEN = /^bearer +[^.\s]+\.[^.\s]+\.[^.\s]+$/i;

/**
 * Who calls. The key goes in a header, never in the URL.
 * @param route what is asked for; null when there is no such route
 */
export async function identifyCaller(
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
  return identifyKey(trip, url, route?.strict);
}

/** Whether no key is presented in a header. A session's way in is a token, or what stands there by itself. */
function mayBeSession(headers: Headers): boolean {
  if (headers.has("x-api-key")) return false;
  const authorization = headers.get("authorization");
  return authorization === null || TOKEN.test(authorization);
}
