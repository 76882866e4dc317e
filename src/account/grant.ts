import type { SentScopes } from "../api/schemas.ts";
import type { Denial } from "../denial.ts";
import type { Permissions } from "../keys/permissions.ts";
import { parseScopes, type Scopes, unknownEndpoint, unknownNamespace } from "../keys/scopes.ts";
import { builtInTemplate } from "../keys/templates.ts";
import { foreignEndpoints, hasVisibleWildcard, visibleEndpoints } from "../store/endpoints.ts";
import { foreignNamespaces } from "../store/namespaces.ts";
import { readTemplate } from "../store/templates.ts";

/** What a key is to be granted, as stored with it. */
export interface Grant {
  permissions: Permissions;
  scopes: Scopes;
  template: string | null;
}

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });

/** The grant that scopes ask for, if the account sees all they name. */
export async function grantOfScopes(
  db: D1Database,
  accountId: string,
  { sent, parsed }: SentScopes,
): Promise<Grant | Denial> {
  const refusal = refusalOf(parsed.names, await unseenBy(db, accountId, parsed.names));
  return refusal === null
    ? { permissions: parsed.permissions, scopes: sent, template: null }
    : invalid(refusal);
}

/** The grant of a template, built in or the account's own. */
export async function grantOfTemplate(
  db: D1Database,
  accountId: string,
  name: string,
): Promise<Grant | Denial> {
  const template = builtInTemplate(name) ?? (await readTemplate(db, accountId, name));
  if (template === null) {
    return invalid(`Unknown template: ${name}. GET /v1/account/permission-templates lists those there are`);
  }
  const parsed = parseScopes(template.scopes);
  if (!parsed.ok) return invalid(parsed.message);
  // Looked at again: an endpoint of the template may have gone since.
  const grant = await grantOfScopes(db, accountId, { sent: template.scopes, parsed });
  return "code" in grant ? grant : { ...grant, template: name };
}

/** Ids of endpoints and namespaces. */
export interface Names {
  endpoint_ids: readonly string[];
  namespace_ids: readonly string[];
}

/** Endpoints and namespaces that an account does not see. */
export interface Unseen {
  endpoint_ids: ReadonlySet<string>;
  namespace_ids: ReadonlySet<string>;
}

/** Which of the named endpoints and namespaces the account does not see. */
export async function unseenBy(db: D1Database, accountId: string, names: Names): Promise<Unseen> {
  const { endpoint_ids: endpoints, namespace_ids: namespaces } = names;
  return {
    endpoint_ids: new Set(endpoints.length === 0 ? [] : await unseenEndpoints(db, accountId, endpoints)),
    namespace_ids: new Set(namespaces.length === 0 ? [] : await foreignNamespaces(db, namespaces, accountId)),
  };
}

async function unseenEndpoints(db: D1Database, accountId: string, ids: readonly string[]): Promise<string[]> {
  const visible = new Set(await visibleEndpoints(db, ids, accountId));
  const rest = ids.filter((id) => !visible.has(id));
  if (rest.length === 0) return [];
  // A wildcard serves every id that has no record of its own.
  return (await hasVisibleWildcard(db, accountId)) ? foreignEndpoints(db, rest, accountId) : rest;
}

/** The text of the 400 for the first name that is unseen; null when none is. */
export function refusalOf(names: Names, unseen: Unseen): string | null {
  const endpoint = names.endpoint_ids.find((id) => unseen.endpoint_ids.has(id));
  if (endpoint !== undefined) return unknownEndpoint(endpoint);
  const namespace = names.namespace_ids.find((id) => unseen.namespace_ids.has(id));
  return namespace === undefined ? null : unknownNamespace(namespace);
}
