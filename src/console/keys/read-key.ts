import type { KeyView } from "../../keys/view.ts";
import type { Problem } from "../api.ts";
import type { Visit } from "../page.ts";

/** Where the API has a key. */
export const keyApiPath = (id: string) => `/v1/account/api-keys/${encodeURIComponent(id)}`;

/** The key that a page's path names, with its exact last use. */
export function readKeyView({ api, params }: Visit): Promise<KeyView | Problem> {
  return api.get<KeyView>(keyApiPath(params.id!));
}
