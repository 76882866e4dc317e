import { isDenial } from "../../denial.ts";
import { verifyBearer } from "../../session/bearer.ts";
import { newSession, sessionCookie } from "../../session/console-session.ts";
import { Problem } from "../api.ts";
import { cookieJarOf } from "../origin.ts";
import { openPage } from "../page.ts";
import { takesLocalLinks } from "./ways-in.ts";

/**
 * The link that `npm start` prints: a session token, exchanged for the cookie at once, so that it does not
 * stay in the address bar. Only where LOCAL_SIGN_IN is on, and on loopback.
 */
export const localSignInPage = openPage({
  method: "GET",
  path: "/console/sign-in/local",
  async handle({ arrival, query, origin, now }) {
    const { config } = arrival.isolate;
    if (!takesLocalLinks(config, origin))
      return new Problem(404, "not_found", "There is nothing under this address");
    const claims = await verifyBearer(query.get("token") ?? "", config);
    if (!("exp" in claims)) {
      return isDenial(claims) && claims.code === "state_unavailable"
        ? new Problem(503, claims.code, "Sign-in cannot be verified right now")
        : new Problem(
            401,
            "missing_access_token",
            "This sign-in link does not hold any more. Start the gateway again for a new one",
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
