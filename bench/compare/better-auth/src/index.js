// JavaScript, so that the type check of Postern does not need better-auth installed.
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";

const build = (env) =>
  betterAuth({
    database: env.DB,
    secret: env.AUTH_SECRET,
    baseURL: "http://127.0.0.1",
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    secondaryStorage: {
      get: (name) => env.KEYS.get(name),
      set: (name, value) => env.KEYS.put(name, value),
      delete: (name) => env.KEYS.delete(name),
    },
    plugins: [
      apiKey({
        // Its fastest setting: KV first, the database only where KV has nothing.
        storage: "secondary-storage",
        fallbackToDatabase: true,
        rateLimit: { enabled: false },
      }),
    ],
  });

let auth;

/** better-auth's API-key plugin as its documentation sets it up, in front of the same origin. */
export default {
  async fetch(request, env) {
    auth ??= build(env);
    const { pathname, search } = new URL(request.url);
    if (pathname === "/set-up") {
      const { runMigrations } = await getMigrations(auth.options);
      await runMigrations();
      const { user } = await auth.api.signUpEmail({
        body: { name: "Bench", email: "bench@example.com", password: crypto.randomUUID() },
      });
      const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: "bench" } });
      return new Response(key);
    }
    const key = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    const { valid } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) return Response.json({ error: "invalid_api_key" }, { status: 401 });
    const upstream = new Request(env.ORIGIN + pathname + search, request);
    upstream.headers.delete("authorization");
    return fetch(upstream, { redirect: "manual" });
  },
};
