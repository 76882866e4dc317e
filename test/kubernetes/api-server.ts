import { once } from "node:events";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { Certificate } from "./certificate.ts";

/** One request that the API server authenticated, or refused. */
export interface Asked {
  path: string;
  claims: JWTPayload | null;
  /** Why it was refused; null when it was not. */
  refused: string | null;
}

export interface ApiServerOptions {
  /** The cluster's own certificate. */
  certificate: Certificate;
  issuer: string;
  /** Authority of the issuer's certificate. */
  issuerAuthority: string;
  audience: string;
  algorithms?: string[];
  /** Group that a RoleBinding lets list pods, in the one namespace there is. */
  boundGroup: string;
}

/**
 * As much of a kube-apiserver as `kubectl get pods` asks for: TLS, discovery of the API groups, one list of
 * pods. It knows people the way docs/kubernetes.md configures it: the issuer is discovered over TLS, the token
 * is verified against its key set (issuer, audience, algorithm, times), `sub` and `groups` become user and
 * groups, names that begin with `system:` are refused, and a binding is looked up by group.
 */
export class ApiServer {
  readonly asked: Asked[] = [];
  readonly #options: ApiServerOptions;
  readonly #server: https.Server;
  /** What each answer waits for, once the request has been judged. */
  hold: (claims: JWTPayload | null) => Promise<unknown> = async () => {};

  private constructor(server: https.Server, options: ApiServerOptions) {
    this.#server = server;
    this.#options = options;
  }

  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const { key, cert } = options.certificate;
    const server = https.createServer({ key, cert });
    const api = new ApiServer(server, options);
    server.on("request", async (request, response) => {
      const path = request.url ?? "";
      const { status, body } = await api.answer(path, request.headers.authorization);
      await api.hold(api.asked.at(-1)?.claims ?? null);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return api;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ids of the tokens that were accepted, in order, each once. */
  get tokens(): string[] {
    return [...new Set(this.asked.flatMap(({ claims }) => (claims?.jti === undefined ? [] : [claims.jti])))];
  }

  clear(): void {
    this.asked.length = 0;
    this.hold = async () => {};
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async answer(path: string, authorization: string | undefined): Promise<{ status: number; body: object }> {
    let claims: JWTPayload | null = null;
    try {
      claims = await this.#authenticate(authorization);
    } catch (error) {
      this.asked.push({ path, claims: null, refused: String(error) });
      return failure(401, "Unauthorized");
    }
    const [route] = path.split("?");
    if (route === `/api/v1/namespaces/${NAMESPACE}/pods`) {
      const groups = claims.groups as string[];
      const allowed = groups.includes(this.#options.boundGroup);
      this.asked.push({ path, claims, refused: allowed ? null : "no binding" });
      return allowed ? { status: 200, body: PODS } : failure(403, `pods is forbidden: User "${claims.sub}"`);
    }
    this.asked.push({ path, claims, refused: null });
    const body = DOCUMENTS[route ?? ""];
    return body === undefined ? failure(404, "not found") : { status: 200, body };
  }

  async #authenticate(authorization: string | undefined): Promise<JWTPayload> {
    const { issuer, issuerAuthority, audience, algorithms = ["ES256"] } = this.#options;
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined) throw new Error("no bearer token");
    // Anew each time: what is published now is what counts in a test.
    const discovered = await getJson(`${issuer}/.well-known/openid-configuration`, issuerAuthority);
    if (discovered.issuer !== issuer) throw new Error("the issuer calls itself something else");
    const jwks = await getJson(discovered.jwks_uri as string, issuerAuthority);
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as unknown as JSONWebKeySet), {
      issuer,
      audience,
      algorithms,
      requiredClaims: ["sub", "exp", "iat", "groups"],
    });
    const { sub = "", groups } = payload;
    if (!sub.startsWith("postern:key:")) throw new Error(`not a key: ${sub}`);
    if (!Array.isArray(groups) || !groups.every((group) => /^postern:[a-z]+:[^:]+$/.test(group))) {
      throw new Error(`groups ${JSON.stringify(groups)}`);
    }
    return payload;
  }
}

/** The namespace's name in the cluster. */
export const NAMESPACE = "team-a";

const failure = (code: number, message: string) => ({
  status: code,
  body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code },
});

const PODS = {
  kind: "PodList",
  apiVersion: "v1",
  metadata: { resourceVersion: "1" },
  items: [
    {
      metadata: { name: "web-0", namespace: NAMESPACE, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { containers: [{ name: "web", image: "web" }] },
      status: { phase: "Running" },
    },
  ],
};

const DOCUMENTS: Record<string, object> = {
  "/version": { major: "1", minor: "34", gitVersion: "v1.34.0" },
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
  "/api/v1": {
    kind: "APIResourceList",
    groupVersion: "v1",
    resources: [
      {
        name: "pods",
        singularName: "pod",
        namespaced: true,
        kind: "Pod",
        verbs: ["get", "list"],
        shortNames: ["po"],
      },
    ],
  },
};

/** GET over TLS with an authority of our own, which `fetch` cannot be given. */
export function getJson(url: string, ca: string): Promise<Record<string, unknown>> {
  return new Promise((done, failed) => {
    https
      .get(url, { ca, agent: false }, async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          done(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch (error) {
          failed(error);
        }
      })
      .on("error", failed);
  });
}
