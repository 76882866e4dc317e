import type { Child } from "../html/jsx-runtime.ts";
import type { Notice } from "./notice.ts";

/** A box that says something. Errors and warnings are announced by screen readers. */
export function NoticeBox({
  kind,
  title,
  children,
}: {
  kind: Notice["kind"];
  title?: string;
  children: Child;
}) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
      {title !== undefined && <strong>{title}</strong>}
      <p>{children}</p>
    </div>
  );
}

/** The top of a page: its one h1, a sentence, and what can be done here. */
export function PageHead({
  title,
  lead,
  trail,
  children,
}: {
  title: string;
  lead?: Child;
  /** What lies above: Settings / API keys. Without a path it is no link. */
  trail?: readonly { label: string; path?: string }[];
  /** Buttons. */
  children?: Child;
}) {
  return (
    <div class="head">
      {trail !== undefined && (
        <nav aria-label="Breadcrumb" class="trail">
          <ol>
            {trail.map(({ label, path }) => (
              <li>{path === undefined ? label : <a href={path}>{label}</a>}</li>
            ))}
          </ol>
        </nav>
      )}
      <div class="head-row">
        <h1>{title}</h1>
        {children && <div class="actions">{children}</div>}
      </div>
      {lead && <p class="lead">{lead}</p>}
    </div>
  );
}

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

/** A word or two in a pill. The text must say it all: colour is only for those who see it. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: Child }) {
  return <span class={tone === "plain" ? "badge" : `badge ${tone}`}>{children}</span>;
}

/** A link that looks like a button. `kind`: `primary`, `danger`, `quiet`. */
export function ButtonLink({
  href,
  kind,
  small,
  label,
  children,
}: {
  href: string;
  kind?: "primary" | "danger" | "quiet";
  small?: boolean;
  /** What a screen reader says, where the text alone is not enough ("Edit" of which key?). */
  label?: string;
  children: Child;
}) {
  return (
    <a class={["button", kind, small && "small"].filter(Boolean).join(" ")} href={href} aria-label={label}>
      {children}
    </a>
  );
}

export interface Column<R> {
  label: string;
  cell: (row: R) => Child;
  /** The column that names the row; one of them. */
  heading?: boolean;
  /** Numbers align right. */
  number?: boolean;
}

/** A table; on a phone, each row is a card whose cells are labelled. */
export function DataTable<R>({
  caption,
  columns,
  rows,
}: {
  /** For screen readers: what the table lists. */
  caption: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
}) {
  return (
    <table class="data">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ label, number }) => (
            <th scope="col" class={number ? "number" : undefined}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map(({ label, cell, heading, number }) => {
              const shared = { "data-label": label, class: number ? "number" : undefined };
              return heading ? (
                <th scope="row" {...shared}>
                  {cell(row)}
                </th>
              ) : (
                <td {...shared}>{cell(row)}</td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Links below a list that comes in pages. */
export function Pagination({ first, next }: { first: string | null; next: string | null }) {
  if (first === null && next === null) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {first !== null && (
        <a class="button" href={first}>
          First page
        </a>
      )}
      {next !== null && (
        <a class="button" href={next} rel="next">
          Next page
        </a>
      )}
    </nav>
  );
}

/** What stands where a list would, had it anything in it. */
export function EmptyState({ title, children, action }: { title: string; children?: Child; action?: Child }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <p>{action}</p>}
    </div>
  );
}

const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** A moment, in UTC; `empty` where there is none. */
export function When({ at, empty = "Never", date }: { at: string | null; empty?: string; date?: boolean }) {
  if (at === null) return <span class="quiet">{empty}</span>;
  const moment = new Date(at);
  return (
    <time datetime={at} title={at}>
      {DATE.format(moment)}
      {!date && <span class="quiet"> {TIME.format(moment)} UTC</span>}
    </time>
  );
}

/** Text to take along, in a box that can be scrolled by keyboard, with a button that copies it. */
export function CopyBox({
  id,
  label,
  value,
  lines,
}: {
  id: string;
  label: string;
  value: string;
  lines?: boolean;
}) {
  return (
    <div class={lines ? "copy lines" : "copy"}>
      <pre id={id} tabindex={0}>
        {value}
      </pre>
      <button class="button" type="button" data-copy={`#${id}`} aria-label={`Copy ${label}`} hidden>
        Copy
      </button>
    </div>
  );
}

/** Names and values. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: Child])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A titled part of a page. */
export function Card({ title, children }: { title?: string; children: Child }) {
  return (
    <section class="card">
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}
