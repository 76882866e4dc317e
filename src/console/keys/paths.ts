import { search } from "../api.ts";
import { localPath } from "../return-to.ts";

/** The list of keys. */
export const LIST = "/console/settings/api-keys";

/** The page of one key, or what is done to it there. */
export function keyPath(id: string, part?: "edit" | "toggle" | "revoke" | "rotate" | "usage"): string {
  return `${LIST}/${encodeURIComponent(id)}${part === undefined ? "" : `/${part}`}`;
}

/** Where a list of keys stands. */
export interface ListView {
  q: string;
  status: string;
  environment: string;
  cursor: string | null;
}

/** The list as somebody sees it, to come back to. */
export const listPath = (view: Partial<ListView>) => LIST + search({ ...view });

/** Where a form's hidden field `from` leads back to: a page about keys, else the list. */
export function backTo(from: string): string {
  const path = localPath(from);
  return path === LIST || path.startsWith(`${LIST}/`) || path.startsWith(`${LIST}?`) ? path : LIST;
}
