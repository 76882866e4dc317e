import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

/** Claims of a person, by the login they type. */
export type People = Record<string, Record<string, unknown>>;

/** A real OpenID provider on loopback, whose login page asks for a name and nothing else. */
export interface Issuer {
  url: string;
  clientId: string;
  clientSecret: string;
  /** Requests it was sent, as `METHOD /path`. */
  requests: string[];
  /** Opens for a console at this URL: until then, everything is 503. */
  open(consoleUrl: string): Promise<void>;
  /** Whether every request is answered 503. */
  down: boolean;
  stop(): Promise<void>;
}

const CLIENT = { id: "postern-console", secret: "not a secret, only for tests, 32 characters" };

export async function startIssuer(people: People): Promise<Issuer> {
  let serve: http.RequestListener | null = null;
  const server = http.createServer((request, response) => {
    issuer.requests.push(`${request.method} ${request.url}`);
    if (serve === null || issuer.down) response.writeHead(503).end();
    else serve(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: Issuer = {
    url,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    requests: [],
    down: false,
    async open(consoleUrl) {
      const provider = await createProvider(url, consoleUrl, people);
      const callback = provider.callback();
      serve = (request, response) => {
        if (request.url?.startsWith("/interaction/")) void interact(provider, people, request, response);
        else callback(request, response);
      };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return issuer;
}

async function createProvider(url: string, consoleUrl: string, people: People): Promise<Provider> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const provider = new Provider(url, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${consoleUrl}/console/sign-in/callback`],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "issuer", alg: "RS256", use: "sig" }] },
    cookies: { keys: ["only for tests"], names: { session: "issuer_session" } },
    claims: { openid: ["sub", "account_id", "role"], email: ["email", "email_verified"], profile: ["name"] },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    async loadExistingGrant({
      oidc,
    }: {
      oidc: { session: { accountId: string }; client: { clientId: string } };
    }) {
      const { accountId } = oidc.session;
      const grant = new provider.Grant({ accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  return provider;
}

const PAGE = `<!doctype html><html lang="en"><title>Issuer</title><h1>Who are you?</h1>
<form method="post"><label for="login">Login</label> <input id="login" name="login">
<button name="do" value="in">Continue</button> <button name="do" value="cancel">Cancel</button></form>`;

/** The login page, and what it posts. */
async function interact(
  provider: Provider,
  people: People,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(PAGE);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const login = form.get("login") ?? "";
  const known = form.get("do") === "in" && Object.hasOwn(people, login);
  const result = known ? { login: { accountId: login } } : { error: "access_denied" };
  await provider.interactionFinished(request, response, result);
}

/**
 * What a browser does at the issuer, from where the console sends it to the address it comes back to: follows
 * redirects, keeps cookies, and types the login.
 */
export async function passIssuer(issuer: Issuer, location: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const send = async (url: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      cookies.set(name!, value!);
    }
    return response;
  };
  let url = location;
  for (let steps = 0; steps < 10; steps += 1) {
    if (!url.startsWith(issuer.url)) return new URL(url);
    let response = await send(url);
    if (response.status === 200) {
      response = await send(url, { method: "POST", body: new URLSearchParams({ login, do: "in" }) });
    }
    url = new URL(response.headers.get("location")!, url).href;
  }
  throw new Error("the issuer goes round in circles");
}
