import { setCookie } from "../session/cookies.ts";
import { Problem } from "./api.ts";
import { Card, PageHead } from "./components.tsx";
import { navigationOf } from "./navigation.ts";
import { cookieJarOf } from "./origin.ts";
import { type Page, page } from "./page.ts";
import { goTo, show } from "./replies.tsx";
import { localPath } from "./return-to.ts";
import { ACCOUNT_COOKIE } from "./visitor.ts";

const YEAR = 365 * 24 * 3600;

const home = page("signed_in", {
  method: "GET",
  path: "/console",
  handle({ visitor }) {
    const [first] = navigationOf(visitor).flatMap(({ items }) => items);
    if (first !== undefined) return goTo(first.path);
    const [named] = visitor.session.memberships;
    return show(
      "No account yet",
      <>
        <PageHead
          title="No account yet"
          lead={`You are signed in as ${visitor.identity}, but ${
            named === undefined
              ? "nobody has given this address access to an account"
              : `there is no account ${named.account_id}`
          }.`}
        />
        <Card title="What to do">
          <p>
            Ask whoever runs this gateway to {named === undefined ? "add you as a member" : "make it"}. Then
            open this page again.
          </p>
        </Card>
      </>,
    );
  },
});

const settings = page("signed_in", {
  method: "GET",
  path: "/console/settings",
  handle: () => goTo("/console"),
});

const chooseAccount = page("signed_in", {
  method: "POST",
  path: "/console/account",
  handle({ form, visitor, origin }) {
    const account = form.text("account");
    if (!visitor.session.memberships.some(({ account_id }) => account_id === account)) {
      return new Problem(403, "forbidden", "You are not a member of this account");
    }
    return new Response(null, {
      status: 303,
      headers: {
        location: localPath(form.text("from")),
        "set-cookie": setCookie(cookieJarOf(origin), ACCOUNT_COOKIE, account, YEAR),
      },
    });
  },
});

export const homePages: readonly Page[] = [home, settings, chooseAccount];
