import * as z from "zod/mini";
import { EXAMPLE_KEY, EXAMPLE_NAMESPACE_ID } from "./examples.ts";
import type { Described } from "./route.ts";
import { Access, Environment, Instant, mapOf } from "./schemas.ts";

/** What may be asked of the gateway besides the management API, for the documentation. */

const RootFields = z.union([z.literal("*"), z.array(z.string())]);

/** What a key may do, in canonical form (spec 4). */
const PermissionsSchema = z
  .strictObject({
    graphql: z.union([Access, z.strictObject({ queries: RootFields, mutations: RootFields })]),
    inference: z.union([Access, z.strictObject({ endpoints: mapOf(Access), others: z.optional(Access) })]),
    kubernetes_exec: z.union([
      z.enum(["none", "all_namespaces"]),
      z.strictObject({ namespace_ids: z.array(z.guid()) }),
    ]),
  })
  .check(z.meta({ id: "Permissions", description: "What a key may do, however its scopes spell it" }));

const OwnKeySchema = z
  .strictObject({
    name: z.string(),
    prefix: z.string(),
    environment: Environment,
    permissions: PermissionsSchema,
    expires_at: z.nullable(Instant),
  })
  .check(z.meta({ id: "OwnKey" }));

const ownKey: Described = {
  audience: "key",
  method: "GET",
  path: "/v1/key",
  summary: "Ask what a key may do",
  description: "With the key itself, in a header.",
  tag: "With an API key",
  answers: {
    200: {
      description: "The key that was presented",
      schema: OwnKeySchema,
      example: {
        name: EXAMPLE_KEY.name,
        prefix: EXAMPLE_KEY.prefix,
        environment: EXAMPLE_KEY.environment,
        permissions: { graphql: "none", inference: "read_write", kubernetes_exec: "none" },
        expires_at: EXAMPLE_KEY.expires_at,
      },
    },
  },
  errors: ["state_unavailable"],
};

const Namespace = z.strictObject({ id: z.guid().check(z.describe("Id of the namespace")) });
const Version = z.strictObject({
  apiVersion: z
    .optional(z.string().check(z.regex(/^(?:client\.authentication\.k8s\.io\/)?v1(?:beta1)?$/)))
    .check(z.describe("Of `client.authentication.k8s.io`: `v1`, which is the default, or `v1beta1`")),
});

const ExecCredentialSchema = z
  .strictObject({
    apiVersion: z.enum(["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]),
    kind: z.literal("ExecCredential"),
    status: z.strictObject({ token: z.string(), expirationTimestamp: Instant }),
  })
  .check(z.meta({ id: "ExecCredential" }));

const execCredential = (method: "GET" | "POST"): Described => ({
  audience: "key",
  method,
  path: "/v1/kubernetes/namespaces/{id}/exec-credential",
  summary: method === "POST" ? "Mint a Kubernetes credential" : "Mint a Kubernetes credential, with curl",
  description:
    "A token for the namespace's cluster, for ten minutes at most and never past the key's expiry.",
  tag: "With an API key",
  params: Namespace,
  query: Version,
  answers: {
    200: {
      description: "What kubectl takes from an exec plugin",
      schema: ExecCredentialSchema,
      example: {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token: "eyJhbGciOi…", expirationTimestamp: "2026-11-21T01:12:03Z" },
      },
    },
  },
  errors: ["insufficient_scope", "not_found"],
});

const kubeconfig: Described = {
  audience: "key_or_session",
  method: "GET",
  path: "/v1/kubernetes/namespaces/{id}/kubeconfig",
  summary: "Get a kubeconfig",
  description: "Everything kubectl needs but the key, which its exec plugin reads from `POSTERN_API_KEY`.",
  tag: "With an API key",
  params: Namespace,
  query: Version,
  answers: {
    200: {
      description: "The kubeconfig",
      schema: z.string(),
      type: "application/yaml",
      example: `apiVersion: v1\nkind: Config\ncurrent-context: "postern-training-${EXAMPLE_NAMESPACE_ID.slice(0, 8)}"\n`,
    },
  },
  errors: ["insufficient_scope", "not_found"],
};

const JwkSetSchema = z.strictObject({
  keys: z.array(mapOf(z.unknown())).check(z.describe("Public keys, RFC 7517")),
});

const jwks: Described = {
  audience: "anybody",
  method: "GET",
  path: "/.well-known/jwks.json",
  summary: "Get the gateway's public keys",
  description: "They verify Kubernetes tokens, and the assertions that origins receive.",
  tag: "Public",
  answers: {
    200: {
      description: "A JWK set",
      schema: JwkSetSchema,
      example: {
        keys: [{ kty: "EC", crv: "P-256", kid: "2026-11", alg: "ES256", use: "sig", x: "…", y: "…" }],
      },
    },
  },
};

const DiscoverySchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string(),
  response_types_supported: z.array(z.string()),
  subject_types_supported: z.array(z.string()),
  id_token_signing_alg_values_supported: z.array(z.string()),
});

const discovery: Described = {
  audience: "anybody",
  method: "GET",
  path: "/.well-known/openid-configuration",
  summary: "Get the issuer's metadata",
  description: "OpenID Connect Discovery, for clusters that trust the gateway as an issuer.",
  tag: "Public",
  answers: {
    200: {
      description: "The metadata",
      schema: DiscoverySchema,
      example: {
        issuer: "https://gateway.example.com",
        jwks_uri: "https://gateway.example.com/.well-known/jwks.json",
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      },
    },
  },
  errors: ["not_found"],
};

const Service = z.enum(["up", "away"]);
const Services = z.strictObject({ d1: Service, kv: Service, ledger: Service });

const health: Described = {
  audience: "anybody",
  method: "GET",
  path: "/healthz",
  summary: "Ask whether the gateway runs",
  description:
    "As it stands, it asks nothing of anything. With `?ready`, it says which of D1, KV and the ledger answer, as found within the last five seconds.",
  tag: "Public",
  answers: {
    200: {
      description: "It runs, and its configuration is sound; with `?ready`, keys can be decided",
      schema: z.union([
        z.strictObject({ status: z.literal("ok") }),
        z.strictObject({ status: z.enum(["ready", "degraded"]), services: Services }),
      ]),
      example: { status: "ok" },
    },
    503: {
      description: "With `?ready`: neither D1 nor the ledger answers",
      schema: z.strictObject({ status: z.literal("unavailable"), services: Services }),
      example: { status: "unavailable", services: { d1: "away", kv: "up", ledger: "away" } },
    },
  },
};

/** Routes that are described here and served elsewhere (`src/index.ts`). */
export const OTHER_DOORS: readonly Described[] = [
  ownKey,
  execCredential("POST"),
  execCredential("GET"),
  kubeconfig,
  jwks,
  discovery,
  health,
];
