import type { Caller } from "../api/dispatch.ts";
import { handleManagement } from "../api/index.ts";
import type { ConsoleArrival } from "./page.ts";

/** A request that did not succeed, in words for people: the status and detail the API answered. */
export class Problem {
  readonly status: number;
  /** The API's code, `active_key_limit_reached`. */
  readonly code: string;
  /** One sentence. */
  readonly detail: string;
  /** Methods that the address takes, where the status is 405. */
  readonly allow: readonly string[] | undefined;

  constructor(status: number, code: string, detail: string, allow?: readonly string[]) {
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.allow = allow;
  }
}

/** A page of a list, as the API answers it. */
export interface ListOf<T> {
  data: T[];
  next_cursor: string | null;
}

type Query = Record<string, string | number | undefined | null>;

/** What else a call may say. */
export interface CallOptions {
  /** Members that are undefined, null or empty are left out. */
  query?: Query;
  body?: object;
  /** See `Caller.keyId`: makes a repeated POST of one form harmless. */
  keyId?: string;
}

/**
 * The management API as its first client sees it: the same routes, in process. Role, validation, texts and
 * the audit log are the routes' own; a page adds none of its own.
 */
export class Api {
  readonly #arrival: ConsoleArrival;
  readonly #caller: Caller;

  constructor(arrival: ConsoleArrival, caller: Caller) {
    this.#arrival = arrival;
    this.#caller = caller;
  }

  get<T>(path: string, query?: Query): Promise<T | Problem> {
    return this.call<T>("GET", path, query === undefined ? {} : { query });
  }

  /** Calls a route. Answers the body (undefined when there is none), or the problem. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T | Problem> {
    const { query = {}, body, keyId } = options;
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await this.#send(method, path + search(query), headers, init, keyId);
    if (response.status === 204) return undefined as T;
    const answer = await response.json<{ detail?: string; error?: { code: string } }>();
    if (response.ok) return answer as T;
    return new Problem(response.status, answer.error?.code ?? "", answer.detail ?? "");
  }

  /** Calls a route with a streamed body, and hands its answer over as it is. */
  stream(path: string, type: string, body: ReadableStream): Promise<Response> {
    return this.#send("POST", path, { "content-type": type }, { body }, undefined);
  }

  #send(method: string, path: string, headers: Record<string, string>, init: RequestInit, keyId?: string) {
    const { request: from, env, context, isolate, requestId, url } = this.#arrival;
    const kept = [isolate.config.CLIENT_IP_HEADER, "cf-ray"].flatMap((name) => {
      const value = name === undefined ? null : from.headers.get(name);
      return name === undefined || value === null ? [] : [[name, value]];
    });
    const request = new Request(`${url.scheme}://${url.host}${path}`, {
      ...init,
      method,
      headers: { ...headers, ...Object.fromEntries(kept) },
    });
    return handleManagement(request, env, context, isolate, requestId, { ...this.#caller, keyId });
  }
}

/** A query for a link or a call; what is undefined, null or empty is left out. */
export function search(query: Query): string {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}
