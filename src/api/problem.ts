import type * as z from "zod/mini";
import { excerpt } from "../keys/scope-parts.ts";
import { words } from "../refusal.ts";

/** What a value is to its sender. */
export type What = "path" | "query" | "body" | "line";

/** Checks a value; a refusal is one sentence that names the member. */
export function check<T>(
  schema: z.ZodMiniType<T>,
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
