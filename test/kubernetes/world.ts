import type { JWK } from "jose";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../harness/gateway.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { TlsFront } from "./tls-front.ts";

/** Ids of the namespaces there are: two of account `acme`, one of `other`. */
export const MINE = "6f1c2d3e-0000-4000-8000-00000000000a";
export const ALSO_MINE = "6f1c2d3e-0000-4000-8000-00000000000b";
export const FOREIGN = "6f1c2d3e-0000-4000-8000-00000000000c";
/** Nobody's. */
export const UNKNOWN = "6f1c2d3e-0000-4000-8000-00000000000d";

export const AUDIENCE = "https://cluster.test";

export interface KubernetesWorld {
  gateway: TestGateway;
  certificate: Certificate;
  /** PUBLIC_URL: the gateway behind TLS. */
  publicUrl: string;
  createNamespace(namespace: {
    id: string;
    account_id: string;
    name: string;
    server?: string;
  }): Promise<void>;
  stop(): Promise<void>;
}

/** A gateway behind TLS that signs, with accounts `acme` and `other`. */
export async function startKubernetesWorld(
  keys: JWK[],
  options: TestGatewayOptions = {},
): Promise<KubernetesWorld> {
  const certificate = makeCertificate();
  const front = await TlsFront.start(certificate);
  const gateway = await startTestGateway({
    vars: { PUBLIC_URL: front.url, ...options.vars },
    secrets: { SIGNING_KEYS: JSON.stringify({ keys }), ...options.secrets },
  });
  front.behind = gateway.port;
  await gateway.createAccount("acme");
  await gateway.createAccount("other");
  return {
    gateway,
    certificate,
    publicUrl: front.url,
    async createNamespace({ id, account_id, name, server = "https://127.0.0.1:1" }) {
      const cluster = { server, certificate_authority_data: certificate.data, audience: AUDIENCE };
      // Nothing about a namespace is cached, so the row is all there is to it.
      await gateway.db
        .prepare(
          "INSERT INTO namespaces (id, account_id, name, cluster, created_at, updated_at) VALUES (?, ?, ?, ?, 0, 0)",
        )
        .bind(id, account_id, name, JSON.stringify(cluster))
        .run();
    },
    async stop() {
      await front.stop();
      await gateway.stop();
    },
  };
}

/** Path of something of a namespace. */
export const pathOf = (id: string, what: "exec-credential" | "kubeconfig") =>
  `/v1/kubernetes/namespaces/${id}/${what}`;
