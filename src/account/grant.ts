import type { SentScopes } from "../api/schemas.ts";
import type { Denial } from "../denial.ts";
import type { Permissions } from "../keys/permissions.ts";
import { parseScopes, type Scopes, unknownEndpoint, unknownNamespace } from "../keys/scopes.ts";
import { builtInTemplate } from "../keys/templates.ts";
import { hasVisibleWildcard, recordedEndpoints } from "../store/endpoints.ts";
import type { Named } from "../store/key-conditions.ts";
import { foreignNamespaces } from "../store/namespaces.ts";
import { readTemplate } from "../store/templates.ts";

/** What a key is to be granted, as stored with it. */
export interface Grant {
  permissions: Permissions;
  scopes: Scopes;
  template: string | null;
}

/** A grant as it is looked up: with what must still be there when it is stored. */
export type FreshGrant = Grant & { named: Named };

/** The grant that scopes or else a template ask for. */
export function grantOf(
  db: D1Database,
  accountId: string,
  { scopes, template }: { scopes?: SentScopes | undefined; template?: string | undefined },
): Promise<FreshGrant | Denial> {
  return scopes === undefined
    ? grantOfTemplate(db, accountId, template!)
    : grantOfScopes(db, accountId, scopes);
}

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });

/** The grant that scopes ask for, if the account sees all they name. */
export async function grantOfScopes(
  db: D1Database,
  accountId: string,
  { sent, parsed }: SentScopes,
): Promise<FreshGrant | Denial> {
  const unseen = await unseenBy(db, accountId, parsed.names);
  const refusal = refusalOf(parsed.names, unseen);
  const { permissions } = parsed;
  return refusal === null
    ? { permissions, scopes: sent, template: null, named: { [accountId]: unseen.recorded } }
    : invalid(refusal);
}

/** The grant of a template, built in or the account's own. */
async function grantOfTemplate(
  db: D1Database,
  accountId: string,
  name: string,
): Promise<FreshGrant | Denial> {
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

/** Endpoints and namespaces that an account does not see, and those that it sees and that have a record. */
export interface Unseen {
  endpoint_ids: ReadonlySet<string>;
  namespace_ids: ReadonlySet<string>;
  recorded: Names;
}

/** Which of the named endpoints and namespaces the account does not see. */
export async function unseenBy(db: D1Database, accountId: string, names: Names): Promise<Unseen> {
  const { endpoint_ids: endpoints, namespace_ids: namespaces } = names;
  const recorded = new Map(endpoints.length === 0 ? [] : await recordedEndpoints(db, endpoints, accountId));
  const foreign = new Set(namespaces.length === 0 ? [] : await foreignNamespaces(db, namespaces, accountId));
  const rest = endpoints.filter((id) => !recorded.get(id));
  const wild = rest.length > 0 && (await hasVisibleWildcard(db, accountId));
  return {
    // A wildcard serves every id that has no record of its own.
    endpoint_ids: new Set(rest.filter((id) => !wild || recorded.has(id))),
    namespace_ids: foreign,
    recorded: {
      endpoint_ids: endpoints.filter((id) => recorded.get(id)),
      namespace_ids: namespaces.filter((id) => !foreign.has(id)),
    },
  };
}

/** The text of the 400 for the first name that is unseen; null when none is. */
export function refusalOf(names: Names, unseen: Unseen): string | null {
  const endpoint = names.endpoint_ids.find((id) => unseen.endpoint_ids.has(id));
  if (endpoint !== undefined) return unknownEndpoint(endpoint);
  const namespace = names.namespace_ids.find((id) => unseen.namespace_ids.has(id));
  return namespace === undefined ? null : unknownNamespace(namespace);
}
