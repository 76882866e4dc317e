import { randomBytes, randomUUID } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

/** A request that came, as the witness of what a deployment did. */
export interface Recorded {
  method: string;
  /** Path under /client/v4, with the query. */
  path: string;
  body: string;
  status: number;
}

interface Version {
  id: string;
  /** Name to text; what the version inherits from the one before is spelled out. */
  secrets: Record<string, string>;
  /** The main module as uploaded. */
  code: string;
  metadata: Record<string, unknown>;
}

interface Answer {
  status?: number;
  result?: unknown;
  errors?: { code: number; message: string }[];
  /** Instead of the usual envelope. */
  raw?: string;
}

const refused = (status: number, code: number, message: string): Answer => ({
  status,
  errors: [{ code, message }],
});

/**
 * A stand-in for the part of Cloudflare's API that wrangler uses to deploy Postern, on loopback. It keeps state
 * as Cloudflare does, with SQLite for D1, and refuses what it does not know.
 */
export class CloudflareApi {
  readonly account = { id: randomBytes(16).toString("hex"), name: "An account" };
  readonly token = randomBytes(20).toString("hex");
  readonly namespaces: { id: string; title: string }[] = [];
  readonly databases: { uuid: string; name: string; sqlite: DatabaseSync }[] = [];
  readonly versions: Version[] = [];
  /** Host names that lead to the Worker. */
  domains: string[] = [];
  readonly requests: Recorded[] = [];
  /** Answers the requests it matches with a server error, until it is taken away. */
  failing: ((request: { method: string; path: string }) => boolean) | undefined;
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    for (const { sqlite } of this.databases) sqlite.close();
  }

  /** Takes the recorded requests out. */
  take(): Recorded[] {
    return this.requests.splice(0);
  }

  /** What wrangler needs to know to come here. */
  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: this.token,
    };
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = (request.url ?? "").replace("/client/v4", "");
    const method = request.method ?? "GET";
    let answer: Answer;
    try {
      if (request.headers.authorization !== `Bearer ${this.token}`) {
        answer = refused(401, 10000, "Authentication error");
      } else if (this.failing?.({ method, path })) {
        answer = refused(500, 10013, "An unknown error has occurred");
      } else {
        answer = await this.#answer(method, path, body, request.headers["content-type"] ?? "");
      }
    } catch (error) {
      answer = refused(500, 10001, String(error));
    }
    const { status = 200, result = null, errors = [], raw } = answer;
    this.requests.push({ method, path, body: body.toString("latin1"), status });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(
      raw ?? JSON.stringify({ success: errors.length === 0, errors, messages: [], result, result_info: {} }),
    );
  }

  async #answer(method: string, path: string, body: Buffer, type: string): Promise<Answer> {
    const url = new URL(path, "http://api");
    const json = () => JSON.parse(body.toString("utf8"));
    if (url.pathname === "/memberships") return { result: [{ id: "m", account: this.account }] };
    if (url.pathname === "/accounts") return { result: [this.account] };
    const prefix = `/accounts/${this.account.id}`;
    if (!url.pathname.startsWith(prefix)) return refused(404, 7003, `No route for ${path}`);
    const page = Number(url.searchParams.get("page") ?? 1);
    const rest = url.pathname.slice(prefix.length);
    const route = `${method} ${rest}`;

    if (route === "GET /storage/kv/namespaces") return { result: page === 1 ? this.namespaces : [] };
    if (route === "POST /storage/kv/namespaces") {
      const { title } = json();
      if (this.namespaces.some((namespace) => namespace.title === title)) {
        return refused(400, 10014, "a namespace with this account ID and title already exists");
      }
      const namespace = { id: randomBytes(16).toString("hex"), title };
      this.namespaces.push(namespace);
      return { result: namespace };
    }

    const shown = ({ uuid, name }: { uuid: string; name: string }) => ({ uuid, name, version: "production" });
    if (route === "GET /d1/database") return { result: page === 1 ? this.databases.map(shown) : [] };
    if (route === "POST /d1/database") {
      const { name } = json();
      if (this.databases.some((database) => database.name === name)) {
        return refused(400, 7502, `Database with name '${name}' already exists`);
      }
      const database = { uuid: randomUUID(), name, sqlite: new DatabaseSync(":memory:") };
      this.databases.push(database);
      return { result: shown(database) };
    }
    const [, uuid, query] = /^\/d1\/database\/([^/]+)(\/query)?$/.exec(rest) ?? [];
    if (uuid !== undefined) {
      const database = this.databases.find((each) => each.uuid === uuid);
      if (database === undefined) return refused(404, 7404, "The database could not be found");
      if (query === undefined) return { result: shown(database) };
      try {
        return { result: runSql(database.sqlite, json().sql) };
      } catch (error) {
        return refused(400, 7500, `${(error as Error).message}: SQLITE_ERROR`);
      }
    }

    return this.#worker(method, rest, body, type);
  }

  async #worker(method: string, rest: string, body: Buffer, type: string): Promise<Answer> {
    const [, name, tail = ""] = /^\/workers\/(?:scripts|services|workers)\/([^/]+)(\/.*)?$/.exec(rest) ?? [];
    if (name === undefined) return refused(404, 7003, `No route for ${method} ${rest}`);
    const current = this.versions.at(-1);
    if (method === "PUT" && tail === "") {
      const version = await uploaded(body, type, current);
      if (typeof version === "string") return refused(400, 10057, version);
      this.versions.push(version);
      return {
        result: { id: name, tag: "tag", etag: version.id, deployment_id: version.id, startup_time_ms: 1 },
      };
    }
    if (current === undefined) return refused(404, 10007, "This Worker does not exist on your account.");
    if (`${method} ${tail}` === "POST /domains/changeset") {
      return { result: { added: [], removed: [], updated: [], conflicting: [] } };
    }
    if (`${method} ${tail}` === "POST /subdomain") return { result: JSON.parse(body.toString("utf8")) };
    if (`${method} ${tail}` === "PUT /domains/records") {
      const { origins } = JSON.parse(body.toString("utf8")) as { origins: { hostname: string }[] };
      this.domains = origins.map(({ hostname }) => hostname);
      return { result: origins };
    }
    if (method !== "GET") return refused(404, 7003, `No route for ${method} ${rest}`);
    switch (tail) {
      case "":
        return {
          result: {
            id: name,
            name,
            subdomain: { enabled: false, previews_enabled: false },
            default_environment: { environment: "production", script: { tag: "tag" } },
          },
        };
      case "/secrets":
        return {
          result: Object.keys(current.secrets).map((secret) => ({ name: secret, type: "secret_text" })),
        };
      case "/deployments":
        return {
          result: {
            deployments: [
              {
                id: randomUUID(),
                source: "wrangler",
                strategy: "percentage",
                author_email: "a@example.com",
                created_on: new Date().toISOString(),
                versions: [{ version_id: current.id, percentage: 100 }],
              },
            ],
          },
        };
      case "/subdomain":
        return { result: { enabled: false, previews_enabled: false } };
      default:
        return refused(404, 7003, `No route for ${method} ${rest}`);
    }
  }
}

/** What an upload makes: its own secrets, and those it inherits. A text where Cloudflare would refuse it. */
async function uploaded(body: Buffer, type: string, before: Version | undefined): Promise<Version | string> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const metadata = JSON.parse(await textOf(form.get("metadata")));
  const secrets: Record<string, string> = {};
  const kept: string[] = metadata.keep_bindings ?? [];
  if (kept.includes("secret_text")) Object.assign(secrets, before?.secrets);
  for (const binding of metadata.bindings as { type: string; name: string; text: string }[]) {
    if (binding.type === "secret_text") secrets[binding.name] = binding.text;
    if (binding.type === "inherit") {
      const value = before?.secrets[binding.name];
      if (value === undefined) return `inherit binding '${binding.name}' is invalid`;
      secrets[binding.name] = value;
    }
  }
  const code = await textOf(form.get(metadata.main_module));
  return { id: randomUUID(), secrets, code, metadata };
}

async function textOf(part: FormDataEntryValue | null): Promise<string> {
  return typeof part === "string" ? part : ((await part?.text()) ?? "");
}

/** Runs statements as D1 does: all of them, or none. */
function runSql(sqlite: DatabaseSync, sql: string): unknown[] {
  sqlite.exec("BEGIN");
  try {
    const last = /^\s*SELECT\b/i.test(sql) ? sqlite.prepare(sql).all() : void sqlite.exec(sql);
    sqlite.exec("COMMIT");
    return [{ success: true, results: last ?? [], meta: { duration: 1 } }];
  } catch (error) {
    sqlite.exec("ROLLBACK");
    throw error;
  }
}
