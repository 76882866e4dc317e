import { randomBytes } from "node:crypto";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../harness/gateway.ts";
import type { Answer, Call } from "../harness/http.ts";
import { type Claims, createSessions, type Sessions } from "../harness/sessions.ts";

/** A gateway whose console takes local sign-in links, and whoever signs them. */
export interface ConsoleWorld {
  gateway: TestGateway;
  sessions: Sessions;
  /** The sign-in link of somebody in an account, by default its owner. */
  link(account: string | string[], role?: string | string[], more?: Claims): Promise<string>;
  /** Somebody signed in, without a browser. */
  signIn(account: string | string[], role?: string | string[], more?: Claims): Promise<Person>;
  stop(): Promise<void>;
}

export async function startConsole(options: TestGatewayOptions = {}): Promise<ConsoleWorld> {
  const sessions = await createSessions();
  const gateway = await startTestGateway({
    ...options,
    vars: { ...sessions.vars, LOCAL_SIGN_IN: "on", ...options.vars },
    secrets: { SESSION_SECRETS: newSecrets("a"), ...options.secrets },
  });
  const link: ConsoleWorld["link"] = async (account_id, role = "owner", more = {}) =>
    `${gateway.url}/console/sign-in/local?token=${await sessions.sign({ account_id, role, ...more })}`;
  return {
    gateway,
    sessions,
    link,
    async signIn(...who) {
      const person = new Person(gateway);
      const { pathname, search } = new URL(await link(...who));
      await person.get(pathname + search);
      return person;
    },
    stop: () => gateway.stop(),
  };
}

/** SESSION_SECRETS with a new secret under each letter. */
export function newSecrets(...letters: string[]): string {
  return JSON.stringify(
    Object.fromEntries(letters.map((letter) => [letter, randomBytes(36).toString("base64url")])),
  );
}

/** Somebody at the console, as far as a browser without scripts goes: cookies, forms, redirects not followed. */
export class Person {
  readonly cookies = new Map<string, string>();
  readonly #gateway: TestGateway;
  /** The page last seen: its forms' hidden fields are posted from it. */
  #page = "";

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(path, { headers });
  }

  /** Posts a form as a browser does from the page last seen; its hidden fields are sent unless `fields` names them. */
  post(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { formToken, account } = this.hidden();
    const hidden = { form_token: formToken, ...(account !== "" && { form_account: account }) };
    return this.send(path, {
      method: "POST",
      body: new URLSearchParams({ ...hidden, ...fields }).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin: this.#gateway.url,
        "sec-fetch-site": "same-origin",
        ...headers,
      },
    });
  }

  /** The hidden fields that every form of the page last seen carries. */
  hidden(): { formToken: string; account: string } {
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(this.#page)?.[1] ?? "";
    return { formToken: value("form_token"), account: value("form_account") };
  }

  /** Sends a request with the cookies, and keeps those that come back. */
  async send(path: string, call: Call): Promise<Answer> {
    const cookie = this.cookies.size === 0 ? {} : { cookie: this.cookie };
    const headers = { ...cookie, ...(call.headers as Record<string, string>) };
    const answer = await this.#gateway.call(path, { ...call, headers });
    for (const one of setCookies(answer)) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(one)!;
      if (value === "") this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    if (answer.headers["content-type"]?.startsWith("text/html")) this.#page = answer.text;
    return answer;
  }
}

/** The `Set-Cookie` headers of an answer; none of our cookies holds a comma. */
export const setCookies = ({ headers }: Answer): string[] =>
  headers["set-cookie"] === undefined ? [] : headers["set-cookie"].split(/,\s*/);
