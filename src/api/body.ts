import type { Denial } from "../denial.ts";
import { readCapped } from "../http/read-capped.ts";
import { decodeUtf8, type JsonValue, parseStrict } from "../json.ts";

/** Largest JSON body, in bytes: 200 scope strings or 100 operation rules need a tenth of it. */
const MAX_BODY = 256 * 1024;

/** Deepest nesting; the deepest body there is (scopes of a key) has 4 levels. */
const MAX_DEPTH = 16;

/** Whether a request carries no body: none at all, or one of length 0. */
export function hasNoBody({ body, headers }: Request): boolean {
  return body === null || headers.get("content-length") === "0";
}

/**
 * Why a body of these media types cannot be read; null when it can. No charset but UTF-8, and no other
 * parameter: in another, another reader would see another document. Nor compressed: its size would be unknown.
 */
export function mediaProblem({ headers }: Request, types: readonly string[]): Denial | null {
  const [, type = "", charset = "utf-8"] = MEDIA_TYPE.exec(headers.get("content-type") ?? "") ?? [];
  if (!types.includes(type.toLowerCase()) || !/^"?utf-8"?$/i.test(charset)) {
    return unsupported(`The content type must be ${types[0]}`);
  }
  return (headers.get("content-encoding") ?? "identity") === "identity"
    ? null
    : unsupported("The body must not be compressed");
}

const MEDIA_TYPE = /^\s*([^\s;]+)(?:\s*;\s*charset=("[\w-]+"|[\w-]+))?\s*$/i;

const unsupported = (detail: string): Denial => ({ code: "unsupported_media_type", detail });

/** Reads a JSON body strictly: bounded, UTF-8, no member twice. */
export async function readJson(request: Request): Promise<{ value: JsonValue } | Denial> {
  const problem = mediaProblem(request, ["application/json"]);
  if (problem !== null) return problem;
  const bytes = await readCapped(request.body, MAX_BODY);
  if (bytes === "too_large") return { code: "body_too_large", limit: MAX_BODY };
  const text = decodeUtf8(bytes);
  if (text === null) return invalid("The body is not UTF-8");
  const parsed = parseStrict(text, { maxDepth: MAX_DEPTH });
  return parsed.ok ? { value: parsed.value } : invalid(`The body is not JSON: ${parsed.message}`);
}

/** Reads the body of a route that takes none: empty, or what says nothing, as some clients send it. */
export async function readNothing({ body }: Request): Promise<Denial | null> {
  const bytes = await readCapped(body, MAX_BODY);
  if (bytes === "too_large") return { code: "body_too_large", limit: MAX_BODY };
  const text = decodeUtf8(bytes) ?? "not UTF-8";
  return /^\s*(?:\{\s*\}|null)?\s*$/.test(text) ? null : invalid("The body must be empty");
}

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });
