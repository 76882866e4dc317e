import type { Denial } from "../denial.ts";

/** The parameters of a query, each at most once. */
export function readQuery(search: URLSearchParams): { value: Record<string, string> } | Denial {
  const value: Record<string, string> = Object.create(null);
  for (const [name, text] of search) {
    if (name in value)
      return { code: "invalid_request", detail: `The query names ${name.slice(0, 100)} twice` };
    value[name] = text;
  }
  return { value: { ...value } };
}
