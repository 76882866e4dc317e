import { Hono } from "hono";

interface Bindings {
  KEYS: KVNamespace;
  ORIGIN: string;
}

interface Key {
  enabled: boolean;
  expires_at: number | null;
  access: "read" | "read_write";
}

const hex = (bytes: ArrayBuffer) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The usual gateway in front of an API: one look-up in KV for each request. */
const app = new Hono<{ Bindings: Bindings }>();

app.all("*", async (c) => {
  const presented = c.req.header("authorization")?.replace(/^Bearer /, "") ?? "";
  const hash = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(presented)));
  const key = await c.env.KEYS.get<Key>(`key:${hash}`, "json");
  if (key === null || !key.enabled || (key.expires_at !== null && key.expires_at < Date.now())) {
    return c.json({ error: "invalid_api_key" }, 401);
  }
  if (c.req.method !== "GET" && key.access !== "read_write") return c.json({ error: "forbidden" }, 403);
  const { pathname, search } = new URL(c.req.url);
  const request = new Request(c.env.ORIGIN + pathname + search, c.req.raw);
  request.headers.delete("authorization");
  return fetch(request, { redirect: "manual" });
});

export default app;
