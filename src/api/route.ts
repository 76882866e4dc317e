import type * as z from "zod/mini";
import type { Denial } from "../denial.ts";
import type { Role, Session } from "../session/session.ts";
import type { AccountRow } from "../store/accounts.ts";
import type { Operator } from "./operator.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a handler is given: the request, and all that was read of it and checked. */
export interface Call<P, Q, B> extends Operator {
  request: Request;
  requestId: string;
  context: Pick<ExecutionContext, "waitUntil">;
  params: P;
  query: Q;
  body: B;
}

/** A call by a signed-in admin. */
export interface AdminCall<P, Q, B> extends Call<P, Q, B> {
  session: Session;
}

/** A call for one account, by one of its people. */
export interface AccountCall<P, Q, B> extends Call<P, Q, B> {
  session: Session;
  account: AccountRow;
  role: Role;
}

/** One answer that a route gives. */
export interface Answer {
  description: string;
  /** Absent when there is no body. */
  schema?: z.ZodMiniType;
  /** Default `application/json`. */
  type?: string;
  /** Present wherever there is a body. */
  example?: unknown;
}

interface Definition<P, Q, B> {
  method: Method;
  /** Segments in braces are parameters: `/v1/account/api-keys/{id}`. */
  path: string;
  /** A few words, for the documentation's headline. */
  summary: string;
  description?: string;
  /** Chapter of the documentation. */
  tag: string;
  params?: z.ZodMiniType<P>;
  query?: z.ZodMiniType<Q>;
  /** Headers that the handler reads from the request itself: for the documentation. */
  headers?: z.ZodMiniType;
  /** Checks a JSON body. Without it, and without `raw`, a body must be empty or `{}`. */
  body?: z.ZodMiniType<B>;
  /** Whether no body at all is the same as `{}`. */
  bodyOptional?: boolean;
  bodyExample?: unknown;
  /** A body that the handler reads from the request itself. */
  raw?: {
    /** Media types it may have, the usual one first; any, where the sender is known by other means. */
    types: readonly string[];
    anyType?: boolean;
    /** What it, or each line of it, is: for the documentation. */
    schema: z.ZodMiniType;
  };
  answers: Record<number, Answer>;
  /** Codes of the denials particular to the route; the common ones are added to the documentation. */
  errors?: readonly Denial["code"][];
}

/** Who may call a route: anybody, an admin, or people of an account in one of these roles. */
export type Audience = "anybody" | "admin" | readonly Role[];

/**
 * What the documentation tells of a route. Those of the data plane's side are open to an API key, or to a
 * session as well; they are served by doors of their own.
 */
export interface Described extends Definition<unknown, unknown, unknown> {
  audience: Audience | "key" | "key_or_session";
}

/**
 * A management route, defined once: dispatch, validation, handler and the OpenAPI document all come from
 * here. Handlers are methods, so that routes of all shapes fit one list.
 */
export interface Route extends Described {
  audience: Audience;
  handle(call: Call<unknown, unknown, unknown>): Promise<Response | Denial>;
}

type Handler<C> = (call: C) => Promise<Response | Denial>;
type Defined<P, Q, B, C> = Definition<P, Q, B> & { handle: Handler<C> };

/** Everybody in an account may look. */
export const READERS: readonly Role[] = ["owner", "member", "viewer"];
/** Members make keys, and change those they made. */
export const KEY_MAKERS: readonly Role[] = ["owner", "member"];
/** The audit log shows what others did, which is not a member's to see. */
export const AUDITORS: readonly Role[] = ["owner", "viewer"];
export const OWNERS: readonly Role[] = ["owner"];

const erased = <P, Q, B, C>(audience: Audience, definition: Defined<P, Q, B, C>): Route =>
  ({ ...definition, audience }) as unknown as Route;

/** A route of the account API. */
export function accountRoute<P = unknown, Q = unknown, B = unknown>(
  roles: readonly Role[],
  definition: Defined<P, Q, B, AccountCall<P, Q, B>>,
): Route {
  return erased(roles, definition);
}

/** A route of the admin API. */
export function adminRoute<P = unknown, Q = unknown, B = unknown>(
  definition: Defined<P, Q, B, AdminCall<P, Q, B>>,
): Route {
  return erased("admin", definition);
}

/** A route without a session. */
export function publicRoute<P = unknown, Q = unknown, B = unknown>(
  definition: Defined<P, Q, B, Call<P, Q, B>>,
): Route {
  return erased("anybody", definition);
}
