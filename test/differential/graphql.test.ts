import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { JudgedDocument } from "../../src/gateway/graphql/document.ts";
import type { GraphqlPermission } from "../../src/keys/permissions.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { type Sample, sample } from "./graphql-corpus.ts";
import { type Server, servers, Witness, yogaServer } from "./graphql-servers.ts";
import { InProcess, type Outcome } from "./in-process.ts";
import { effort, queryOf, type WireRequest } from "./wire.ts";

// What Postern lets a key do is never more than what that key may have a server do. The witness is the
// servers' own execution: their resolvers record which root fields ran.

const KEYS = {
  reader: "read",
  "only a, nested": { queries: ["a", "nested"], mutations: [] },
  "any query, mutation b": { queries: "*", mutations: ["b"] },
} satisfies Record<string, GraphqlPermission>;
type KeyName = keyof typeof KEYS;
const NAMES = Object.keys(KEYS) as KeyName[];
const keyName = fc.constantFrom<KeyName>("reader", ...NAMES);

/** Whether a key may have a root field run, said once more without the gateway's code. */
function mayRun(name: KeyName, ran: string): boolean {
  switch (name) {
    case "reader":
      return !ran.startsWith("Mutation.");
    case "only a, nested":
      return ran === "Query.a" || ran === "Query.nested";
    case "any query, mutation b":
      return !ran.startsWith("Mutation.") || ran === "Mutation.b";
  }
}

const witness = new Witness();
let origins: Server[];
beforeAll(async () => {
  origins = await servers(witness);
});

/** Sends a request of the corpus under a key. */
type Gate = (name: KeyName, one: Sample) => Promise<Outcome>;

function gateOf(gateway: InProcess): Gate {
  const keys = new Map(NAMES.map((name) => [name, gateway.createKey({ graphql: KEYS[name] })]));
  return (name, one) =>
    gateway.send({
      ...one,
      target: `/graphql${one.target}`,
      headers: [...one.headers, ["x-api-key", keys.get(name)!]],
    });
}
const ENDPOINT = { id: "graphql", protocol: "graphql", origin: "https://origin.example/gql" } as const;

/** Runs a request at every origin: what ran there that the key does not hold, and the answers. */
async function executed(name: KeyName, request: WireRequest) {
  const beyond: string[] = [];
  const answers: string[] = [];
  for (const server of origins) {
    answers.push(await server.execute(request));
    beyond.push(
      ...witness
        .take()
        .filter((root) => !mayRun(name, root))
        .map((root) => `${root} at ${server.name}`),
    );
  }
  return { beyond, answers };
}

/** The numbers of a JSON text, by their own digits. */
function digits(text: string): string[] {
  const found: string[] = [];
  JSON.parse(text, ((_: string, value: unknown, { source }: { source: string }) => {
    if (typeof value === "number") found.push(source);
    return value;
  }) as (name: string, value: unknown) => unknown);
  return found;
}

/** The JSON of a request that a client sent by POST or, its variables, by GET. */
const jsonOf = (request: WireRequest) =>
  request.body?.toString() ?? decodeURIComponent(/variables=([^&]*)/.exec(queryOf(request))?.[1] ?? "0");

/** Asserts that a request of the corpus does no more than its key may, and a plain one all that it asks. */
async function expectNoMore(gate: Gate, name: KeyName, one: Sample, compare: boolean) {
  const { upstream, status } = await gate(name, one);
  const after = upstream === null ? null : await executed(name, upstream);
  expect({ name, upstream, beyond: after?.beyond ?? [] }).toMatchObject({ beyond: [] });
  if (upstream === null) expect(status === 200 || (status >= 400 && status < 500)).toBe(true);
  const entitled = one.plain && name !== "only a, nested";
  if (entitled) expect(upstream).not.toBeNull();

  if (!entitled && !compare) return { forwarded: upstream !== null, hostile: null };
  const direct = await executed(name, { ...one, target: `/gql${one.target}` });
  if (entitled) {
    expect(after!.answers).toEqual(direct.answers);
    expect(after!.answers[0]).toContain('"data":{');
    expect(digits(jsonOf(upstream!))).toEqual(digits(jsonOf(one)));
  }
  return { forwarded: upstream !== null, hostile: direct.beyond.length > 0 };
}

describe("for generated requests", () => {
  const { numRuns, seed } = effort(10_000);
  const title = `no root field runs that a key does not hold, and plain queries run: ${numRuns}, seed ${seed}`;

  test(title, { timeout: 120_000 + numRuns * 10 }, async () => {
    const gate = gateOf(new InProcess([ENDPOINT]));
    const seen = { forwarded: 0, compared: 0, hostile: 0 };
    let run = 0;
    await fc.assert(
      fc.asyncProperty(keyName, sample, async (name, one) => {
        run += 1;
        const { forwarded, hostile } = await expectNoMore(gate, name, one, run % 10 === 0);
        if (forwarded) seen.forwarded += 1;
        if (hostile !== null) seen.compared += 1;
        if (hostile) seen.hostile += 1;
      }),
      { numRuns, seed },
    );
    // A corpus that nothing of goes through, or that would do no harm, would show nothing.
    expect(seen.forwarded / numRuns).toBeGreaterThan(0.2);
    expect(seen.hostile / (seen.compared + 1)).toBeGreaterThan(0.03);
  });
});

describe("the property notices a gate that", () => {
  afterEach(() => {
    vi.doUnmock("../../src/gateway/graphql/document.ts");
    vi.doUnmock("../../src/gateway/graphql/root-fields.ts");
    vi.doUnmock("../../src/gateway/graphql/body.ts");
    vi.doUnmock("../../src/gateway/graphql/url-query.ts");
    vi.doUnmock("../../src/gateway/graphql/entry.ts");
    vi.resetModules();
  });

  /** Runs the property against a gateway that is loaded anew, with a module changed, until it fails. */
  async function expectNoticed(): Promise<void> {
    vi.resetModules();
    const changed = await import("./in-process.ts");
    const gate = gateOf(new changed.InProcess([ENDPOINT]));
    const odd = sample.filter(({ plain }) => !plain);
    const property = fc.asyncProperty(keyName, odd, async (name, one) => {
      await expectNoMore(gate, name, one, false);
    });
    const { failed, errorInstance } = await fc.check(property, { numRuns: 4000, endOnFailure: true });
    expect(failed).toBe(true);
    expect(String(errorInstance)).toContain("beyond");
  }

  test("takes every operation for a query", async () => {
    vi.doMock("../../src/gateway/graphql/document.ts", async (original) => {
      const real = await original<typeof import("../../src/gateway/graphql/document.ts")>();
      return {
        judgeDocument(text: string) {
          const judged = real.judgeDocument(text);
          if (judged.kind === "refused") return judged;
          const operations: JudgedDocument["operations"] = new Map(
            [...judged.operations].map(([name, one]) => [name, { ...one, type: "query" }]),
          );
          return { ...judged, operations };
        },
      };
    });
    await expectNoticed();
  });

  test("does not look into fragments", async () => {
    vi.doMock("../../src/gateway/graphql/root-fields.ts", async (original) => {
      const real = await original<typeof import("../../src/gateway/graphql/root-fields.ts")>();
      return {
        gatherRootFields(...[root, fragments]: Parameters<typeof real.gatherRootFields>) {
          const selections = root.selections.filter(({ kind }) => kind === "Field");
          const found = real.gatherRootFields({ ...root, selections }, fragments);
          return found.ok && found.names.length === 0 ? { ok: true, names: ["__typename"] } : found;
        },
      };
    });
    await expectNoticed();
  });

  test("forwards the members of a POST's URL", async () => {
    vi.doMock("../../src/gateway/graphql/url-query.ts", async (original) => {
      const real = await original<typeof import("../../src/gateway/graphql/url-query.ts")>();
      return {
        ...real,
        splitUrlQuery(raw: string) {
          const split = real.splitUrlQuery(raw);
          return split.kind === "refused" ? split : { ...split, rest: raw };
        },
      };
    });
    await expectNoticed();
  });

  test("leaves a persisted query beside the document", async () => {
    vi.doMock("../../src/gateway/graphql/entry.ts", async (original) => {
      const real = await original<typeof import("../../src/gateway/graphql/entry.ts")>();
      return {
        ...real,
        judgeEntry(raw: Parameters<typeof real.judgeEntry>[0]) {
          const entry = real.judgeEntry(raw);
          return entry.kind === "entry" ? { ...entry, extensions: raw.extensions } : entry;
        },
      };
    });
    await expectNoticed();
  });

  test("forwards the body as it came", async () => {
    vi.doMock("../../src/gateway/graphql/body.ts", async (original) => {
      const real = await original<typeof import("../../src/gateway/graphql/body.ts")>();
      return {
        judgeBody(type: string | null, encoding: string | null, bytes: Uint8Array) {
          const judged = real.judgeBody(type, encoding, bytes);
          return judged.kind === "body" ? { ...judged, body: Buffer.from(bytes).toString() } : judged;
        },
      };
    });
    await expectNoticed();
  });
});

describe("through the built Worker, to graphql-yoga over HTTP", () => {
  const { numRuns, seed } = effort(400);
  let gateway: TestGateway;
  let origin: HttpServer;
  let arrivals: string[] = [];

  beforeAll(async () => {
    const yoga = yogaServer(witness);
    origin = createServer((request, response) => {
      arrivals.push(`${request.method} ${request.url} ${request.headers["content-type"]}`);
      yoga(request, response);
    });
    await new Promise<void>((done) => origin.listen(0, "127.0.0.1", done));
    gateway = await startTestGateway();
    await gateway.createAccount("acme");
    const { port } = origin.address() as AddressInfo;
    await gateway.createEndpoint({ ...ENDPOINT, account_id: "acme", origin: `http://127.0.0.1:${port}/gql` });
  });
  afterAll(async () => {
    await gateway?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  test(`the same holds, and what arrives is what was worked out in this process: ${numRuns}, seed ${seed}`, {
    timeout: 60_000 + numRuns * 20,
  }, async () => {
    const keys = new Map<KeyName, string>();
    for (const name of NAMES) {
      keys.set(name, (await gateway.createKey({ permissions: { graphql: KEYS[name] } })).key);
    }
    const gate = gateOf(new InProcess([ENDPOINT]));
    await fc.assert(
      fc.asyncProperty(keyName, sample, async (name, one) => {
        arrivals = [];
        witness.take();
        const { status } = await gateway.call(`/graphql${one.target}`, {
          method: one.method,
          headers: [...one.headers.flat(), "x-api-key", keys.get(name)!],
          ...(one.body !== null && { body: one.body }),
        });
        const beyond = witness.take().filter((root) => !mayRun(name, root));
        expect({ name, beyond }).toEqual({ name, beyond: [] });
        // Node's client writes methods in capitals.
        const { upstream, status: expected } = await gate(name, { ...one, method: one.method.toUpperCase() });
        if (upstream === null) expect([status, arrivals]).toEqual([expected, []]);
        else {
          const type = upstream.headers.find(([header]) => header === "content-type")?.[1];
          expect(arrivals).toEqual([`${upstream.method} ${upstream.target} ${type}`]);
        }
      }),
      { numRuns, seed },
    );
  });
});
