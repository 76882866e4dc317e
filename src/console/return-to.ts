/** Where a path that came from outside may lead: to a page of the console, else to its first. */
export function localPath(text: string | null): string {
  return text !== null && /^\/console(?:[/?][\x21-\x5b\x5d-\x7e]*)?$/.test(text) && text.length < 1000
    ? text
    : "/console";
}
