import * as z from "zod/mini";

/**
 * Words for what a schema refuses, made to follow the member's name: "must be a string". Messages that
 * schemas of our own give are kept, since zod asks this map only where they gave none.
 */
export function words(issue: z.core.$ZodRawIssue): string | undefined {
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

/** Refuses what a transform or a check was given. What it returns is for a transform to return. */
export function refuse(
  context: z.core.ParsePayload,
  issue: { message: string; params?: Record<string, unknown> },
) {
  context.issues.push({ code: "custom", input: context.value, ...issue });
  return z.NEVER;
}

/** A check: what does not hold is refused with these words. */
export const must =
  <T>(holds: (value: T) => boolean, message: string) =>
  (context: z.core.ParsePayload<T>): void => {
    if (!holds(context.value)) refuse(context, { message });
  };
