import type { Child } from "../html/jsx-runtime.ts";
import type { HeaderEntries } from "../http/header-entries.ts";
import type { RequestUrl } from "../http/url.ts";
import type { Arrival } from "../journey/trip.ts";
import type { Role } from "../session/session.ts";
import type { Api, Problem } from "./api.ts";
import type { Fields } from "./forms.ts";
import type { Notice } from "./notice.ts";
import type { Visitor } from "./visitor.ts";

/** A request to the console, its URL and headers read. */
export type ConsoleArrival = Omit<Arrival, "url" | "entries"> & { url: RequestUrl; entries: HeaderEntries };

/** What a page's handler is given. */
export interface Visit {
  arrival: ConsoleArrival;
  /** When the request arrived, in ms. */
  now: number;
  /** Scheme and host the person sees: `https://gateway.example.com`. */
  origin: string;
  /** Parameters of the page's path, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Fields of a POST, once the checks against cross-site posts hold; empty on GET. */
  form: Fields;
  /** The API, as the person signed in. */
  api: Api;
  visitor: Visitor;
}

/** A visit to a page that is open to anybody. */
export type OpenVisit = Omit<Visit, "visitor" | "api"> & { visitor: Visitor | null };

/** A page to show. */
export interface Shown {
  title: string;
  body: Child;
  /** Default 200. */
  status?: number;
}

/** Somewhere else to go, by GET: the end of every POST that changed something. */
export interface Redirect {
  to: string;
  /** Shown once, at the top of the next page. Never a secret. */
  notice?: Notice;
}

/** How a handler answers. A `Response` goes out as it is, with the console's headers added. */
export type Reply = Shown | Redirect | Problem | Response;

/** Who may see a page: anybody, whoever is signed in, admins, or people of an account in one of these roles. */
export type PageAudience = "anybody" | "signed_in" | "admin" | readonly Role[];

interface Definition<V> {
  method: "GET" | "POST";
  /** Segments in braces are parameters: `/console/settings/api-keys/{id}`. */
  path: string;
  /**
   * How a POST's body comes: fields (the default); fields with a file; or a stream that the handler reads
   * from `arrival.request.body` itself, with the form token in the header `x-postern-form`.
   */
  body?: "fields" | "file" | "stream";
  handle(visit: V): Promise<Reply> | Reply;
}

/** One page of the console, or one thing that a form of it does. */
export interface Page extends Definition<Visit> {
  audience: PageAudience;
}

/** A page for people signed in, with this role. */
export function page(audience: Exclude<PageAudience, "anybody">, definition: Definition<Visit>): Page {
  return { ...definition, audience };
}

/** A page for anybody. */
export function openPage(definition: Definition<OpenVisit>): Page {
  return { ...definition, audience: "anybody" } as unknown as Page;
}
