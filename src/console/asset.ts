import { createHash } from "node:crypto";

/** A file of the console's own: its text, and the URL that names this version of it. */
export interface Asset {
  url: string;
  type: string;
  text: string;
}

/** Makes an asset. Its URL changes with its text, so that browsers may keep it for ever. */
export function asset(path: string, type: string, text: string): Asset {
  const version = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { url: `${path}?v=${version}`, type, text };
}

/** The answer to a request for an asset, under whatever version. */
export function assetResponse({ type, text, url }: Asset, query: string): Response {
  const current = url.endsWith(`?${query}`);
  return new Response(text, {
    headers: {
      "content-type": type,
      "cache-control": current ? "public, max-age=31536000, immutable" : "no-cache",
    },
  });
}
