import { outline } from "../../json.ts";
import { type Entry, foldCase, judgeEntry } from "./entry.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";
import { type PersistedQuery, type Refused, refuse } from "./result.ts";

/** The members that select or feed an operation, by the name in a URL. */
const MEMBERS = ["query", "operationName", "variables", "extensions"];

/**
 * By which names servers take the id or hash of a stored document in a URL: `documentId` of GraphQL over
 * HTTP, `id` and `doc_id` of Relay, `queryId` of WPGraphQL and others. Such a server may run what is stored
 * there and not the document that was judged.
 */
const DOCUMENT_IDS = new Set(
  [
    ...["documentId", "docId", "id", "queryId", "operationId"],
    ...["hash", "sha256Hash", "queryHash", "persistedQuery", "persistedQueryId"],
  ].map(bare),
);
const BARE_MEMBERS = new Set([...MEMBERS.map(bare), ...DOCUMENT_IDS]);

/** A URL query, taken apart. */
export interface UrlQuery {
  kind: "url_query";
  /** GraphQL members, decoded, in order. */
  members: { name: string; value: string }[];
  /** Everything else, byte for byte, joined by `&`. */
  rest: string;
}

/**
 * Separates the GraphQL members of a raw URL query (without `?`) from the rest.
 *
 * Names are compared as the laxest origin would: without regard to case (ASP.NET), to spaces around, to what
 * PHP makes an underscore (dots, spaces within, a lone bracket), or to brackets and U+0000 around (PHP, `qs`,
 * Rack). Some frameworks also split at `;`, so a GraphQL member behind one is refused. Percent-encoding must be
 * UTF-8, `+` is a space.
 */
export function splitUrlQuery(raw: string): UrlQuery | Refused {
  const members: UrlQuery["members"] = [];
  const rest: string[] = [];
  for (const piece of raw.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    const name = decode(equals < 0 ? piece : piece.slice(0, equals));
    if (name === null) return refuse(400, "Invalid percent-encoding in the URL");
    if (memberOf(name) !== undefined) {
      const value = decode(equals < 0 ? "" : piece.slice(equals + 1));
      if (value === null) return refuse(400, "Invalid percent-encoding in the URL");
      members.push({ name, value });
    } else {
      if (hidesMember(piece)) return refuse(400, "Ambiguous GraphQL member in the URL");
      rest.push(piece);
    }
  }
  return { kind: "url_query", members, rest: rest.join("&") };
}

/** Judges the GraphQL request that a GET's URL carries; each member at most once, and spelled exactly. */
export function judgeUrlMembers(members: UrlQuery["members"]): Entry | PersistedQuery | Refused {
  const values = new Map<string, string>();
  let documentId = false;
  for (const { name, value } of members) {
    const member = memberOf(name);
    if (member !== undefined && DOCUMENT_IDS.has(member)) {
      documentId = true;
      continue;
    }
    if (!MEMBERS.includes(name)) return refuse(400, "Misspelled GraphQL member in the URL");
    if (values.has(name)) return refuse(400, `Duplicate ${name} in the URL`);
    values.set(name, value);
  }
  const variables = jsonMember(values, "variables");
  if (typeof variables === "object" && variables !== null) return variables;
  const extensions = jsonMember(values, "extensions");
  if (typeof extensions === "object" && extensions !== null) return extensions;
  return judgeEntry({
    query: values.get("query") ?? null,
    operationName: values.get("operationName") ?? null,
    variables,
    extensions,
    documentId,
  });
}

/** The URL query to forward for a GET: the other parameters as they were, then the judged members. */
export function canonicalUrlQuery(rest: string, entry: Entry): string {
  const pieces = rest === "" ? [] : [rest];
  for (const name of ["query", "operationName", "variables", "extensions"] as const) {
    const value = entry[name];
    if (value !== null) pieces.push(`${name}=${encodeURIComponent(value)}`);
  }
  return pieces.join("&");
}

/** The JSON source text of a member, null where it is absent or `null`. */
function jsonMember(values: ReadonlyMap<string, string>, name: string): string | null | Refused {
  const text = values.get(name);
  if (text === undefined) return null;
  const parts = outline(text, { maxDepth: MAX_JSON_DEPTH });
  if (!parts.ok) return refuse(400, `${name}: ${parts.message}`);
  if (parts.kind === "scalar" && parts.source === "null") return null;
  return text.trim();
}

/** The bare name of the GraphQL member that some server reads in a name, if there is one. */
function memberOf(name: string): string | undefined {
  // The `?` is for `??query=…`, whose first name would be `?query`.
  const whole = name.replace(/^[\s?]+/, "");
  // `qs` and Rack read `[query]`, `]query` and `query[x]` as `query`.
  const first = whole.split(/[[\]\0]+/).find((run) => run.trim() !== "") ?? "";
  return [bare(first), bare(whole)].find((each) => BARE_MEMBERS.has(each));
}

/** A name without its case, and without what PHP makes an underscore. */
function bare(name: string): string {
  return foldCase(name).replace(/[\s._[]/g, "");
}

function hidesMember(piece: string): boolean {
  if (!piece.includes(";")) return false;
  return piece.split(";").some((part) => {
    const name = decode(part.split("=", 1)[0] ?? "");
    return name === null || memberOf(name) !== undefined;
  });
}

/** Null where the percent-encoding is broken or not UTF-8. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
