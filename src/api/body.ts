import type { Denial } from "../denial.ts";
import { readCapped } from "../http/read-capped.ts";
import { decodeUtf8, type JsonValue, parseStrict } from "../json.ts";

/** Largest JSON body, in bytes: 200 scope strings or 100 operation rules need a tenth of it. */
const MAX_BODY = 256 * 1024;

/** Deepest nesting; the deepest body there is (scopes of a key) has 4 levels. */
const MAX_DEPTH = 16;

/** The media type of a request, without parameters, lower case; empty when it names none. */
export function mediaType(request: Request): string {
  return (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** Reads a JSON body strictly: bounded, UTF-8, no member twice. */
export async function readJson(request: Request): Promise<{ value: JsonValue } | Denial> {
  const type = request.headers.get("content-type");
  if (type === null || !JSON_TYPE.test(type.trim())) {
    return { code: "unsupported_media_type", detail: "The content type must be application/json" };
  }
  if ((request.headers.get("content-encoding") ?? "identity") !== "identity") {
    return { code: "unsupported_media_type", detail: "The body must not be compressed" };
  }
  const bytes = await readCapped(request.body, MAX_BODY);
  if (bytes === "too_large") return { code: "body_too_large", limit: MAX_BODY };
  const text = decodeUtf8(bytes);
  if (text === null) return invalid("The body is not UTF-8");
  const parsed = parseStrict(text, { maxDepth: MAX_DEPTH });
  return parsed.ok ? { value: parsed.value } : invalid(`The body is not JSON: ${parsed.message}`);
}

/** No charset but UTF-8: in another, another reader would see another document. */
const JSON_TYPE = /^application\/json(?:\s*;\s*charset=(?:utf-8|"utf-8"))?$/i;

const invalid = (detail: string): Denial => ({ code: "invalid_request", detail });
