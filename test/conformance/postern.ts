import { execSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { startTestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { createSessions } from "../harness/sessions.ts";
import { privateJwk } from "../signing/keys.ts";

/** Longest wait for a change to be in force, or for what happened to be counted, in ms: promised are 2 and 15 s. */
const PATIENCE = 20_000;

/** Asks again until the answer is as expected. Unlike `expect.poll`, it can be used in tests side by side. */
export async function eventually<T>(ask: () => Promise<T>, expected: unknown): Promise<void> {
  for (const until = Date.now() + PATIENCE; ; await wait(100)) {
    const answer = await ask();
    try {
      expect(answer).toEqual(expected);
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a body by looking into it
  readonly json: any;
}

interface Request {
  headers?: Record<string, string>;
  body?: string | object | undefined;
}

export type Role = "owner" | "member" | "viewer";
type Session = (
  method: string,
  path: string,
  body?: object | string,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** A key as its creator sees it, once. */
export interface Created {
  id: string;
  key: string;
  name: string;
  prefix: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  [member: string]: any;
}

/** A gateway seen from outside: over HTTP, and nothing else. */
export interface Postern {
  url: string;
  /** Word that new keys begin with; null where the one who runs the suite did not say. */
  keyWord: string | null;
  /** What was sent to the origin; null where the origin is not ours to look into. */
  origin: Origin | null;
  /** Ids of endpoints of the account: two serverless ones, a GraphQL one, one with a test origin; another account's. */
  endpoints: { first: string; second: string; graphql: string; both: string; foreign: string };
  /** Where an inference API like RemoteGPU's is: `/v1/inference`, if nobody else is there. */
  inference: string;
  namespaces: { first: string; second: string; foreign: string };
  account: string;
  owner: Session;
  /** The owner of the other account. */
  other: Session;
  admin: Session;
  /**
   * Signs the owner in to the console as a browser does; gives the cookie. Null on a deployed gateway: it does
   * so at an identity provider.
   */
  signIn: (() => Promise<string>) | null;
  /** Reports keys that were found in public. Null on a deployed gateway: it believes GitHub alone. */
  report: ((tokens: string[]) => Promise<Answer>) | null;
  as(account: string, role: Role, email?: string): Session;
  call(method: string, path: string, request?: Request): Promise<Answer>;
  /** Calls with a key. */
  use(key: string, method: string, path: string, body?: object): Promise<Answer>;
  /** Status of a query, or of a mutation, with a key. */
  graphql(key: string, document: string): Promise<number>;
  /** What the account API shows of a key of the account. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  shown(id: string): Promise<any>;
  /** Creates a key in the account. */
  create(body: object, who?: Session): Promise<Created>;
  /** Imports a legacy key; gives its record's id. */
  importLegacy(secret: string, graphql: "read" | "read_write", more?: object): Promise<string>;
}

/** What is deployed, or null: then the suite starts a gateway of its own. */
const DEPLOYED = process.env.POSTERN_URL?.replace(/\/$/, "");

/** Where tokens come from: an access token for an account in a role. */
type Tokens = (subject: {
  account?: string;
  role?: Role;
  email?: string;
  admin?: boolean;
}) => Promise<string>;

/** The gateway of one file of the suite. docs/conformance.md tells what the environment variables mean. */
export function postern(vars: Record<string, string> = {}): Postern {
  const it = {} as Postern;
  let stop = async () => {};
  beforeAll(async () => {
    const { url, tokens, accounts, partnerKey, end } = DEPLOYED ? deployed(DEPLOYED) : await started(vars);
    const given = process.env.POSTERN_ORIGIN_URL;
    const origin = given === undefined ? await Origin.start() : null;
    stop = async () => {
      await tidy(it);
      await end();
      await origin?.stop();
    };
    Object.assign(it, { url, ...clientOf(url, tokens) });
    it.origin = origin;
    it.keyWord = DEPLOYED
      ? (process.env.POSTERN_KEY_PREFIX ?? null)
      : (vars.KEY_PREFIX ?? "pst").split(",")[0]!;
    await furnish(it, accounts, given ?? origin!.url);
    it.report = partnerKey && ((found) => report(it, found, partnerKey));
    it.signIn = DEPLOYED
      ? null
      : async () => {
          const token = await tokens({ account: it.account, role: "owner", email: OWNER });
          const { headers } = await it.call("GET", `/console/sign-in/local?token=${token}`);
          return headers
            .getSetCookie()
            .map((cookie) => cookie.split(";", 1)[0])
            .join("; ");
        };
  }, 60_000);
  afterAll(() => stop(), 30_000);
  return it;
}

function deployed(url: string) {
  const admin = process.env.POSTERN_ADMIN_TOKEN;
  const map: Record<string, string> = JSON.parse(process.env.POSTERN_SESSION_TOKENS ?? "{}");
  const command = process.env.POSTERN_SESSION_COMMAND;
  if (!admin) throw new Error("POSTERN_ADMIN_TOKEN is not set (see docs/conformance.md)");
  const named = Object.keys(map).filter((name) => !name.includes(":"));
  if (!command && named.length < 2) {
    throw new Error(
      "Set POSTERN_SESSION_COMMAND, or two accounts in POSTERN_SESSION_TOKENS (see docs/conformance.md)",
    );
  }
  const tokens: Tokens = async ({ account = "", role = "owner", email = "", admin: asAdmin }) => {
    if (asAdmin) return admin;
    const held = map[`${account}:${role}`] ?? (role === "owner" ? map[account] : undefined);
    if (held !== undefined) return held;
    if (!command) throw new Error(`There is no token for ${account}:${role} in POSTERN_SESSION_TOKENS`);
    const env = { ...process.env, POSTERN_ACCOUNT: account, POSTERN_ROLE: role, POSTERN_EMAIL: email };
    return execSync(command, { env, encoding: "utf8" }).trim();
  };
  const run = randomBytes(3).toString("hex");
  const accounts = command
    ? ([`conformance-${run}-a`, `conformance-${run}-b`] as const)
    : (named as [string, string]);
  return { url, tokens, accounts, partnerKey: null, end: async () => {} };
}

/** What secret scanners' reports are signed with (GitHub docs, "Secret scanning partner program"). */
const PARTNER = "conformance";

async function started(vars: Record<string, string>) {
  const sessions = await createSessions();
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const key = publicKey.export({ type: "spki", format: "pem" });
  const partner = await Origin.start();
  partner.on("/keys", ({ response }) =>
    response.end(JSON.stringify({ public_keys: [{ key_identifier: PARTNER, key, is_current: true }] })),
  );
  const gateway = await startTestGateway({
    vars: {
      ...sessions.vars,
      LEGACY_KEYS: "on",
      LOCAL_SIGN_IN: "on",
      PUBLIC_URL: "https://gateway.test",
      SECRET_SCANNING_KEYS_URL: `${partner.url}/keys`,
      ...vars,
    },
    secrets: {
      SESSION_SECRETS: JSON.stringify({ a: randomBytes(36).toString("base64url") }),
      SIGNING_KEYS: JSON.stringify({ keys: [await privateJwk("conformance")] }),
    },
  });
  const tokens: Tokens = async ({ account, role, email, admin }) => {
    const header = admin
      ? await sessions.admin()
      : await sessions.of(account ?? "", role ?? "owner", email === undefined ? {} : { email });
    return header.authorization!.slice("Bearer ".length);
  };
  const end = async () => {
    await partner.stop();
    await gateway.stop();
  };
  return { url: gateway.url, tokens, accounts: ["acme", "other"] as const, partnerKey: privateKey, end };
}

function report({ call }: Postern, tokens: string[], key: KeyObject): Promise<Answer> {
  const body = JSON.stringify(tokens.map((token) => ({ token, type: "postern_api_key", source: "content" })));
  const headers = {
    "content-type": "application/json",
    "github-public-key-identifier": PARTNER,
    "github-public-key-signature": sign("sha256", Buffer.from(body), key).toString("base64"),
  };
  return call("POST", "/webhooks/secret-scanning", { headers, body });
}

function clientOf(url: string, tokens: Tokens) {
  const call: Postern["call"] = async (method, path, { headers = {}, body } = {}) => {
    const isJson = typeof body === "object";
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: { ...(isJson && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  };
  const session = (subject: Parameters<Tokens>[0]): Session => {
    let token: Promise<string> | undefined;
    return async (method, path, body, headers = {}) => {
      token ??= tokens(subject);
      return call(method, path, { headers: { authorization: `Bearer ${await token}`, ...headers }, body });
    };
  };
  const use: Postern["use"] = (key, method, path, body) =>
    call(method, path, { headers: { "x-api-key": key }, body });
  return {
    call,
    use,
    admin: session({ admin: true }),
    as: (account: string, role: Role, email?: string) =>
      session({ account, role, ...(email !== undefined && { email }) }),
  };
}

/** Of the tokens that the cluster of every namespace accepts. */
export const AUDIENCE = "conformance";
const OWNER = "olga@conformance.test";

/** Makes the accounts, endpoints and namespaces that the suite needs, through the admin API. */
async function furnish(it: Postern, [account, other]: readonly [string, string], origin: string) {
  const run = randomBytes(3).toString("hex");
  const put = async (path: string, body: object) => {
    const answer = await it.admin("PUT", path, body);
    if (answer.status > 201) throw new Error(`PUT ${path} answered ${answer.status}: ${answer.text}`);
  };
  for (const id of [account, other]) {
    await put(`/admin/accounts/${id}`, {
      name: "Conformance suite",
      active_key_limit: 1000,
      suspended: false,
    });
  }
  it.account = account;
  it.owner = it.as(account, "owner", OWNER);
  it.other = it.as(other, "owner", "otto@conformance.test");
  it.endpoints = {
    first: `first-${run}`,
    second: `second-${run}`,
    graphql: `graphql-${run}`,
    both: `both-${run}`,
    foreign: `foreign-${run}`,
  };
  it.inference = DEPLOYED ? `/v1/inference-${run}` : "/v1/inference";
  const { first, second, graphql, both, foreign } = it.endpoints;
  const serverless = { api: "inference", protocol: "serverless", name: "Conformance suite", origin };
  const http = { ...serverless, protocol: "http" };
  await put(`/admin/endpoints/${first}`, { ...serverless, account_id: account });
  await put(`/admin/endpoints/${second}`, { ...serverless, account_id: account });
  await put(`/admin/endpoints/${foreign}`, { ...serverless, account_id: other });
  await put(`/admin/endpoints/${both}`, { ...http, account_id: account, test_origin: `${origin}/sandbox` });
  await put(`/admin/endpoints/inference-${run}`, { ...http, account_id: account, path: it.inference });
  const document = { api: "graphql", protocol: "graphql", name: "Conformance suite", origin };
  await put(`/admin/endpoints/${graphql}`, { ...document, account_id: account });

  it.namespaces = { first: randomUUID(), second: randomUUID(), foreign: randomUUID() };
  const cluster = { server: "https://kube.example.com", audience: AUDIENCE };
  for (const [name, id] of Object.entries(it.namespaces)) {
    const account_id = name === "foreign" ? other : account;
    await put(`/admin/namespaces/${id}`, { account_id, name, cluster });
  }

  it.graphql = async (key, query) => (await it.use(key, "POST", `/graphql/${graphql}`, { query })).status;
  it.shown = async (id) => (await it.owner("GET", `/v1/account/api-keys/${id}`)).json;
  it.create = async (body, who = it.owner) => {
    const answer = await who("POST", "/v1/account/api-keys", { name: "Conformance suite", ...body });
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
    return answer.json;
  };
  it.importLegacy = async (secret, graphql, more = {}) => {
    const line = { account_id: account, name: "Old key", key: secret, graphql, ...more };
    const type = { "content-type": "application/x-ndjson" };
    const answer = await it.admin("POST", "/admin/keys/import", JSON.stringify(line), type);
    const [result] = answer.text.split("\n");
    const { status, id } = JSON.parse(result!);
    expect(["created", "unchanged"]).toContain(status);
    return id;
  };
}

/** Revokes every key of an account. */
export async function revokeAll(who: Session): Promise<void> {
  for (let cursor = ""; ; ) {
    const { json } = await who("GET", `/v1/account/api-keys?limit=100${cursor}`);
    for (const { id, status } of json.data) {
      if (status !== "revoked") await who("POST", `/v1/account/api-keys/${id}/revoke`);
    }
    if (json.next_cursor === null) break;
    cursor = `&cursor=${json.next_cursor}`;
  }
}

/** Leaves a deployed gateway as it was, but for accounts, which keep their revoked keys. */
async function tidy(it: Postern): Promise<void> {
  if (!DEPLOYED || it.owner === undefined) return;
  await revokeAll(it.owner);
  await revokeAll(it.other);
  const run = it.endpoints.first.slice("first-".length);
  for (const id of [...Object.values(it.endpoints), `inference-${run}`])
    await it.admin("DELETE", `/admin/endpoints/${id}`);
  for (const id of Object.values(it.namespaces)) await it.admin("DELETE", `/admin/namespaces/${id}`);
}
