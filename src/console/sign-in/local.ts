import { isDenial } from "../../denial.ts";
import { verifyBearer } from "../../session/bearer.ts";
import { newSession, sessionCookie } from "../../session/console-session.ts";
import { Problem } from "../api.ts";
import { cookieJarOf } from "../origin.ts";
import { openPage } from "../page.ts";
import { takesLocalLinks } from "./ways-in.ts";

/**
 * Whether a browser says that nobody else's page opened this, and that it fills a whole tab. What is no browser
 * does not name the site (Node's `fetch` names a mode all the same).
 */
function isOpenedByHand(headers: Headers): boolean {
  const said = (name: string) => headers.get(`sec-fetch-${name}`);
  const site = said("site");
  if (site === null) return true;
  return (
    (site === "none" || site === "same-origin") && said("mode") === "navigate" && said("dest") === "document"
  );
}

/**
 * The link that `npm start` prints: a session token, exchanged for the cookie at once, so that it does not
 * stay in the address bar. Only where LOCAL_SIGN_IN is on, and on loopback. Another page cannot open it: it
 * would sign somebody in as somebody else.
 */
export const localSignInPage = openPage({
  method: "GET",
  path: "/console/sign-in/local",
  async handle({ arrival, query, origin, now }) {
    const { config } = arrival.isolate;
    if (!takesLocalLinks(config, origin))
      return new Problem(404, "not_found", "There is nothing under this address");
    if (!isOpenedByHand(arrival.request.headers)) {
      return new Problem(403, "forbidden", "Another page led here. Open the link from the terminal yourself");
    }
    const claims = await verifyBearer(query.get("token") ?? "", config);
    if (!("exp" in claims)) {
      return isDenial(claims) && claims.code === "state_unavailable"
        ? new Problem(503, claims.code, "Sign-in cannot be verified right now")
        : new Problem(
            401,
            "missing_access_token",
            "This sign-in link is cut short, or its time is over. Copy the whole link from the terminal; the sign-in page says how to get a new one",
          );
    }
    const jar = cookieJarOf(origin);
    const session = newSession(claims, config, now, claims.exp! * 1000);
    const cookie = await sessionCookie(session, config, jar, now);
    if (cookie === null)
      return new Problem(400, "invalid_request", "The token says more than a session can hold");
    return new Response(null, {
      status: 303,
      headers: { location: "/console", "set-cookie": cookie, "referrer-policy": "no-referrer" },
    });
  },
});
