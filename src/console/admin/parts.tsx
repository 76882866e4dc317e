import type { Child } from "hono/jsx";
import type { Api } from "../api.ts";
import { type ListOf, Problem, search } from "../api.ts";
import { describedBy, EmptyState, Field, NoticeBox, Pagination } from "../components.tsx";
import type { Reply } from "../page.ts";
import { goTo } from "../replies.tsx";
import type { FieldError } from "./field-errors.ts";
import type { AccountView } from "./records.ts";

/** Rows on a page of a list. */
export const PER_PAGE = 25;

/** What lies above an admin page. */
export const trail = (...above: { label: string; path?: string }[]) => [{ label: "Admin" }, ...above];

/** What is below a list for one record. Its page has a segment of its own, as an id may be `new` or `try`. */
export const recordPath = (list: string, id: string, part = "edit") =>
  `${list}/${encodeURIComponent(id)}/${part}`;

export const ACCOUNTS = "/console/admin/accounts";
export const ENDPOINTS = "/console/admin/endpoints";

/** Accounts offered while an id is typed; beyond, it is typed in full. */
const OFFERED = 100;

/** Ids and names of the first accounts, to choose from; none where they cannot be read. */
export async function accountChoices(api: Api): Promise<AccountView[]> {
  const accounts = await api.get<ListOf<AccountView>>("/admin/accounts", { limit: OFFERED });
  return accounts instanceof Problem ? [] : accounts.data;
}

/** What an input for an account's id suggests: `list="accounts"`. */
export function AccountOptions({ accounts }: { accounts: readonly AccountView[] }) {
  return (
    <datalist id="accounts">
      {accounts.map(({ id, name }) => (
        <option value={id}>{name}</option>
      ))}
    </datalist>
  );
}

/** What a row is about: its name, which may lead to it, and its id. */
export function NameCell({ name, id, href }: { name: string; id: string; href?: string }) {
  return (
    <div class="key-name">
      <div>
        {href === undefined ? name : <a href={href}>{name}</a>}
        <code>{id}</code>
      </div>
    </div>
  );
}

/** A labelled one-line text; its error is that of the refusal, if it is this field's. */
export function TextField({
  name,
  label,
  value,
  hint,
  error,
  type = "text",
  required,
  list,
  mono,
  placeholder,
  maxlength,
  min,
  max,
}: {
  name: string;
  label: Child;
  value: string;
  hint?: Child;
  error?: FieldError | null;
  type?: "text" | "email" | "number" | "url";
  required?: boolean;
  /** Id of a `<datalist>`. */
  list?: string;
  mono?: boolean;
  placeholder?: string;
  maxlength?: number;
  min?: number;
  max?: number;
}) {
  const message = error?.field === name ? error.message : undefined;
  return (
    <Field name={name} label={label} hint={hint} error={message}>
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        class={mono ? "mono" : undefined}
        required={required}
        list={list}
        placeholder={placeholder}
        maxlength={maxlength}
        min={min}
        max={max}
        autocomplete="off"
        autofocus={message !== undefined}
        aria-invalid={message === undefined ? undefined : "true"}
        aria-describedby={describedBy(name, { hint, error: message })}
      />
    </Field>
  );
}

/** A labelled text of several lines. */
export function LinesField({
  name,
  label,
  value,
  hint,
  error,
  rows = 4,
  placeholder,
  required,
}: {
  name: string;
  label: Child;
  value: string;
  hint?: Child;
  error?: FieldError | null;
  rows?: number;
  placeholder?: string;
  required?: boolean;
}) {
  const message = error?.field === name ? error.message : undefined;
  return (
    <Field name={name} label={label} hint={hint} error={message}>
      <textarea
        id={name}
        name={name}
        class="mono"
        rows={rows}
        placeholder={placeholder}
        required={required}
        autofocus={message !== undefined}
        aria-invalid={message === undefined ? undefined : "true"}
        aria-describedby={describedBy(name, { hint, error: message })}
      >
        {value}
      </textarea>
    </Field>
  );
}

/** A box to tick, with a sentence that says what it does. */
export function CheckField({
  name,
  label,
  hint,
  checked,
}: {
  name: string;
  label: Child;
  hint?: Child;
  checked: boolean;
}) {
  return (
    <div class="field">
      <div class="check">
        <input
          type="checkbox"
          id={name}
          name={name}
          value="on"
          checked={checked}
          aria-describedby={hint ? `${name}-hint` : undefined}
        />
        <label for={name}>{label}</label>
      </div>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What a form was refused for: at the top always, so that nobody has to look for it. */
export function Refusal({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <NoticeBox kind="error" title="Nothing was saved">
      {sentence(problem.detail)}
    </NoticeBox>
  );
}

/** A text of the API as a sentence. */
export const sentence = (text: string) =>
  `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** A list that may be empty, on any page of it, or may not have been read at all. */
export function Listing<R>({
  list,
  narrowed,
  empty,
  unmatched,
  children,
}: {
  list: ListOf<R> | Problem;
  /** Whether filters are set. */
  narrowed: boolean;
  /** What stands there before the first was made. */
  empty: Child;
  /** What to try when nothing fits the filters. */
  unmatched: string;
  children: (rows: readonly R[]) => Child;
}) {
  if (list instanceof Problem) return <NoticeBox kind="error">{sentence(list.detail)}</NoticeBox>;
  if (list.data.length > 0) return children(list.data);
  if (list.next_cursor !== null) {
    return <EmptyState title="None on this page">There may be more on the next.</EmptyState>;
  }
  return narrowed ? <EmptyState title="Nothing matches">{unmatched}</EmptyState> : empty;
}

/** First and next page of a list, with its filters kept. */
export function Pages({
  path,
  filters,
  cursor,
  list,
}: {
  path: string;
  filters: Record<string, string>;
  cursor: string | null;
  list: ListOf<unknown> | Problem;
}) {
  if (list instanceof Problem) return null;
  return (
    <Pagination
      first={cursor === null ? null : path + search(filters)}
      next={list.next_cursor && path + search({ ...filters, cursor: list.next_cursor })}
    />
  );
}

/**
 * Where a list's field for the id of one record leads: to the record's page. Null where nothing was asked for,
 * or there is no such record: then the list says so.
 */
export async function openOne(
  api: Api,
  id: string,
  { records, list }: { records: string; list: string },
): Promise<Reply | null> {
  if (id === "") return null;
  const found = await api.get<object>(`${records}/${encodeURIComponent(id)}`);
  if (!(found instanceof Problem)) return goTo(recordPath(list, id));
  return found.status === 404 ? null : found;
}

/** What a list holds when the one record that was asked for is not there. */
export const NONE: ListOf<never> = { data: [], next_cursor: null };

/** Filters of a list, as its URL has them. */
export function filtersOf<N extends string>(query: URLSearchParams, ...names: N[]): Record<N, string> {
  return Object.fromEntries(names.map((name) => [name, (query.get(name) ?? "").trim()])) as Record<N, string>;
}

export const isNarrowed = (filters: Record<string, string>) =>
  Object.values(filters).some((value) => value !== "");
