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

/** What a form ends in: the button that sends it, and where Cancel leads. */
export function FormButtons({
  label,
  kind = "primary",
  cancel,
}: {
  label: string;
  kind?: "primary" | "danger" | "danger solid";
  cancel?: string;
}) {
  return (
    <div class="buttons">
      <button class={`button ${kind}`} type="submit">
        {label}
      </button>
      {cancel !== undefined && <ButtonLink href={cancel}>Cancel</ButtonLink>}
    </div>
  );
}

/** A label with its input. The input (any child) must have `id` = `name` of the field; hint and error are tied to it by `describedBy(name, …)`. */
export function Field({
  name,
  label,
  hint,
  error,
  children,
}: {
  name: string;
  label: Child;
  hint?: Child;
  error?: string | undefined;
  children: Child;
}) {
  return (
    <div class={error === undefined ? "field" : "field wrong"}>
      <label for={name}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** `aria-describedby` for an input inside `<Field>`. */
export function describedBy(
  name: string,
  { hint, error }: { hint?: unknown; error?: unknown },
): string | undefined {
  const ids = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean);
  return ids.length === 0 ? undefined : ids.join(" ");
}

/** A choice of one, each option with a sentence: radio buttons as cards. */
export function Choice({
  legend,
  name,
  options,
  value,
}: {
  legend: Child;
  name: string;
  options: readonly { value: string; label: Child; hint?: Child; disabled?: boolean }[];
  value: string;
}) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((option) => {
        const id = `${name}-${option.value}`;
        return (
          <div class="option">
            <input
              type="radio"
              id={id}
              name={name}
              value={option.value}
              checked={option.value === value}
              disabled={option.disabled}
              aria-describedby={option.hint ? `${id}-hint` : undefined}
            />
            <label for={id}>{option.label}</label>
            {option.hint && (
              <p class="hint" id={`${id}-hint`}>
                {option.hint}
              </p>
            )}
          </div>
        );
      })}
    </fieldset>
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

/** A switch that posts: a button inside a form of its own. */
export function Toggle({
  on,
  label,
  name = "enabled",
  disabled,
}: {
  on: boolean;
  /** What it switches: `API key Deploy script`. */
  label: string;
  name?: string;
  disabled?: boolean;
}) {
  return (
    <button
      class="toggle"
      type="submit"
      role="switch"
      aria-checked={on ? "true" : "false"}
      aria-label={label}
      name={name}
      value={on ? "off" : "on"}
      disabled={disabled}
    >
      <span class="toggle-track" aria-hidden="true">
        <span class="toggle-knob" />
      </span>
      <span aria-hidden="true">{on ? "On" : "Off"}</span>
    </button>
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

/** The form above a list. A plain GET: its fields are the page's query. */
export function Filters({
  action,
  submit = "Apply",
  children,
}: {
  action: string;
  submit?: string | undefined;
  children: Child;
}) {
  return (
    <search>
      <form method="get" action={action} class="filters">
        {children}
        <button class="button" type="submit">
          {submit}
        </button>
      </form>
    </search>
  );
}

/** A select with its options. */
export function Select({
  name,
  value,
  options,
  ...rest
}: {
  name: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  id?: string;
  [attribute: `aria-${string}` | `data-${string}`]: string | undefined;
}) {
  return (
    <select id={rest.id ?? name} name={name} {...rest}>
      {options.map(([option, label]) => (
        <option value={option} selected={option === value}>
          {label}
        </option>
      ))}
    </select>
  );
}
