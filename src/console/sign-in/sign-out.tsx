import { addressOf } from "../../api/dispatch.ts";
import { carryOut } from "../../api/operator.ts";
import { changeWorldOf } from "../../freshness/change.ts";
import { SESSION_COOKIE } from "../../session/console-session.ts";
import { setCookie } from "../../session/cookies.ts";
import { issuerSignOut, oidcClient } from "../../session/oidc.ts";
import { identityOf } from "../../session/session.ts";
import { endSession } from "../../store/ended-sessions.ts";
import { Problem } from "../api.ts";
import { ButtonLink, PageHead } from "../components.tsx";
import { cookieJarOf } from "../origin.ts";
import { openPage, page } from "../page.ts";
import { goTo, show } from "../replies.tsx";

const SIGNED_OUT = "/console/signed-out";

/** Ends the session: in this browser, and wherever else its cookie may be. */
export const signOutPage = page("signed_in", {
  method: "POST",
  path: "/console/sign-out",
  async handle({ visitor: { cookie, session }, arrival, origin, now }) {
    const { env, context, isolate, requestId } = arrival;
    if (cookie !== null) {
      const world = changeWorldOf(env, isolate.config.LEDGER_SHARDS, context);
      const address = addressOf(arrival.request, isolate.config.CLIENT_IP_HEADER);
      const operator = { env, isolate, now, actor: identityOf(session), address, world };
      const deed = {
        action: "session.end",
        subject: session.subject,
        account_id: null,
        before: null,
        after: null,
      };
      const result = await carryOut(operator, deed, [endSession(cookie.sid, cookie.until, now)]);
      if (result === "unavailable") {
        console.error(JSON.stringify({ message: "database away", request_id: requestId }));
        return new Problem(
          503,
          "state_unavailable",
          "You are not signed out: the database cannot be reached",
        );
      }
    }
    return new Response(null, {
      status: 303,
      headers: {
        location: SIGNED_OUT,
        "set-cookie": setCookie(cookieJarOf(origin), SESSION_COOKIE, "", 0),
      },
    });
  },
});

/** Offers to sign out of the issuer too: a form's answer may not lead there, the policy says, but a link may. */
export const signedOutPage = openPage({
  method: "GET",
  path: SIGNED_OUT,
  async handle({ visitor, arrival, now }) {
    if (visitor !== null) return goTo("/console");
    const { config } = arrival.isolate;
    const client = oidcClient(config);
    const elsewhere = client && !Array.isArray(client) ? await issuerSignOut(config, client, now) : null;
    return show(
      "Signed out",
      <>
        <PageHead
          title="You are signed out"
          lead="The session has ended. Nobody can use the console with it any more."
        />
        <p class="actions">
          <ButtonLink href="/console/sign-in" kind="primary">
            Sign in again
          </ButtonLink>
          {elsewhere !== null && (
            <ButtonLink href={elsewhere}>Sign out of {new URL(elsewhere).host} too</ButtonLink>
          )}
        </p>
      </>,
    );
  },
});
