import type * as z from "zod";
import { excerpt } from "../keys/scope-parts.ts";

type RawIssue = z.core.$ZodRawIssue;

/**
 * Words for what a schema refuses, made to follow the member's name: "must be a string". Messages that
 * schemas of our own give are kept, since zod asks this map only where they gave none.
 */
function words(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_big":
      return `must be at most ${issue.maximum}${unit(issue.origin)}`;
    case "too_small":
      return `must be at least ${issue.minimum}${unit(issue.origin)}`;
    case "invalid_format":
      return "is not well-formed";
    default:
      return undefined;
  }
}

const NOUNS: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

const unit = (origin: string) => (origin === "string" ? " characters" : origin === "array" ? " entries" : "");

/** What a value is to its sender. */
export type What = "path" | "query" | "body" | "line";

/** Checks a value; a refusal is one sentence that names the member. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  what: What,
): { value: T } | { message: string } {
  const result = schema.safeParse(value, { error: words });
  return result.success ? { value: result.data } : { message: sentence(result.error.issues[0]!, what) };
}

function sentence(issue: z.core.$ZodIssue, what: What): string {
  const at = issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  const path = at.replace(/^\./, "");
  if (issue.code === "unrecognized_keys") {
    const name = excerpt(issue.keys[0]!);
    const kind = what === "query" ? "query parameter" : "member";
    return `Unknown ${kind}: ${path === "" ? name : `${path}.${name}`}`;
  }
  // The rules of keys, paths and scopes word whole sentences.
  if (issue.code === "custom" && issue.params?.whole === true) return issue.message;
  return `${path === "" ? `The ${what}` : path} ${issue.message}`;
}

/** For a check whose own message is already a whole sentence. */
export function wholeSentence(message: string) {
  return { code: "custom" as const, message, params: { whole: true } };
}
