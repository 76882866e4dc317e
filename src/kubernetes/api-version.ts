import type { Denial } from "../denial.ts";
import { decodeQuery, queryPairs } from "../http/url.ts";

/** The versions of `client.authentication.k8s.io` in use: kubectl knows v1 from 1.22 on, v1beta1 from 1.11 on. */
export type ApiVersion = "v1" | "v1beta1";

export const GROUP = "client.authentication.k8s.io";

/**
 * The version asked for by `?apiVersion=`, bare or with its group as KUBERNETES_EXEC_INFO has it; v1 when
 * nothing is asked for. A client refuses a credential of another version than its kubeconfig names.
 */
export function readApiVersion(query: string): ApiVersion | Denial {
  const asked = queryPairs(query).filter(({ name }) => name === "apiVersion");
  if (asked.length > 1) return { code: "invalid_request", detail: "apiVersion is given more than once" };
  const value = decodeQuery(asked[0]?.value ?? "")?.replace(`${GROUP}/`, "");
  if (value === "") return "v1";
  if (value === "v1" || value === "v1beta1") return value;
  return { code: "invalid_request", detail: `apiVersion must be ${GROUP}/v1 or ${GROUP}/v1beta1` };
}
