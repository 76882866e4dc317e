import type { Child } from "../../html/jsx-runtime.ts";
import { sameJson } from "../../json.ts";
import { When } from "../components.tsx";

/** One member that a change touched, in words. */
interface MemberChange {
  name: string;
  before: string | null;
  after: string | null;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as people write it. */
function inWords(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  if (typeof value === "number") return String(value);
  return JSON.stringify(value);
}

/** What differs between two states of a record. Null on one side: the record began, or ended. */
export function changesBetween(before: unknown, after: unknown): MemberChange[] {
  const old = isRecord(before) ? before : {};
  const now = isRecord(after) ? after : {};
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((name) => !sameJson(old[name], now[name]))
    .map((name) => ({
      name: name.replaceAll("_", " "),
      before: before === null ? null : inWords(old[name]),
      after: after === null ? null : inWords(now[name]),
    }))
    .filter((change) => (change.before ?? "none") !== "none" || (change.after ?? "none") !== "none");
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

const shown = (text: string): Child => (INSTANT.test(text) ? <When at={text} /> : text);

/** Changes that are shown at once; more are folded away. */
const AT_ONCE = 2;

/** What a change changed: `name: old → new`. */
export function Changes({ before, after, label }: { before: unknown; after: unknown; label: string }) {
  const changes = changesBetween(before, after);
  if (changes.length === 0) return <span class="quiet">Nothing more</span>;
  const list = (
    <dl class="changes">
      {changes.map((change) => (
        <div>
          <dt>{change.name}</dt>
          <dd>
            {change.before !== null && <del>{shown(change.before)}</del>}
            {change.before !== null && change.after !== null && <span aria-hidden="true"> → </span>}
            {change.after !== null && <ins>{shown(change.after)}</ins>}
          </dd>
        </div>
      ))}
    </dl>
  );
  if (changes.length <= AT_ONCE) return list;
  const what =
    before === null ? "What was set" : after === null ? "What it was" : `${changes.length} changes`;
  return (
    <details>
      <summary>
        {what}
        <span class="unseen"> {label}</span>
      </summary>
      {list}
    </details>
  );
}
