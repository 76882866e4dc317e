import { SESSION_COOKIE } from "../../session/console-session.ts";
import { setCookie } from "../../session/cookies.ts";
import { issuerSignOut, oidcClient } from "../../session/oidc.ts";
import { ButtonLink, PageHead } from "../components.tsx";
import { cookieJarOf } from "../origin.ts";
import { openPage, page } from "../page.ts";
import { goTo, show } from "../replies.tsx";

const SIGNED_OUT = "/console/signed-out";

/** Ends the session in this browser. */
export const signOutPage = page("signed_in", {
  method: "POST",
  path: "/console/sign-out",
  handle: ({ origin }) =>
    new Response(null, {
      status: 303,
      headers: {
        location: SIGNED_OUT,
        "set-cookie": setCookie(cookieJarOf(origin), SESSION_COOKIE, "", 0),
      },
    }),
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
        <PageHead title="You are signed out" lead="Nobody can use the console from this browser any more." />
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
