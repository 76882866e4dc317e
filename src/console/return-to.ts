import { isDenial } from "../denial.ts";
import { decodedParts, readUrl } from "../http/url.ts";

const HOME = "/console";
const LONGEST = 1000;

/** Any host does: it is not looked at. */
const HERE = "https://console.invalid";

/**
 * Where a path that came from outside may lead: to a page of the console, else to its first. Sign-in is no
 * such page: there, a link could start something in somebody else's name.
 */
export function localPath(text: string | null): string {
  return text !== null && leadsInside(text) ? text : HOME;
}

function leadsInside(text: string): boolean {
  if (!/^\/console(?:[/?][\x21-\x5b\x5d-\x7e]*)?$/.test(text) || text.length >= LONGEST) return false;
  // The gateway's own reading refuses dot segments, however they are written; what a browser would make of
  // the text must be the text.
  const read = readUrl(HERE + text, null, []);
  if (isDenial(read)) return false;
  const { pathname, search } = new URL(text, HERE);
  const [first, second = ""] = decodedParts(read.segments);
  return pathname + search === text && first === "console" && !second.startsWith("sign-in");
}
