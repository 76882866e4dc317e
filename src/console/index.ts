/*
 * The console: pages for people. How to add one:
 *
 * 1. A page is a value: `page(audience, { method, path, handle })`, in a file of its own, listed in the
 *    `index.ts` of its folder (keys/, usage/, admin/) and in `navigation.ts` if it belongs there. `audience` is
 *    "signed_in", "admin", or roles of the account (READERS, KEY_MAKERS, AUDITORS, OWNERS of api/route.ts).
 *    The door has checked it before `handle` runs. Whoever is not signed in was sent to sign in.
 *
 * 2. `handle(visit)` is given `params`, `query`, `form`, `now`, `visitor` (session, account, role) and `api`.
 *    The API is the only way to data: it runs the management routes in process, as this person, with their
 *    role checks, validation, texts and audit log. A page repeats none of that.
 *
 *        const keys = await visit.api.get<ListOf<KeyView>>("/v1/account/api-keys", { limit: 25, cursor });
 *        if (keys instanceof Problem) return keys; // an error page, with the API's own words and status
 *        const made = await visit.api.call<NewKey>("POST", "/v1/account/api-keys", { body, keyId });
 *
 *    A form that was refused is shown again instead: its fields as sent, `problem.detail` in a
 *    `<NoticeBox kind="error">`, and `problem.status`.
 *
 * 3. It answers `show(title, <jsx/>)`, `done(path, "It worked")`, `goTo(path, notice?)`, a `Problem`, or a
 *    `Response` (a file to download). Layout, policy, cookies and errors are the door's work.
 *    A POST that changed something ends in `done`, so that reloading does not repeat it. The exception is a
 *    new key, shown once as the answer to its POST: put `keyNonce()` in the form's field `nonce`, and pass
 *    `keyId: keyIdOf(config, visitor, nonce)`; sent again, the API answers 409 and makes nothing.
 *
 * 4. Forms are `<Form visitor={visitor} action="…">`: it posts, and adds the token against cross-site posts and
 *    the account that the page showed, so that two tabs on two accounts do not mix. By then the door has
 *    checked both. Read fields with `form.text("name")` (trimmed, "" if absent), `form.all(…)`, `form.has(…)`,
 *    `form.file(…)`. A list's filters are a plain GET form (`<Filters>`), its pages links (`<Pagination>`).
 *
 * 5. What cannot be undone asks first: `<Form confirm="Revoke …?" yes="Revoke key">` asks in a dialog; the
 *    handler begins with `if (!isConfirmed(visit)) return confirmation(visit, { … })` for those without
 *    scripts. Same fields, one more page.
 *
 * 6. Everything works without scripts. No inline script, style or `on…` attribute gets past the policy: style
 *    by class (console.css), improve by the `data-` attributes that console.js lists.
 *    `npm run assets` puts both into the Worker.
 *
 * 7. Secrets are in no URL, no notice and no redirect. Times are RFC 3339 from the API: `<When at={…} />`.
 */

import { matchRoute } from "../api/match.ts";
import type { Denial } from "../denial.ts";
import { isDenial, problemOf } from "../denial.ts";
import type { RequestUrl } from "../http/url.ts";
import { rayOf } from "../journey/trip.ts";
import { sessionCookie } from "../session/console-session.ts";
import type { CookieJar } from "../session/cookies.ts";
import { isTransient } from "../store/retry.ts";
import { Api, Problem, search } from "./api.ts";
import { assetResponse } from "./asset.ts";
import { SCRIPT, STYLE } from "./assets.ts";
import { ACCOUNT_FIELD, Fields, isOwnPost, readForm, sameToken, TOKEN_FIELD } from "./forms.ts";
import { couldVisit, mayVisit } from "./navigation.ts";
import { noticeCookie, readNotice } from "./notice.ts";
import { cookieJarOf, type Whereabouts, whereaboutsOf } from "./origin.ts";
import type { ConsoleArrival, Page, Reply, Visit } from "./page.ts";
import { PAGES } from "./pages.ts";
import { withPolicy } from "./policy.ts";
import { render } from "./render.tsx";
import { problemPage } from "./replies.tsx";
import { chosenAccount, findVisitor, type Visitor } from "./visitor.ts";

/** What is known of a visit so far, for its answer and its log line. */
interface Progress {
  route: string | null;
  visitor: Visitor | null;
  reason: string | null;
}

/** Answers everything at and below `/console`. */
export async function handleConsole(arrival: ConsoleArrival): Promise<Response> {
  const { request, requestId, url, isolate } = arrival;
  const path = `/${url.segments.join("/")}`;
  const where = whereaboutsOf(url, isolate.config);
  const origin = where !== "plain_http" && "origin" in where ? where.origin : null;
  const file = [STYLE, SCRIPT].find((one) => one.url.startsWith(`${path}?`));
  if (file !== undefined && (request.method === "GET" || request.method === "HEAD")) {
    return withPolicy(bodyFor(request, assetResponse(file, url.query)), origin, requestId);
  }

  const now = Date.now();
  const progress: Progress = { route: null, visitor: null, reason: null };
  let reply: Reply;
  if (origin === null) reply = unserved(arrival, where);
  else reply = await attempt(arrival, () => serve(arrival, origin, now, progress));
  const response = await answer(arrival, origin, now, progress, reply);
  writeLine(arrival, progress, response.status);
  return withPolicy(bodyFor(request, response), origin, requestId);
}

/** What is said where no page can be shown. A form that came by plain http was read on the way: it is not sent on. */
function unserved({ request: { method }, url }: ConsoleArrival, where: Whereabouts): Reply {
  if (where !== "plain_http" && "elsewhere" in where && (method === "GET" || method === "HEAD")) {
    return new Response(null, { status: 308, headers: { location: where.elsewhere + pathOf(url) } });
  }
  return new Problem(403, "forbidden", "The console is served over https only");
}

const pathOf = ({ segments, query }: RequestUrl) =>
  `/${segments.join("/")}${query === "" ? "" : `?${query}`}`;

/** A handler's reply; a page that says so where the database is away, or something is wrong in here. */
async function attempt({ requestId }: ConsoleArrival, serve: () => Promise<Reply>): Promise<Reply> {
  try {
    return await serve();
  } catch (error) {
    const transient = isTransient(error);
    const message = transient ? "database away" : "unexpected exception";
    const stack = error instanceof Error ? error.stack : undefined;
    console.error(JSON.stringify({ message, request_id: requestId, error: String(error), stack }));
    return transient
      ? new Problem(503, "state_unavailable", "The database cannot be reached right now")
      : new Problem(500, "internal_error", "The page could not be made");
  }
}

/** Visitor, page, form, account, role, handler: each step ends the visit with a reply, or hands on. */
async function serve(
  arrival: ConsoleArrival,
  origin: string,
  now: number,
  progress: Progress,
): Promise<Reply> {
  const { request, env, url, requestId } = arrival;
  const found = await findVisitor(arrival, cookieJarOf(origin), now);
  if (found !== null && isDenial(found)) return problemOfDenial(found, requestId);
  let visitor = found;
  progress.visitor = visitor;

  const matched = matchRoute(PAGES, request.method, url.segments);
  const target = matched !== null && "route" in matched ? matched.route : null;
  progress.route = target?.path ?? null;
  if (visitor === null && target?.audience !== "anybody") return toSignIn(arrival);
  if (matched === null) return new Problem(404, "not_found", "Nothing is found under this address");
  if (!("route" in matched)) {
    return new Problem(405, "method_not_allowed", "This address does not take that", matched.allow);
  }

  const { route, params } = matched;
  let form = new Fields();
  if (request.method === "POST") {
    // Before the body is read: the account that a form names may be another, but one of theirs.
    if (!couldVisit(route.audience, visitor))
      return new Problem(403, "forbidden", notAllowed(route, visitor!));
    const posted = await readPost(request, route, origin, visitor);
    if (posted instanceof Problem) return posted;
    form = posted;
    const account = form.text(ACCOUNT_FIELD);
    if (visitor !== null && account !== "" && account !== visitor.account?.id) {
      const chosen = await chosenAccount(env.DB, visitor.session, account);
      if (chosen.account?.id !== account) {
        return new Problem(
          403,
          "forbidden",
          "You are no longer a member of the account this form was made for",
        );
      }
      visitor = { ...visitor, ...chosen };
      progress.visitor = visitor;
    }
  }
  if (!mayVisit(route.audience, visitor)) return new Problem(403, "forbidden", notAllowed(route, visitor!));

  const visit = {
    arrival,
    now,
    origin,
    params,
    query: new URLSearchParams(url.query),
    form,
    visitor,
  };
  const api =
    visitor && new Api(arrival, { session: visitor.session, account_id: visitor.account?.id ?? null });
  // A page for anybody has no use for the API, and its type says so.
  return route.handle({ ...visit, api } as Visit);
}

const problemOfDenial = (denial: Denial, requestId: string) => {
  const { status, detail, error } = problemOf(denial, requestId);
  return new Problem(status, error.code, detail);
};

/** To the sign-in page and back; but a form's fields would be lost on the way. */
function toSignIn({ request, url }: ConsoleArrival): Reply {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Problem(401, "missing_access_token", "Your session has ended. Nothing was changed");
  }
  const path = pathOf(url);
  return { to: `/console/sign-in${search({ return_to: path === "/console" ? null : path })}` };
}

/** A posted form, once it is certain that a page of ours, shown to this session, sent it. */
async function readPost(
  request: Request,
  { body = "fields" }: Page,
  origin: string,
  visitor: Visitor | null,
): Promise<Fields | Problem> {
  const foreign = new Problem(
    403,
    "forbidden",
    "This form did not come from a page of this console. Open the page again",
  );
  if (!isOwnPost(request.headers, origin)) return foreign;
  const form = body === "stream" ? new Fields() : await readForm(request, body);
  if (form instanceof Problem) return form;
  const token = body === "stream" ? (request.headers.get("x-postern-form") ?? "") : form.text(TOKEN_FIELD);
  return visitor === null || visitor.formTokens.some((one) => sameToken(token, one)) ? form : foreign;
}

function notAllowed({ audience }: Page, { account, role }: Visitor): string {
  if (audience === "admin") return "This needs the admin role";
  if (account === null || role === null) return "You are not a member of any account";
  return `Your role in the account ${account.name} is ${role}, which does not allow this`;
}

/** The response to a reply, with the cookies that go with it. */
async function answer(
  { request, requestId, url, isolate: { config } }: ConsoleArrival,
  origin: string | null,
  now: number,
  progress: Progress,
  reply: Reply,
): Promise<Response> {
  const { visitor } = progress;
  const jar: CookieJar | null = origin === null ? null : cookieJarOf(origin);
  const cookies: (string | null)[] = [];
  let response: Response;
  if (reply instanceof Response) response = new Response(reply.body, reply);
  else if ("to" in reply) {
    response = new Response(null, { status: 303, headers: { location: asHeader(reply.to) } });
    if (jar && reply.notice) cookies.push(await noticeCookie(config, jar, reply.notice, now));
  } else {
    if (reply instanceof Problem) progress.reason = reply.code;
    const brought = jar && (await readNotice(request.headers, config, jar, now));
    if (brought) cookies.push(brought.clear);
    response = await render(reply instanceof Problem ? problemPage(reply, requestId) : reply, {
      path: `/${url.segments.join("/")}`,
      visitor,
      notice: brought?.notice ?? null,
    });
  }
  if (reply instanceof Problem && reply.allow) response.headers.set("allow", reply.allow.join(", "));
  // A response that sets the session itself ends or begins one.
  if (jar && visitor?.cookie?.due && !response.headers.has("set-cookie")) {
    cookies.push(await sessionCookie(visitor.cookie, config, jar, now));
  }
  for (const cookie of cookies) if (cookie !== null) response.headers.append("set-cookie", cookie);
  return response;
}

/** A path as a header can hold it, whatever is in it: by now, what was to be done is done. */
const asHeader = (path: string) => path.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);

const bodyFor = ({ method }: Request, response: Response) =>
  method === "HEAD" ? new Response(null, response) : response;

function writeLine(
  { request, requestId, isolate }: ConsoleArrival,
  progress: Progress,
  status: number,
): void {
  if (!isolate.config.REQUEST_LOG) return;
  const { route, visitor, reason } = progress;
  const { method, headers } = request;
  const account_id = visitor?.account?.id ?? null;
  const line = { request_id: requestId, ray: rayOf(headers), method, route, account_id, status, reason };
  console.log(JSON.stringify(line));
}
