import { outline } from "../../json.ts";
import { judgeDocumentCached } from "./document-cache.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";
import { type Operation, type PersistedQuery, type Refused, refuse } from "./result.ts";

/** The members of one GraphQL request as they came, in a JSON object or in a URL. Null: absent or null. */
export interface RawEntry {
  query: string | null;
  operationName: string | null;
  /** JSON source text. */
  variables: string | null;
  /** JSON source text. */
  extensions: string | null;
  /** Whether it names a persisted document instead (GraphQL over HTTP, "Persisted Documents"). */
  documentId: boolean;
}

/** One request that may be forwarded. `variables` and `extensions` are the client's own JSON source text. */
export interface Entry {
  kind: "entry";
  /** The document as it is forwarded. */
  query: string;
  operationName: string | null;
  variables: string | null;
  extensions: string | null;
  /** All operations of the document, not only the selected one. */
  operations: readonly Operation[];
}

/** Judges one GraphQL request. */
export function judgeEntry(raw: RawEntry): Entry | PersistedQuery | Refused {
  const { query, operationName, variables } = raw;
  if (variables !== null && !variables.startsWith("{"))
    return refuse(400, "variables must be an object or null");
  const extensions = withoutPersistedQuery(raw.extensions);
  if (extensions.kind === "refused") return extensions;
  if (query === null) {
    if (extensions.persistedQuery || raw.documentId) return { kind: "persisted_query", batch: null };
    return refuse(400, "query is missing");
  }

  const document = judgeDocumentCached(query);
  if (document.kind === "refused") return document;
  // Without a name the origin runs the only operation; with several it has no rule that we could know.
  if (operationName === null && document.operations.size > 1) {
    return refuse(400, "operationName is required: the document has several operations");
  }
  if (operationName !== null && !document.operations.has(operationName)) {
    return refuse(400, "operationName names no operation of the document");
  }
  return {
    kind: "entry",
    query: document.text,
    operationName,
    variables,
    extensions: extensions.source,
    operations: [...document.operations.values()],
  };
}

/** `source` is what is left of the extensions, null for nothing. */
interface Extensions {
  kind: "extensions";
  source: string | null;
  persistedQuery: boolean;
}

/**
 * Extensions without their `persistedQuery` member: beside a document it registers that document under a
 * hash, but an origin that looks the hash up first would run what is stored there and not what was judged.
 * The document alone answers the same, so dropping it costs nothing but the registration.
 */
function withoutPersistedQuery(source: string | null): Extensions | Refused {
  if (source === null) return { kind: "extensions", source: null, persistedQuery: false };
  const parts = outline(source, { maxDepth: MAX_JSON_DEPTH });
  if (!parts.ok) return refuse(400, `extensions: ${parts.message}`);
  if (parts.kind !== "object") return refuse(400, "extensions must be an object or null");
  const kept = [...parts.members].filter(([name]) => foldCase(name) !== "persistedquery");
  if (kept.length === parts.members.size) return { kind: "extensions", source, persistedQuery: false };
  const rebuilt = kept.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",");
  return { kind: "extensions", source: kept.length === 0 ? null : `{${rebuilt}}`, persistedQuery: true };
}

/**
 * A name as the laxest reader compares it. Go's `encoding/json` and .NET match without regard to case, Go by
 * Unicode folding: `ſ` (U+017F) is an `s`, which only the way through upper case finds.
 */
export function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}
