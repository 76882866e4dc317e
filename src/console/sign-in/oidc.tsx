import { newSession, sessionCookie } from "../../session/console-session.ts";
import { type CookieJar, cookieName, readCookie, setCookie } from "../../session/cookies.ts";
import {
  beginSignIn,
  finishSignIn,
  type OidcClient,
  oidcClient,
  type PendingSignIn,
  SignInError,
} from "../../session/oidc.ts";
import { notConfigured } from "../../session/reader.ts";
import { signValue, verifyValue } from "../../session/signed.ts";
import { Problem } from "../api.ts";
import { ButtonLink, PageHead } from "../components.tsx";
import { cookieJarOf } from "../origin.ts";
import { type OpenVisit, openPage, type Reply } from "../page.ts";
import { show } from "../replies.tsx";
import { localPath } from "../return-to.ts";

const START = "/console/sign-in/start";
const CALLBACK = "/console/sign-in/callback";

/** Keeps what the callback is checked against. Overwritten by each start, gone once it has served. */
const COOKIE = "postern_sign_in";

/** How long somebody may take at the issuer; seconds. */
const PATIENCE = 600;

const useOf = ({ host }: CookieJar) => ({ purpose: "sign-in", host }) as const;

export const startPage = openPage({
  method: "GET",
  path: START,
  handle: (visit) =>
    withClient(visit, async (client) => {
      const { arrival, origin, query, now } = visit;
      const { config } = arrival.isolate;
      const wanted = { redirect_uri: origin + CALLBACK, return_to: localPath(query.get("return_to")) };
      const { location, pending } = await beginSignIn(config, client, wanted, now);
      const jar = cookieJarOf(origin);
      const value = await signValue(config.SESSION_SECRETS!, useOf(jar), { ...pending }, PATIENCE, now);
      return new Response(null, {
        status: 303,
        headers: { location, "set-cookie": setCookie(jar, COOKIE, value, PATIENCE) },
      });
    }),
});

export const callbackPage = openPage({
  method: "GET",
  path: CALLBACK,
  handle: (visit) =>
    withClient(visit, async (client) => {
      const { arrival, origin, query, now } = visit;
      const { config } = arrival.isolate;
      const jar = cookieJarOf(origin);
      const cookie = readCookie(arrival.request.headers, cookieName(jar, COOKIE));
      const read =
        cookie && (await verifyValue<PendingSignIn>(config.SESSION_SECRETS!, useOf(jar), cookie, now));
      if (!read) throw new SignInError("invalid", "no sign-in is pending in this browser");
      const pending = read.value;
      const claims = await finishSignIn(config, client, query, pending, now);
      const session = await sessionCookie(newSession(claims, config, now), config, jar, now);
      if (session === null) throw new SignInError("invalid", "the claims do not fit a cookie");
      const headers = new Headers({ location: localPath(pending.return_to) });
      headers.append("set-cookie", session);
      headers.append("set-cookie", setCookie(jar, COOKIE, "", 0));
      return new Response(null, { status: 303, headers });
    }),
});

/** Runs a step of the sign-in, where one is set up; what goes wrong becomes a page. */
async function withClient(visit: OpenVisit, step: (client: OidcClient) => Promise<Reply>): Promise<Reply> {
  const client = oidcClient(visit.arrival.isolate.config);
  if (client === null) return new Problem(404, "not_found", "Nothing is found under this address");
  if (Array.isArray(client)) {
    notConfigured(client);
    return new Problem(
      503,
      "not_configured",
      "Sign-in is not set up completely. The gateway's log names what is missing",
    );
  }
  try {
    return await step(client);
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    const { kind, reason } = error;
    const line = { message: "sign-in failed", request_id: visit.arrival.requestId, kind, reason };
    console.error(JSON.stringify(line));
    return failed(error, new URL(client.issuer).host);
  }
}

const STATUS = { unreachable: 503, refused: 403, invalid: 400 };

function failed({ kind, reason }: SignInError, issuer: string): Reply {
  const words = {
    unreachable: `${issuer} cannot be reached right now. Try again in a moment.`,
    refused:
      reason === "access_denied"
        ? `${issuer} did not let you in, or you cancelled.`
        : `${issuer} refused the sign-in: ${reason}.`,
    invalid:
      "What came back does not fit a sign-in begun in this browser. Perhaps it took longer than 10 minutes, or another tab began one too.",
  };
  const title = "You are not signed in";
  return show(
    title,
    <>
      <PageHead title={title} lead={words[kind]} />
      <p class="actions">
        <ButtonLink href={START} kind="primary">
          Try again
        </ButtonLink>
        <ButtonLink href="/console/sign-in">Back</ButtonLink>
      </p>
    </>,
    STATUS[kind],
  );
}
