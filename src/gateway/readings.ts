import { decodedParts } from "../http/url.ts";

/**
 * Every way an origin may read a path: as sent, which comes first; decoded before it is split; without path
 * parameters, as servlet containers do (`/admin;x/`); with the empty segment that a trailing slash makes.
 */
export function readings(path: readonly string[], trailingSlash = false): (readonly string[])[] {
  const all: (readonly string[])[] = [path];
  if (path.some((segment) => segment.includes("%"))) all.push(decodedParts(path));
  for (const each of [...all]) {
    if (each.some((segment) => segment.includes(";")))
      all.push(each.map((segment) => segment.replace(/;.*$/, "")));
  }
  if (trailingSlash) all.push(...[...all].map((each) => [...each, ""]));
  return all;
}

/** How a segment is compared. */
export type Spelling = (segment: string) => string;

const exactly: Spelling = (segment) => segment;
/** Without regard to case, as Express and IIS route by default; without dots and spaces at the end, as Windows does. */
const loosely: Spelling = (segment) =>
  segment
    .toUpperCase()
    .toLowerCase()
    .replace(/(?<![. ])[. ]+$/, ""); // looking behind keeps a long run of them from being tried from each

/** As it is, or as servers do that forgive. */
export const SPELLINGS: readonly Spelling[] = [exactly, loosely];
