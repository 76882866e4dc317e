import type { JWTPayload } from "jose";
import type { Config } from "../env.ts";
import type { Denial } from "../denial.ts";

/**
 * One way to be signed in: the verified claims of the token a request carries that way, the denial if it
 * does not hold, or null if the request does not use it.
 */
export type Reader = (request: Request, config: Config) => Promise<JWTPayload | Denial | null>;

/** Builds something once for a configuration, which lives as long as the isolate. */
export function oncePerConfig<T>(build: (config: Config) => T): (config: Config) => T {
  const built = new WeakMap<Config, { value: T }>();
  return (config) => {
    let kept = built.get(config);
    if (kept === undefined) {
      kept = { value: build(config) };
      built.set(config, kept);
    }
    return kept.value;
  };
}

/** A way in that lacks a setting is no way in: refused, and the log says which setting. */
export function notConfigured(missing: readonly string[]): Denial {
  console.error(JSON.stringify({ message: "session refused: sign-in is not configured", missing }));
  return { code: "missing_access_token", reason: "not_configured" };
}
