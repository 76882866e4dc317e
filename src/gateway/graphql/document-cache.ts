import { type JudgedDocument, judgeDocument } from "./document.ts";
import type { Refused } from "./result.ts";

const MAX_CACHED_DOCUMENTS = 200;
/** UTF-16 units; with the count above at most some 3 MB of an isolate's 128 MB. */
const MAX_CACHED_LENGTH = 8 * 1024;

const cache = new Map<string, JudgedDocument>();

/**
 * `judgeDocument`, remembered for the documents used most recently: clients send the same few over and over.
 *
 * Safe to share between keys and accounts: the judgement depends on nothing but the text, the text is the
 * cache key in full, and a Worker's clock stands still while it computes, so a hit cannot be timed.
 * A document may hold literals its author would rather not see kept; it stays in memory alone, and only until
 * 200 others came by or the isolate ends. Refusals are not remembered.
 */
export function judgeDocumentCached(text: string): JudgedDocument | Refused {
  if (text.length > MAX_CACHED_LENGTH) return judgeDocument(text);
  const known = cache.get(text);
  if (known !== undefined) {
    // A Map keeps insertion order: moved to the end, the first is always the least recently used.
    cache.delete(text);
    cache.set(text, known);
    return known;
  }
  const judged = judgeDocument(text);
  if (judged.kind === "document") {
    cache.set(text, judged);
    if (cache.size > MAX_CACHED_DOCUMENTS) cache.delete(cache.keys().next().value as string);
  }
  return judged;
}
