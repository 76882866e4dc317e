import { ClientError, GraphQLClient, gql } from "graphql-request";
import OpenAI, { AuthenticationError, NotFoundError, PermissionDeniedError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { start as startGraphqlOrigin } from "../../demo/graphql-origin.ts";
import { start as startOpenaiOrigin } from "../../demo/openai-origin.ts";
import type { Origin } from "../../demo/server.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";

const REFUSED = "Missing, invalid, revoked, or expired API key";

let gateway: TestGateway;
let openaiOrigin: Origin;
let graphqlOrigin: Origin;
let full: TestKey;
let readOnly: TestKey;

beforeAll(async () => {
  [gateway, openaiOrigin, graphqlOrigin] = await Promise.all([
    startTestGateway(),
    startOpenaiOrigin(0),
    startGraphqlOrigin(0),
  ]);
  await gateway.createAccount("acme");
  const mine = { account_id: "acme" };
  const openai = `http://127.0.0.1:${openaiOrigin.port}`;
  await gateway.createEndpoint({ ...mine, id: "chat", protocol: "openai", origin: `${openai}/v1` });
  await gateway.createEndpoint({ ...mine, id: "jobs", protocol: "serverless", origin: `${openai}/jobs` });
  await gateway.createEndpoint({
    ...mine,
    id: "graphql",
    protocol: "graphql",
    origin: `http://127.0.0.1:${graphqlOrigin.port}/graphql`,
  });
  full = await gateway.createKey({ permissions: { inference: "read_write", graphql: "read_write" } });
  readOnly = await gateway.createKey({ permissions: { inference: "read", graphql: "read" } });
});
afterAll(() => Promise.all([gateway?.stop(), openaiOrigin?.stop(), graphqlOrigin?.stop()]));

describe.each([
  ["an openai endpoint", "/v2/chat"],
  ["the OpenAI routes of a serverless endpoint", "/v2/jobs/openai/v1"],
])("the openai client on %s, with only baseURL and apiKey changed", (_, path) => {
  const client = (apiKey: string) => new OpenAI({ baseURL: `${gateway.url}${path}`, apiKey });
  const messages = [{ role: "user" as const, content: "Good morning to you" }];

  it("streams a chat completion", async () => {
    const stream = await client(full.key).chat.completions.create({
      model: "demo-small",
      messages,
      stream: true,
    });
    const pieces: string[] = [];
    for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? "");
    expect(pieces.join("")).toBe("You said: Good morning to you");
    expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(3);
  });

  it("completes a chat", async () => {
    const completion = await client(full.key).chat.completions.create({ model: "demo-small", messages });
    expect(completion.choices[0]?.message.content).toBe("You said: Good morning to you");
  });

  it("lists and retrieves models with a read-only key", async () => {
    const { data } = await client(readOnly.key).models.list();
    expect(data.map(({ id }) => id)).toEqual(["demo-small", "demo-large"]);
    expect((await client(readOnly.key).models.retrieve("demo-large")).id).toBe("demo-large");
  });

  it("gets its own PermissionDeniedError with our message, at once", async () => {
    const error = await client(readOnly.key)
      .chat.completions.create({ model: "demo-small", messages })
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    const id = path.split("/")[2];
    expect(error.message).toBe(`403 This API key needs read_write access on endpoint ${id}`);
    expect(error).toMatchObject({ status: 403, code: "insufficient_scope", type: "permission_error" });
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("gets it also where it asked for a stream", async () => {
    const streaming = client(readOnly.key).chat.completions.create({
      model: "demo-small",
      messages,
      stream: true,
    });
    await expect(streaming).rejects.toBeInstanceOf(PermissionDeniedError);
  });

  it.each([
    ["an unknown key", () => gateway.strayKey()],
    ["a forged key", () => `${full.key.slice(0, -6)}000000`],
    ["somebody else's kind of key", () => "sk-proj-something"],
  ])("gets its own AuthenticationError with our message for %s", async (_, key) => {
    const error = await client(key())
      .models.list()
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.message).toBe(`401 ${REFUSED}`);
    expect(error).toMatchObject({ status: 401, code: "invalid_api_key", type: "authentication_error" });
  });
});

it("the openai client gets its own NotFoundError for an endpoint that is not there", async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v2/nowhere`, apiKey: full.key });
  const error = await client.models.list().catch((caught) => caught);
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error.message).toBe("404 Endpoint not found");
});

it("the openai client does not retry what is refused", async () => {
  const statuses: number[] = [];
  const client = new OpenAI({
    baseURL: `${gateway.url}/v2/chat`,
    apiKey: readOnly.key,
    fetch: async (...call) => {
      const response = await fetch(...call);
      statuses.push(response.status);
      return response;
    },
  });
  await client.chat.completions.create({ model: "demo-small", messages: [] }).catch(() => {});
  expect(statuses).toEqual([403]);
});

describe("graphql-request", () => {
  const client = (key: string) =>
    new GraphQLClient(`${gateway.url}/graphql`, { headers: { authorization: `Bearer ${key}` } });
  const pods = gql`
    query Pods($id: ID!) {
      pods { id name }
      pod(id: $id) { name }
      myself { account key_id environment access }
    }
  `;
  const stop = gql`
    mutation Stop {
      podStop(id: "pod-1") { status }
    }
  `;

  it("queries with a read key", async () => {
    const data = await client(readOnly.key).request(pods, { id: "pod-2" });
    expect(data).toMatchObject({
      pods: [{ id: "pod-1", name: "trainer" }, { id: "pod-2" }],
      pod: { name: "notebook" },
      myself: { account: "acme", key_id: readOnly.id, environment: "production", access: "read" },
    });
  });

  it("queries by GET with a read key", async () => {
    const getting = new GraphQLClient(`${gateway.url}/graphql`, { method: "GET", headers: readOnly.bearer });
    expect(await getting.request("{ pods { id } }")).toMatchObject({
      pods: [{ id: "pod-1" }, { id: "pod-2" }],
    });
  });

  it("is refused a mutation with a read key, with the message in errors[0].message", async () => {
    const error = await client(readOnly.key)
      .request(stop)
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(ClientError);
    expect(error.response.status).toBe(403);
    expect(error.response.errors[0].message).toBe(
      "This API key needs read_write access on endpoint graphql (GraphQL)",
    );
    expect(error.response.errors[0].extensions.code).toBe("insufficient_scope");
    const { pod } = await client(readOnly.key).request<{ pod: { status: string } }>(
      '{ pod(id: "pod-1") { status } }',
    );
    expect(pod.status).toBe("RUNNING");
  });

  it("mutates with a read_write key", async () => {
    expect(await client(full.key).request(stop)).toEqual({ podStop: { status: "EXITED" } });
  });

  it("is refused without a good key, with the message in errors[0].message", async () => {
    const error = await client(gateway.strayKey())
      .request(pods, { id: "x" })
      .catch((caught) => caught);
    expect(error.response.status).toBe(401);
    expect(error.response.errors[0].message).toBe(REFUSED);
  });
});
