import type { Denial } from "../denial.ts";

/** A request's headers, read out once: names in lower case, repeated ones joined. */
export type HeaderEntries = readonly (readonly [name: string, value: string])[];

/** Limits of spec 2: headers of a request, and their bytes in all. */
const MAX_HEADERS = 128;
const MAX_HEADER_BYTES = 32 * 1024;

/** Reads the headers out, unless there are too many. */
export function headerEntries(headers: Headers): HeaderEntries | Denial {
  const entries: [string, string][] = [];
  let bytes = 0;
  headers.forEach((value, name) => {
    entries.push([name, value]);
    bytes += name.length + value.length + 4; // ": " and CRLF
  });
  return entries.length > MAX_HEADERS || bytes > MAX_HEADER_BYTES ? { code: "headers_too_large" } : entries;
}

/** Where a single header can be looked up: `Headers`, or what was read out of them. */
export type HeaderLookup = Pick<Headers, "get">;

/** Looks headers up in what was read out of them: the platform takes far longer to answer for each. */
export function lookupIn(entries: HeaderEntries): HeaderLookup {
  return {
    get(name) {
      for (const entry of entries) if (entry[0] === name) return entry[1];
      return null;
    },
  };
}
