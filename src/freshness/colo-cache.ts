import { within } from "../store/retry.ts";

/** A cache of its own, which no `fetch` ever reads from. */
const CACHE = "postern";
/** A name for entries to be kept under; nothing is ever asked of this host. */
const HOST = "https://postern.invalid/";
/** How long an entry may stay, in seconds: its age says nothing, its number does. */
const MAX_AGE = 7 * 24 * 3600;
/** Longest wait before KV is asked, in ms. */
const PATIENCE = 250;

/**
 * Cloudflare's own cache in the location where a request arrived: shared by its isolates, and not billed.
 * It may lose anything at any time, or hold it for long after it changed; both are harmless.
 */
export async function coloGet(name: string): Promise<string | null> {
  try {
    const cache = await caches.open(CACHE);
    const found = await within(cache.match(HOST + encodeURIComponent(name)), PATIENCE);
    return found === undefined ? null : await found.text();
  } catch {
    return null;
  }
}

export async function coloPut(name: string, text: string): Promise<void> {
  const cache = await caches.open(CACHE);
  const entry = new Response(text, { headers: { "cache-control": `max-age=${MAX_AGE}` } });
  await cache.put(HOST + encodeURIComponent(name), entry);
}
