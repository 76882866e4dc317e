import type { Child } from "../../html/jsx-runtime.ts";
import { type Api, type ListOf, Problem, search } from "../api.ts";
import { EmptyState, NoticeBox, Pagination } from "../components.tsx";
import type { Reply } from "../page.ts";
import { goTo } from "../replies.tsx";
import { sentence } from "./fields.tsx";
import { recordPath } from "./paths.ts";

/** Rows on a page of a list. */
export const PER_PAGE = 25;

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
