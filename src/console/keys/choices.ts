import type { Protocol } from "../../endpoints/endpoint.ts";
import type { ScopeGroup } from "../../keys/catalogue.ts";
import type { PermissionTemplate } from "../../keys/templates.ts";
import { type Api, type ListOf, Problem } from "../api.ts";

/** An endpoint as the account API tells of it. */
export interface EndpointChoice {
  id: string;
  name: string;
  api: "inference" | "graphql";
  protocol: Protocol;
  path: string;
  wildcard: boolean;
  environments: string[];
}

/** A namespace as the account API tells of it. */
export interface NamespaceChoice {
  id: string;
  name: string;
  server: string;
}

export type TemplateChoice = PermissionTemplate & { built_in: boolean };

/** What a key's permissions can be chosen from. */
export interface Choices {
  endpoints: EndpointChoice[];
  namespaces: NamespaceChoice[];
  templates: TemplateChoice[];
  groups: ScopeGroup[];
  /** Whether there are more endpoints, or ids that a wildcard serves, than a form can list. */
  more: boolean;
}

/** Endpoints and namespaces that a form lists: as many as one key may name. */
const MOST = 200;
const PAGE = 100;

/** Everything an account's keys can be allowed. */
export async function readChoices(api: Api): Promise<Choices | Problem> {
  const [endpoints, namespaces, templates, catalogue] = await Promise.all([
    readAll<EndpointChoice>(api, "/v1/account/endpoints"),
    readAll<NamespaceChoice>(api, "/v1/account/namespaces"),
    api.get<{ data: TemplateChoice[] }>("/v1/account/permission-templates"),
    api.get<{ groups: ScopeGroup[] }>("/v1/account/scopes"),
  ]);
  if (endpoints instanceof Problem) return endpoints;
  if (namespaces instanceof Problem) return namespaces;
  if (templates instanceof Problem) return templates;
  if (catalogue instanceof Problem) return catalogue;
  return {
    endpoints: endpoints.data,
    namespaces: namespaces.data,
    templates: templates.data,
    groups: catalogue.groups,
    more: endpoints.next_cursor !== null || endpoints.data.some(({ wildcard }) => wildcard),
  };
}

/** A list's first pages, up to what a form can list. */
async function readAll<T>(api: Api, path: string): Promise<ListOf<T> | Problem> {
  const data: T[] = [];
  let cursor: string | null = null;
  do {
    const page: ListOf<T> | Problem = await api.get<ListOf<T>>(path, { limit: PAGE, cursor });
    if (page instanceof Problem) return page;
    data.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null && data.length < MOST);
  return { data, next_cursor: cursor };
}

/** The endpoints that a key's inference permission can name, one by one. */
export const inferenceEndpoints = ({ endpoints }: Choices) =>
  endpoints.filter(({ api, wildcard }) => api === "inference" && !wildcard);
