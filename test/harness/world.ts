import { startTestGateway, type TestGateway, type TestGatewayOptions, type TestKey } from "./gateway.ts";
import { Origin } from "./origin.ts";

/** An origin, endpoints, and a key of each kind. */
export interface World {
  gateway: TestGateway;
  origin: Origin;
  /** `epA` read. */
  RO: TestKey;
  /** `epA` read_write. */
  RW: TestKey;
  /** Everything. */
  ALL: TestKey;
  /** GraphQL read. */
  GR: TestKey;
  /** GraphQL read_write. */
  GW: TestKey;
  /** Valid, no grants. */
  NONE: TestKey;
  stop(): Promise<void>;
}

/**
 * Endpoints of account `acme`: `epA` and `epB` (serverless), `web` (http), `llm` (openai), `graphql`; and
 * `foreign` (http), which is another account's. Each forwards to a directory of its own at the origin.
 */
export async function startWorld(options: TestGatewayOptions = {}): Promise<World> {
  const [gateway, origin] = await Promise.all([startTestGateway(options), Origin.start()]);
  await gateway.createAccount("acme");
  await gateway.createAccount("other");
  const mine = { account_id: "acme" };
  await gateway.createEndpoint({ ...mine, id: "epA", protocol: "serverless", origin: `${origin.url}/a` });
  await gateway.createEndpoint({ ...mine, id: "epB", protocol: "serverless", origin: `${origin.url}/b` });
  await gateway.createEndpoint({ ...mine, id: "web", protocol: "http", origin: `${origin.url}/web` });
  await gateway.createEndpoint({ ...mine, id: "llm", protocol: "openai", origin: `${origin.url}/v1` });
  await gateway.createEndpoint({ ...mine, id: "graphql", protocol: "graphql", origin: `${origin.url}/gql` });
  await gateway.createEndpoint({
    id: "foreign",
    account_id: "other",
    protocol: "http",
    origin: `${origin.url}/foreign`,
  });
  return {
    gateway,
    origin,
    RO: await gateway.createKey({ permissions: { inference: { endpoints: { epA: "read" } } } }),
    RW: await gateway.createKey({ permissions: { inference: { endpoints: { epA: "read_write" } } } }),
    ALL: await gateway.createKey({ permissions: { inference: "read_write", graphql: "read_write" } }),
    GR: await gateway.createKey({ permissions: { graphql: "read" } }),
    GW: await gateway.createKey({ permissions: { graphql: "read_write" } }),
    NONE: await gateway.createKey(),
    async stop() {
      await gateway.stop();
      await origin.stop();
    },
  };
}
