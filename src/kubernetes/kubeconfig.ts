import { ConfigError } from "../env.ts";
import type { NamespaceRow } from "../store/namespaces.ts";
import { type ApiVersion, GROUP, readApiVersion } from "./api-version.ts";
import { EXEC_PLUGIN } from "./exec-plugin.ts";
import type { NamespaceRoute } from "./route.ts";

/** What Kubernetes allows as the name of a namespace (RFC 1123 label). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * `GET /v1/kubernetes/namespaces/{id}/kubeconfig`: everything kubectl needs but the key. A namespace's name
 * here is its name in the cluster, where it can be one.
 */
export const kubeconfigRoute: NamespaceRoute = {
  methods: ["GET", "HEAD", "OPTIONS"],
  operation: "read",
  strict: false,
  sessions: true,
  answer(trip, url, namespace) {
    const { PUBLIC_URL } = trip.isolate.config;
    if (PUBLIC_URL === undefined) throw new ConfigError("PUBLIC_URL is not set, and a kubeconfig names it");
    const version = readApiVersion(url.query);
    if (typeof version === "object") return version;
    return new Response(kubeconfig(namespace, PUBLIC_URL, version), {
      headers: {
        "content-type": "application/yaml", // RFC 9512
        "content-disposition": `attachment; filename="${titleOf(namespace)}.yaml"`,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": trip.requestId,
      },
    });
  },
};

/** A name that tells people something, and that no other namespace's context has. */
function titleOf({ id, name }: Pick<NamespaceRow, "id" | "name">): string {
  return LABEL.test(name) ? `postern-${name}-${id.slice(0, 8)}` : `postern-${id}`;
}

/** The kubeconfig (Kubernetes API reference, `kubeconfig (v1)`). Whatever is not fixed text is quoted. */
export function kubeconfig(
  namespace: Pick<NamespaceRow, "id" | "name" | "cluster">,
  publicUrl: string,
  version: ApiVersion,
): string {
  const { id, name, cluster } = namespace;
  const title = quoted(titleOf(namespace));
  const url = `${publicUrl.replace(/\/$/, "")}/v1/kubernetes/namespaces/${id}/exec-credential`;
  const authority = cluster.certificate_authority_data;
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${title}
    cluster:
      server: ${quoted(cluster.server)}
${authority === undefined ? "" : `      certificate-authority-data: ${quoted(authority)}\n`}\
users:
  - name: ${title}
    user:
      exec:
        apiVersion: ${GROUP}/${version}
        interactiveMode: Never
        installHint: Needs sh and curl, and an API key in POSTERN_API_KEY or in ~/.postern/key.
        command: sh
        args:
          - -c
          - |
${EXEC_PLUGIN.trimEnd().replace(/^(?=.)/gm, "            ")}
          - postern
          - ${quoted(url)}
          - ${version}
contexts:
  - name: ${title}
    context:
      cluster: ${title}
      user: ${title}
${LABEL.test(name) ? `      namespace: ${quoted(name)}\n` : ""}\
current-context: ${title}
`;
}

/**
 * A YAML double-quoted scalar (YAML 1.2.2 section 7.3.1). JSON's escapes are YAML's too; beyond ASCII, YAML
 * forbids some of what JSON allows as it is, and counts in code points, not in UTF-16 units.
 */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (character) => {
    return `\\U${character.codePointAt(0)!.toString(16).padStart(8, "0")}`;
  });
}
