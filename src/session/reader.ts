import type { JWTPayload } from "jose";
import type { Denial } from "../denial.ts";
import type { Config } from "../env.ts";

/**
 * One way to be signed in: the verified claims of the token a request carries that way, the denial if it
 * does not hold, or null if the request does not use it.
 */
export type Reader = (request: Request, config: Config) => Promise<JWTPayload | Denial | null>;

/** A way in that lacks a setting is no way in: refused, and the log says which setting. */
export function notConfigured(missing: readonly string[]): Denial {
  console.error(JSON.stringify({ message: "session refused: sign-in is not configured", missing }));
  return { code: "missing_access_token", reason: "not_configured" };
}
