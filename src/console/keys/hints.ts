import type { KeyView } from "../../keys/view.ts";
import { count } from "./words.ts";

const DAY = 24 * 3_600_000;

/** Ages at which a key is due, in days: for rotation, for a second look, for a successor. */
const OLD = 90;
const UNUSED = 30;
const EXPIRES_WITHIN = 7;

/** Something a key's owner should look at. */
export interface Hint {
  kind: "old" | "unused" | "expiring";
  text: string;
}

/**
 * What an active key is due for. One that was never used counts as unused from the day it was made.
 * @param now ms
 */
export function dueHints(
  key: Pick<KeyView, "status" | "created_at" | "last_used_at" | "expires_at">,
  now: number,
): Hint[] {
  if (key.status !== "active") return [];
  const hints: Hint[] = [];
  const left = key.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(key.expires_at) - now;
  if (left <= EXPIRES_WITHIN * DAY) {
    const text = left < DAY ? "Expires within a day" : `Expires in ${count(Math.floor(left / DAY), "day")}`;
    hints.push({ kind: "expiring", text });
  }
  if (now - Date.parse(key.created_at) > OLD * DAY) {
    hints.push({ kind: "old", text: `Older than ${OLD} days` });
  }
  if (now - Date.parse(key.last_used_at ?? key.created_at) > UNUSED * DAY) {
    hints.push({ kind: "unused", text: `Unused for ${UNUSED} days` });
  }
  return hints;
}
