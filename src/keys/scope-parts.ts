/** Why a `scopes` value is refused: the text of the 400. */
export class Refusal {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Most endpoints, namespaces, root fields or scope strings that one list may hold. */
export const MOST_ENTRIES = 200;

/** Longest GraphQL root field name; the language sets no limit, a key record needs one. */
const LONGEST_FIELD = 128;

/** What a `scopes` value names, for the caller to check that the account sees it. */
export interface Names {
  endpoint_ids: Set<string>;
  namespace_ids: Set<string>;
}

export const NO_SCOPE = "At least one explicit scope is required";
export const MIXED_SCOPES = "Explicit mixed scopes are not supported";
export const ALL_IS_ALONE = "all cannot be combined with other scope fields";
export const NO_NAMESPACE = "At least one namespace ID is required unless all_namespaces is true";

/** The text for an endpoint that the account cannot see, whether or not it exists. */
export function unknownEndpoint(id: string): string {
  return `Unknown endpoint: ${excerpt(id)}`;
}

/** The text for a namespace that the account cannot see, whether or not it exists. */
export function unknownNamespace(id: string): string {
  return `Unknown namespace: ${excerpt(id)}`;
}

/** Keeps an answer short whatever was sent; every legal id is shown whole. */
export function excerpt(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** Notes and returns an endpoint id; text that cannot be one is an endpoint nobody can see. */
export function endpointId(text: string, names: Names): string | Refusal {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(text)) return new Refusal(unknownEndpoint(text));
  names.endpoint_ids.add(text);
  return text;
}

/** Notes and returns a namespace id, a UUID, in lower case (RFC 9562, section 4). */
export function namespaceId(text: string, names: Names): string | Refusal {
  const id = text.toLowerCase();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return new Refusal(unknownNamespace(text));
  names.namespace_ids.add(id);
  return id;
}

/** Whether the text is a GraphQL name (GraphQL specification, section 2.1.9). */
export function isFieldName(text: unknown): text is string {
  return typeof text === "string" && text.length <= LONGEST_FIELD && /^[_A-Za-z][_0-9A-Za-z]*$/.test(text);
}
