import type { Problem } from "../api.ts";

/** Where in a form a refusal belongs, and what it says there. */
export interface FieldError {
  field: string;
  message: string;
}

/**
 * The field that a refusal of the API is about: its texts begin with the member's path (`origin must be …`,
 * `cors.origins[0] must be …`, `operations[2].path …`).
 * @param fields which field shows which member; the longest member that fits counts
 * @param phrases beginnings of texts that name no member (`Unknown account`), and their fields
 * @returns null where the text is about the record as a whole
 */
export function fieldError(
  problem: Problem | null,
  fields: Readonly<Record<string, string>>,
  phrases: Readonly<Record<string, string>> = {},
): FieldError | null {
  if (problem === null) return null;
  const { detail } = problem;
  const phrase = Object.keys(phrases).find((beginning) => detail.startsWith(beginning));
  if (phrase !== undefined) return { field: phrases[phrase]!, message: detail };
  const path = detail.split(" ", 1)[0]!;
  const member = Object.keys(fields)
    .filter((name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`))
    .sort((one, other) => other.length - one.length)[0];
  if (member === undefined) return null;
  return { field: fields[member]!, message: inWords(detail, path, member) };
}

/** `origin must be a URL` is `Must be a URL` at the field; a list's entry is named by its line, from 1. */
function inWords(detail: string, path: string, member: string): string {
  const rest = detail.slice(path.length + 1);
  const entry = /^\[(\d+)\]/.exec(path.slice(member.length))?.[1];
  if (entry === undefined) return `${rest[0]?.toUpperCase() ?? ""}${rest.slice(1)}`;
  const inside = path
    .slice(member.length)
    .replace(/^\[\d+\]\.?/, "")
    .replaceAll("_", " ");
  return `Line ${Number(entry) + 1}: ${inside === "" ? "" : `${inside} `}${rest}`;
}
