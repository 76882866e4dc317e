import { randomBytes } from "node:crypto";
import type { Endpoint, EndpointNode } from "../../src/endpoints/endpoint.ts";
import { defaultPath, idOfNode, isOwnRoute } from "../../src/endpoints/path.ts";
import type { Env } from "../../src/env.ts";
import type { Freshness, Kind } from "../../src/freshness/freshness.ts";
import { NODE_KIND } from "../../src/freshness/kinds.ts";
import { handle } from "../../src/gateway/index.ts";
import { headerEntries } from "../../src/http/header-entries.ts";
import { readUrl } from "../../src/http/url.ts";
import { type Isolate, isolateOf } from "../../src/isolate.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import type { Permissions } from "../../src/keys/permissions.ts";
import type { KeyRecord } from "../../src/keys/record.ts";
import type { WireRequest } from "./wire.ts";

/** What became of a request: the answer's status, and what would have arrived at the origin, if anything. */
export interface Outcome {
  status: number;
  upstream: WireRequest | null;
}

export type SomeEndpoint = Partial<Endpoint> & Pick<Endpoint, "id" | "protocol" | "origin">;

/**
 * The gateway's own journey (`handle`) in this process, for tests of many thousand requests: the real code
 * from the URL to `fetch`, over records held in a map instead of behind caches and a database. What `fetch`
 * is given is what it would send: it parses the URL (WHATWG URL), and sets the framing headers anew.
 */
export class InProcess {
  readonly #host = "gw.test";
  readonly #isolate: Isolate;
  readonly #env: Env;
  readonly #records = new Map<string, unknown>();
  readonly #endpoints: Endpoint[];

  constructor(endpoints: readonly SomeEndpoint[]) {
    this.#endpoints = endpoints.map(completed);
    const tagSecrets = JSON.stringify({ a: randomBytes(36).toString("base64url") });
    this.#env = { KEY_TAG_SECRETS: tagSecrets, REQUEST_LOG: "off", LEDGER_RELAYS: "0" } as unknown as Env;
    const peek = <T>(kind: Kind<T>, name: string) =>
      (kind.cacheName === NODE_KIND.cacheName ? this.#node(name) : this.#records.get(name)) as T | undefined;
    const freshness = {
      peek,
      remembered: peek,
      get: async <T>(kind: Kind<T>, name: string) => ({ value: peek(kind, name) ?? null, tier: "memory" }),
      recordUse() {},
    };
    const real = isolateOf(this.#env);
    this.#isolate = { ...real, ownHosts: [this.#host], freshness: freshness as unknown as Freshness };
  }

  /** A key of account `acme`. */
  createKey(permissions: Partial<Permissions>): string {
    const key = this.#isolate.keyFormat.generate("production");
    const record: KeyRecord = {
      id: `key_${this.#records.size}`,
      hash: sha256Hex(key),
      account_id: "acme",
      account_suspended: false,
      name: "test",
      prefix: key.slice(0, 14),
      environment: "production",
      permissions: { graphql: "none", inference: "none", kubernetes_exec: "none", ...permissions },
      enabled: true,
      legacy: false,
      expires_at: null,
      revoked_at: null,
    };
    this.#records.set(record.hash, record);
    return key;
  }

  /** Sends a request through the gateway. Whatever it asks `fetch` for is caught and answered with 200. */
  async send({ method, target, headers, body }: WireRequest): Promise<Outcome> {
    const given = new Headers([["host", this.#host]]);
    for (const [name, value] of headers) given.append(name, value);
    // As workerd hands them over; Node's own Request would tidy the URL and refuse some of the methods.
    const request = {
      method,
      url: `http://${this.#host}${target}`,
      headers: given,
      body: body === null ? null : new Blob([new Uint8Array(body)]).stream(),
      signal: new AbortController().signal,
    } as unknown as Request;
    const url = readUrl(request.url, this.#host, []);
    if (!("code" in url) && isOwnRoute(url.segments)) return { status: 0, upstream: null };
    const caught: { upstream: WireRequest | null } = { upstream: null };
    const real = globalThis.fetch;
    globalThis.fetch = async (to: string | URL | Request, init?: RequestInit) => {
      if (caught.upstream !== null) throw new Error("two upstream requests for one");
      caught.upstream = await arrived(String(to), init!);
      return new Response("{}", {
        headers: { "content-type": "application/json", "content-length": "2" },
      }) as never;
    };
    try {
      const { status } = await handle({
        request,
        env: this.#env,
        context: { waitUntil() {}, passThroughOnException() {} } as unknown as ExecutionContext,
        isolate: this.#isolate,
        requestId: "00000000-0000-4000-8000-000000000000",
        url,
        entries: headerEntries(given),
      });
      return { status, upstream: caught.upstream };
    } finally {
      globalThis.fetch = real;
    }
  }

  /** What the path tree has at a path; see `readNode`. */
  #node(path: string): EndpointNode & { path: string } {
    const all = this.#endpoints;
    const id = idOfNode(path);
    return {
      path,
      self: all.find((endpoint) => endpoint.path === path) ?? null,
      wildcard: all.find((endpoint) => endpoint.path === `${path}/*`) ?? null,
      below: all.some((endpoint) => endpoint.path.startsWith(`${path}/`) && endpoint.path !== `${path}/*`),
      taken: all.some((endpoint) => endpoint.id === id && endpoint.path !== path),
    };
  }
}

async function arrived(to: string, init: RequestInit): Promise<WireRequest> {
  const { pathname, search } = new URL(to);
  return {
    method: init.method ?? "GET",
    target: pathname + search,
    headers: [...new Headers(init.headers as Headers)],
    body: init.body == null ? null : Buffer.from(await new Response(init.body as BodyInit).arrayBuffer()),
  };
}

function completed(given: SomeEndpoint): Endpoint {
  const api = given.protocol === "graphql" ? "graphql" : "inference";
  return {
    account_id: "acme",
    name: given.id,
    api,
    path: defaultPath(api, given.id),
    test_origin: null,
    operations: null,
    credential: null,
    assertion: false,
    allow_query_key: false,
    redirects: "refuse",
    timeout_seconds: 120,
    freshness: "bounded",
    cors: null,
    ...given,
  };
}
