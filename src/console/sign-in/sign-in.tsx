import { search } from "../api.ts";
import { ButtonLink, Card, NoticeBox, PageHead } from "../components.tsx";
import { openPage } from "../page.ts";
import { goTo, show } from "../replies.tsx";
import { localPath } from "../return-to.ts";
import { waysIn } from "./ways-in.ts";

export const signInPage = openPage({
  method: "GET",
  path: "/console/sign-in",
  handle({ visitor, query, arrival, origin }) {
    const returnTo = localPath(query.get("return_to"));
    if (visitor !== null) return goTo(returnTo);
    const ways = waysIn(arrival.isolate.config, origin);
    return show(
      "Sign in",
      <>
        <PageHead title="Sign in" lead="Manage the API keys of your account." />
        <Card>
          {ways.oidc && (
            <p>
              <ButtonLink
                kind="primary"
                href={`/console/sign-in/start${search({ return_to: returnTo === "/console" ? null : returnTo })}`}
              >
                Sign in with {ways.oidc}
              </ButtonLink>
            </p>
          )}
          {ways.local && (
            <>
              <p>
                Open the sign-in link that the gateway printed in its terminal when it started: all of it, up
                to its last character.
              </p>
              <p>
                For a new one, run <code>npm run --silent token -- --account demo --admin</code> where the
                gateway was started, and open <code>{origin}/console/sign-in/local?token=</code> with what it
                prints appended. Another account, or a role in it, is for <code>--account</code> and{" "}
                <code>--role</code> to name.
              </p>
            </>
          )}
          {ways.access && (
            <p>Cloudflare Access signs you in before you get here. Reload this page to try again.</p>
          )}
          {!ways.any && (
            <NoticeBox kind="warning" title="Nobody can sign in here yet">
              Whoever runs this gateway must set up sign-in first: the variables OIDC_ISSUER and
              OIDC_CLIENT_ID and the secret SESSION_SECRETS, or Cloudflare Access.
            </NoticeBox>
          )}
        </Card>
      </>,
    );
  },
});
