import type { Denial } from "../denial.ts";
import type { ChangeResult } from "../freshness/change.ts";

/** How often a change is made anew on top of somebody else's. */
const ATTEMPTS = 5;

/** One try: what it came to, or `again` because a row changed since it was read. */
export type Attempt<T> = T | Denial | "again";

/**
 * Read, decide, write, and once more from the start if somebody else wrote in between: whole-row writes
 * name the version they were made from, so nobody's change is lost.
 */
export async function attempting<T>(attempt: () => Promise<Attempt<T>>): Promise<T | Denial> {
  for (let tries = 0; tries < ATTEMPTS; tries += 1) {
    const result = await attempt();
    if (result !== "again") return result;
  }
  return { code: "conflict", detail: "Somebody else is changing this at the same time" };
}

const UNAVAILABLE: Denial = {
  code: "state_unavailable",
  detail: "The change could not be confirmed. It is safe to read the state and try again",
};

/**
 * What to do with a change's result: go on with `committed`, find out why it was `refused` (the default is
 * that a row has changed), or say that it is unknown.
 */
export async function settled<T>(
  result: ChangeResult,
  committed: T,
  refused: () => Promise<Attempt<T>> | Attempt<T> = () => "again",
): Promise<Attempt<T>> {
  if (result === "committed") return committed;
  return result === "refused" ? refused() : UNAVAILABLE;
}
