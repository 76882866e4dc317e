import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { ApolloServer, HeaderMap } from "@apollo/server";
import type { GraphQLSchema } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import { headerOf, queryOf, type WireRequest } from "./wire.ts";

// The servers find `graphql` as Node does; a plain import would be Vite's, another copy with types of its own.
const { buildSchema, execute, parse, print, subscribe, visit } = createRequire(import.meta.url)(
  "graphql",
) as typeof import("graphql");

const SDL = `
  scalar Raw
  type Query { a(s: Raw): Int b(s: Raw): Int c(s: Raw): Int nested: Query echo(v: Raw): String }
  type Mutation { a(s: Raw): Int b(s: Raw): Int c(s: Raw): Int nested: Query echo(v: Raw): String }
  type Subscription { a(s: Raw): Int b(s: Raw): Int c(s: Raw): Int }
`;

/** A mutation that every server here knows by its hash, as an origin of persisted queries does. */
export const PERSISTED = "mutation Persisted { a b }";
export const PERSISTED_HASH = createHash("sha256").update(PERSISTED).digest("hex");

/** The root fields whose resolvers ran, as `Mutation.a`, since the witness was last asked. */
export class Witness {
  #ran = new Set<string>();

  note(type: string, field: string): void {
    this.#ran.add(`${type}.${field}`);
  }

  take(): string[] {
    const ran = [...this.#ran];
    this.#ran = new Set();
    return ran;
  }
}

/** One server: executes a request as it arrived, and gives the answer's body. */
export interface Server {
  name: string;
  execute(request: WireRequest): Promise<string>;
}

/** Longest way down `nested`: a fragment that spreads itself must end, where nobody validates. */
const DEEPEST = 2;

function recordingSchema(witness: Witness): GraphQLSchema {
  const schema = buildSchema(SDL);
  // A literal's own digits come back, so that a test sees whether any was changed on the way.
  const raw = schema.getType("Raw") as unknown as Record<string, unknown>;
  // A string's value is what it means, between quotes of either kind: the gate sends ordinary ones.
  raw.coerceInputLiteral = (node: Parameters<typeof print>[0]) =>
    print(visit(node, { StringValue: (string) => ({ ...string, block: false }) }));
  raw.coerceInputValue = (value: unknown) => JSON.stringify(value);
  for (const type of [schema.getQueryType()!, schema.getMutationType()!]) {
    for (const field of Object.values(type.getFields())) {
      field.resolve = (_source, args: { v?: unknown }, _context, { path, parentType, fieldName }) => {
        if (path.prev === undefined) witness.note(parentType.name, fieldName);
        if (fieldName === "echo") return args.v === undefined ? null : String(args.v);
        if (fieldName !== "nested") return 1;
        let depth = 0;
        for (let at = path.prev; at !== undefined; at = at.prev) depth += 1;
        return depth < DEEPEST ? {} : null;
      };
    }
  }
  for (const [name, field] of Object.entries(schema.getSubscriptionType()!.getFields())) {
    field.subscribe = async function* () {
      witness.note("Subscription", name);
      yield { [name]: 1 };
    };
  }
  return schema;
}

/** graphql-yoga with batching on, and persisted documents looked up before anything else. */
export function yogaServer(witness: Witness) {
  return createYoga({
    schema: recordingSchema(witness),
    graphqlEndpoint: "/gql",
    batching: { limit: 100 },
    graphiql: false,
    landingPage: false,
    logging: false,
    maskedErrors: false,
    plugins: [persistedFirst()],
  });
}

/** Runs what is stored under a hash or an id, wherever that is named, and not the document beside it. */
function persistedFirst(): Plugin {
  return {
    onParams({ params, setParams, request }) {
      if (namesPersisted(params.extensions, new URL(request.url).searchParams)) {
        const { operationName: _, ...rest } = params;
        setParams({ ...rest, query: PERSISTED });
      }
    },
  };
}

/** What servers in the field call the id of a stored document in a URL. */
const ID_NAMES = ["id", "documentid", "doc_id", "queryid", "hash"];

function namesPersisted(extensions: unknown, url: URLSearchParams): boolean {
  const persisted = (extensions as { persistedQuery?: { sha256Hash?: unknown } } | null)?.persistedQuery;
  return (
    persisted?.sha256Hash === PERSISTED_HASH ||
    [...url].some(([name, value]) => value === PERSISTED_HASH && ID_NAMES.includes(name.toLowerCase()))
  );
}

const ORIGIN = "http://origin.test";

function yoga(witness: Witness): Server {
  const server = yogaServer(witness);
  return {
    name: "graphql-yoga",
    async execute({ method, target, headers, body }) {
      const init = {
        method,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        body: body === null || method === "GET" || method === "HEAD" ? null : new Uint8Array(body),
      };
      if (method === "TRACE" || method === "CONNECT") return "";
      const response = await server.fetch(new Request(ORIGIN + target, init));
      return await response.text();
    },
  };
}

/** Apollo Server, its body read the way `body-parser` reads it: decompressed, in the charset that is named. */
async function apollo(witness: Witness): Promise<Server> {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const server = new ApolloServer({
    schema: recordingSchema(witness),
    allowBatchedHttpRequests: true,
    csrfPrevention: false,
    introspection: true,
    logger: quiet,
    nodeEnv: "test",
    stopOnTerminationSignals: false,
  });
  await server.start();
  const run: Server["execute"] = async (request) => {
    const headers = new HeaderMap();
    for (const [name] of request.headers)
      headers.set(name.toLowerCase(), headerOf(request, name.toLowerCase())!);
    const query = queryOf(request);
    const { body } = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers,
        search: query === "" ? "" : `?${query}`,
        body: lenientBody(request) ?? {},
      },
      context: async () => ({}),
    });
    if (body.kind === "complete") return body.string;
    let text = "";
    for await (const chunk of body.asyncIterator) text += chunk;
    return text;
  };
  await run({
    method: "POST",
    target: "/",
    headers: [["content-type", "application/json"]],
    body: Buffer.from(
      JSON.stringify({
        query: PERSISTED,
        extensions: { persistedQuery: { version: 1, sha256Hash: PERSISTED_HASH } },
      }),
    ),
  });
  return { name: "Apollo Server", execute: run };
}

/**
 * `graphql` behind a reader that forgives everything some origin in the field forgives: members in the URL
 * win over the body, names match without regard to case, forms and bare documents are read, nothing is
 * validated, and a mutation may come by GET.
 */
function forgiving(witness: Witness): Server {
  const schema = recordingSchema(witness);
  const one = async (params: Map<string, unknown>, url: URLSearchParams): Promise<unknown> => {
    const given = params.get("extensions");
    const extensions = typeof given === "string" ? parsed(given) : given;
    const named = namesPersisted(extensions, url);
    const query = named ? PERSISTED : params.get("query");
    if (typeof query !== "string") return null;
    const operationName = named ? undefined : params.get("operationname");
    const variables = params.get("variables");
    const args = {
      schema,
      document: parse(query),
      operationName: typeof operationName === "string" && operationName !== "" ? operationName : undefined,
      variableValues: ((typeof variables === "string" ? parsed(variables) : variables) ?? {}) as never,
    };
    const isSubscription = args.document.definitions.some(
      (definition) => definition.kind === "OperationDefinition" && definition.operation === "subscription",
    );
    const result = isSubscription ? await subscribe(args) : await execute(args);
    if (!(Symbol.asyncIterator in result)) return result;
    for await (const _ of result);
    return null;
  };
  return {
    name: "a forgiving origin",
    async execute(request) {
      const body = lenientBody(request) ?? {};
      const url = new URLSearchParams(queryOf(request));
      const answers: unknown[] = [];
      for (const entry of Array.isArray(body) ? body : [body]) {
        const params = new Map<string, unknown>();
        for (const [name, value] of Object.entries((entry ?? {}) as object)) {
          params.set(name.toLowerCase(), value);
        }
        for (const [name, value] of url) params.set(name.toLowerCase(), value);
        try {
          answers.push(await one(params, url));
        } catch {
          answers.push(null); // a document that does not parse runs nothing
        }
      }
      return JSON.stringify(answers);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A body as an object, read by its content-type, its charset and its content-encoding; null for none. */
function lenientBody(request: WireRequest): unknown {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") return null;
  const type = (headerOf(request, "content-type") ?? "application/json").toLowerCase();
  const text = decoded(
    decompressed(request.body, headerOf(request, "content-encoding")),
    /charset="?([\w-]+)/.exec(type)?.[1] ?? "utf-8",
  ).replace(/^\ufeff/, "");
  if (type.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  if (type.startsWith("multipart/form-data")) {
    return parsed(/name="?operations"?[^\n]*\r?\n\r?\n([\s\S]*?)\r?\n--/.exec(text)?.[1] ?? "");
  }
  if (type.startsWith("application/graphql") && !type.includes("json")) return { query: text };
  return parsed(text);
}

function decompressed(bytes: Buffer, encoding: string | null): Buffer {
  try {
    return (encoding ?? "")
      .toLowerCase()
      .split(/\s*,\s*/)
      .reduceRight((rest, one) => {
        if (one === "gzip" || one === "x-gzip") return gunzipSync(rest);
        if (one === "deflate") return inflateSync(rest);
        return one === "br" ? brotliDecompressSync(rest) : rest;
      }, bytes);
  } catch {
    return bytes;
  }
}

/** Text in one of the charsets that body-parser knows through iconv-lite. */
function decoded(bytes: Buffer, charset: string): string {
  switch (charset) {
    case "utf-16":
    case "utf-16le":
      return bytes.toString("utf16le");
    case "latin1":
    case "iso-8859-1":
    case "us-ascii":
      return bytes.toString("latin1");
    case "utf-7":
      // RFC 2152: `+…-` is base64 of UTF-16 in network order, `+-` a plus.
      return bytes
        .toString("latin1")
        .replace(/\+([A-Za-z0-9/]*)-?/g, (_, base64: string) =>
          base64 === "" ? "+" : bigEndian(Buffer.from(base64, "base64")),
        );
    default:
      return bytes.toString("utf8");
  }
}

function bigEndian(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString("utf16le");
}

/** Every server, warmed up. */
export async function servers(witness: Witness): Promise<Server[]> {
  const all = [yoga(witness), await apollo(witness), forgiving(witness)];
  witness.take();
  return all;
}
