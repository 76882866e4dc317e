import type { KeyRecord } from "../keys/record.ts";
import type { Claims } from "../signing/signer.ts";
import type { NamespaceRow } from "../store/namespaces.ts";
import { GROUP, readApiVersion } from "./api-version.ts";
import type { NamespaceRoute } from "./route.ts";

/** Longest life of a token, in seconds (spec 10). kube-apiserver believes it until then, whatever happens. */
const LIFETIME = 600;

/**
 * `POST` (and `GET`, for curl) `/v1/kubernetes/namespaces/{id}/exec-credential`: an ExecCredential
 * (Kubernetes docs, "client-go credential plugins") with a JWT for the namespace's cluster.
 *
 * Strict: a revoked key could otherwise be traded for ten more minutes within its last lease, and at one
 * request in ten minutes and client the round trip costs nothing.
 */
export const credentialRoute: NamespaceRoute = {
  methods: ["GET", "POST", "OPTIONS"],
  operation: "write",
  strict: true,
  sessions: false,
  async answer(trip, url, namespace, caller) {
    if (!("record" in caller)) return { code: "invalid_api_key", reason: "missing" };
    const version = readApiVersion(url.query);
    if (typeof version === "object") return version;
    const claims = claimsFor(caller.record, namespace, Date.now());
    // In its last second a key is not expired yet, but nothing that it could get would live.
    if (claims.exp <= claims.iat) return { code: "invalid_api_key", reason: "expired" };
    const { signer, config } = trip.isolate;
    const token = await signer.sign(config.EXEC_TOKEN_ALG, claims);
    trip.journey.token_id = claims.jti;
    return Response.json(
      {
        apiVersion: `${GROUP}/${version}`,
        kind: "ExecCredential",
        status: {
          token,
          expirationTimestamp: new Date(claims.exp * 1000).toISOString().replace(".000Z", "Z"),
        },
      },
      {
        headers: {
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "x-request-id": trip.requestId,
        },
      },
    );
  },
};

/**
 * What the token says (RFC 7519 section 4.1). Made of ids alone, each behind a fixed word: no name that
 * anybody may choose gets in, and nothing can begin with `system:`, which Kubernetes keeps for itself.
 * @param now in ms
 */
export function claimsFor(
  key: Pick<KeyRecord, "id" | "account_id" | "expires_at">,
  namespace: Pick<NamespaceRow, "id" | "cluster">,
  now: number,
): Claims & { jti: string } {
  const seconds = Math.floor(now / 1000);
  const keyEnds = key.expires_at === null ? Number.POSITIVE_INFINITY : Math.floor(key.expires_at / 1000);
  return {
    aud: namespace.cluster.audience,
    sub: `postern:key:${key.id}`,
    groups: [`postern:namespace:${namespace.id}`, `postern:account:${key.account_id}`],
    iat: seconds,
    nbf: seconds,
    exp: Math.min(seconds + LIFETIME, keyEnds),
    jti: crypto.randomUUID(),
  };
}
