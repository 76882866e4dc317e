import { decodeUtf8, outline } from "../../json.ts";
import { type Entry, judgeEntry } from "./entry.ts";
import { MAX_BATCH_ENTRIES, MAX_BODY_BYTES, MAX_JSON_DEPTH } from "./limits.ts";
import { type Operation, type PersistedQuery, type Refused, refuse } from "./result.ts";

interface JudgedBody {
  kind: "body";
  operations: readonly Operation[];
  /** Canonical JSON. */
  body: string;
}

/**
 * `application/json`, at most with `charset=utf-8`. An origin that honours utf-7 or utf-16 would read other
 * operations in the same bytes. A header sent twice arrives joined by a comma and does not match.
 * (RFC 9110 section 8.3.1: case-insensitive, the value may be quoted, no spaces around `=`.)
 */
const JSON_CONTENT_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

/** Judges the body of a POST, a single request or a batch (an array of them). */
export function judgeBody(
  contentType: string | null,
  contentEncoding: string | null,
  bytes: Uint8Array,
): JudgedBody | PersistedQuery | Refused {
  if (contentType === null || !JSON_CONTENT_TYPE.test(contentType)) {
    return refuse(415, "Content-Type must be application/json, in UTF-8");
  }
  // "identity" means no encoding (RFC 9110 section 8.4.1), and the upstream request carries no such header.
  if (contentEncoding !== null && contentEncoding.toLowerCase() !== "identity") {
    return refuse(415, "Content-Encoding is not accepted");
  }
  if (bytes.byteLength > MAX_BODY_BYTES) return refuse(413, `Body larger than ${MAX_BODY_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  if (text === null) return refuse(400, "Body is not UTF-8 without a byte order mark");

  const parts = outline(text, { maxDepth: MAX_JSON_DEPTH });
  if (!parts.ok) return refuse(400, `JSON body: ${parts.message}`);
  switch (parts.kind) {
    case "object": {
      const entry = judgeMembers(parts.members);
      return entry.kind === "entry"
        ? { kind: "body", operations: entry.operations, body: canonical(entry) }
        : entry;
    }
    case "array":
      return judgeBatch(parts.elements);
    case "scalar":
      return refuse(400, "JSON body must be an object or an array of objects");
  }
}

/** One entry that cannot be forwarded stops the whole batch. */
function judgeBatch(elements: string[]): JudgedBody | PersistedQuery | Refused {
  if (elements.length === 0) return refuse(400, "Empty batch");
  if (elements.length > MAX_BATCH_ENTRIES)
    return refuse(400, `Batch of more than ${MAX_BATCH_ENTRIES} entries`);
  const entries: Entry[] = [];
  let persisted = false;
  for (const element of elements) {
    const parts = outline(element, { maxDepth: MAX_JSON_DEPTH });
    if (!parts.ok || parts.kind !== "object") return refuse(400, "A batch holds objects only");
    const entry = judgeMembers(parts.members);
    if (entry.kind === "refused") return entry;
    if (entry.kind === "persisted_query") persisted = true;
    else entries.push(entry);
  }
  if (persisted) return { kind: "persisted_query", batch: elements.length };
  return {
    kind: "body",
    operations: entries.flatMap((entry) => entry.operations),
    body: `[${entries.map(canonical).join(",")}]`,
  };
}

/** Members other than the four are neither judged nor forwarded. */
function judgeMembers(members: ReadonlyMap<string, string>): Entry | PersistedQuery | Refused {
  const query = stringMember(members, "query");
  if (typeof query === "object" && query !== null) return query;
  const operationName = stringMember(members, "operationName");
  if (typeof operationName === "object" && operationName !== null) return operationName;
  return judgeEntry({
    query,
    operationName,
    variables: presentMember(members, "variables"),
    extensions: presentMember(members, "extensions"),
    documentId: presentMember(members, "documentId") !== null,
  });
}

function stringMember(members: ReadonlyMap<string, string>, name: string): string | null | Refused {
  const source = presentMember(members, name);
  if (source === null) return null;
  return source.startsWith('"')
    ? (JSON.parse(source) as string)
    : refuse(400, `${name} must be a string or null`);
}

/** The member's JSON source text, or null where it is absent or null. */
function presentMember(members: ReadonlyMap<string, string>, name: string): string | null {
  const source = members.get(name);
  return source === undefined || source === "null" ? null : source;
}

/**
 * The JSON that is forwarded. The document and the name are written anew, from the very strings that were
 * judged; `variables` and `extensions` are the client's source text, so no digit of a number changes.
 */
function canonical(entry: Entry): string {
  let json = `{"query":${JSON.stringify(entry.query)}`;
  if (entry.operationName !== null) json += `,"operationName":${JSON.stringify(entry.operationName)}`;
  if (entry.variables !== null) json += `,"variables":${entry.variables}`;
  if (entry.extensions !== null) json += `,"extensions":${entry.extensions}`;
  return `${json}}`;
}
