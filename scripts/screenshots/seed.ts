import { randomBytes } from "node:crypto";
import { sha256Hex } from "../../src/keys/hash.ts";
import { writeUses } from "../../src/store/usage.ts";
import type { ConsoleWorld } from "../../test/console/visit.ts";
import { as } from "../../test/harness/sessions.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Who is signed in on the pictures. */
export const OLGA = { email: "olga@acme.example", name: "Olga Lindqvist", sub: "olga" };

/** What pictures of single records are of. */
export interface Seeded {
  keyId: string;
  namespaceId: string;
  /** A key whose owner is looked for. */
  leaked: string;
}

const NAMESPACE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";

/** An account that is in use: endpoints, keys in every state, people, weeks of traffic. */
export async function seed({ gateway, sessions }: ConsoleWorld): Promise<Seeded> {
  const admin = as(gateway, await sessions.admin(OLGA));
  const owner = as(gateway, await sessions.of("acme", "owner", OLGA));
  const max = as(gateway, await sessions.of("acme", "member", { email: "max@acme.example", sub: "max" }));
  const put = async (path: string, body: object) => {
    const answer = await admin("PUT", path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
  };
  const now = Date.now();
  const ago = (days: number) => new Date(now - days * DAY).toISOString();

  await put("/admin/accounts/acme", { name: "Acme Robotics", active_key_limit: 100 });
  await put("/admin/accounts/bluefjord", { name: "Blue Fjord", active_key_limit: 25 });
  await put("/admin/accounts/northwind", { name: "Northwind Labs", active_key_limit: 100 });
  await put("/admin/accounts/northwind", { name: "Northwind Labs", suspended: true });
  for (const [email, accounts, isAdmin] of [
    [OLGA.email, [{ account_id: "acme", role: "owner" }], true],
    ["max@acme.example", [{ account_id: "acme", role: "member" }], false],
    [
      "ines@acme.example",
      [
        { account_id: "acme", role: "viewer" },
        { account_id: "bluefjord", role: "owner" },
      ],
      false,
    ],
    ["jonas@northwind.example", [{ account_id: "northwind", role: "owner" }], false],
  ] as const) {
    await put(`/admin/members/${email}`, { accounts, admin: isAdmin });
  }

  const credential = { header: "authorization", secret: "ORIGIN_MODELS_TOKEN", scheme: "Bearer" };
  const acme = { account_id: "acme", api: "inference" };
  await put("/admin/endpoints/chat", {
    ...acme,
    name: "Chat",
    protocol: "openai",
    origin: "https://models.example.com/v1",
    test_origin: "https://models-test.example.com/v1",
    credential,
    operations: [{ method: "POST", path: "/embeddings", access: "read" }],
  });
  await put("/admin/endpoints/images", {
    ...acme,
    name: "Image generation",
    protocol: "serverless",
    origin: "https://queue.example.com/images",
    freshness: "strict",
  });
  await put("/admin/endpoints/speech", {
    ...acme,
    name: "Speech to text",
    protocol: "http",
    origin: "https://speech.example.com/api",
    test_origin: "https://speech-test.example.com/api",
  });
  await put("/admin/endpoints/graphql", {
    account_id: null,
    name: "Platform GraphQL",
    api: "graphql",
    protocol: "graphql",
    origin: "https://platform.example.com/graphql",
  });
  await put("/admin/endpoints/any", {
    account_id: null,
    name: "Serverless, any id",
    api: "inference",
    protocol: "serverless",
    path: "/v2/*",
    origin: "https://queue.example.com",
  });
  const cluster = { server: "https://kube.example.com:6443", audience: "postern" };
  await put(`/admin/namespaces/${NAMESPACE}`, { account_id: "acme", name: "training", cluster });
  await put("/admin/namespaces/5b0f2c1d-7f0e-4c55-8a1b-93d2f3a6c402", {
    account_id: "acme",
    name: "evaluation",
    cluster,
  });

  const leaked = randomBytes(20).toString("hex").toUpperCase();
  const keys = [
    { name: "Old notebook", age: 400, graphql: "read", key: leaked },
    { name: "Web shop (live)", age: 130, scopes: { inference: true } },
    { name: "Grafana", age: 61, scopes: { read_only: true } },
    { name: "Cluster access, night shift", age: 45, scopes: { kubernetes_exec: { all_namespaces: true } } },
    { name: "Contractor, until launch", age: 23, scopes: { restricted: { inference: "read" } }, expires: 5 },
    { name: "Release pipeline", age: 12, scopes: { restricted: { graphql: "read_write" } } },
    { name: "Old pipeline", age: 300, scopes: { all: true }, enabled: false },
    {
      name: "Support dashboard",
      age: 9,
      scopes: {
        restricted: { graphql: "read", inference: { endpoints: { chat: "read_write", images: "read" } } },
      },
    },
    { name: "Image tests", age: 4, scopes: { inference: true }, environment: "test" },
  ];
  const lines = keys.map(({ age, expires, ...line }) => {
    const secret = randomBytes(20).toString("hex");
    const prefix = `pst_${line.environment === "test" ? "test" : "live"}_a${secret.slice(0, 4)}`;
    return {
      account_id: "acme",
      ...("key" in line ? {} : { sha256: sha256Hex(secret), prefix }),
      ...line,
      created_at: ago(age),
      ...(expires !== undefined && { expires_at: ago(-expires) }),
    };
  });
  const imported = await admin("POST", "/admin/keys/import", undefined, {
    body: lines.map((line) => JSON.stringify(line)).join("\n"),
    headers: { "content-type": "application/x-ndjson" },
  });
  const ids = imported.text
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id?: string }).id ?? "");
  const idOf = (name: string) => ids[keys.findIndex((key) => key.name === name)]!;

  await max("POST", "/v1/account/api-keys", {
    name: "Max's laptop",
    scopes: { restricted: { inference: { endpoints: { chat: "read_write" } } } },
    expires_at: ago(-30),
  });
  const gone = await owner("POST", "/v1/account/api-keys", { name: "Demo day", scopes: { inference: true } });
  await owner("POST", `/v1/account/api-keys/${gone.json.id}/revoke`);
  await owner("PATCH", `/v1/account/api-keys/${idOf("Grafana")}`, { name: "Grafana (dashboards)" });
  await owner("POST", "/v1/account/permission-templates", {
    name: "chat_client",
    description: "Calls the chat model, and nothing else.",
    scopes: ["inference:chat:write"],
  });
  for (const secret of [leaked, gone.json.key]) gateway.secrets.push(secret);

  const shop = idOf("Web shop (live)");
  await writeUses(gateway.db, weeks(shop, now), [
    { key_id: shop, last_used_at: now - 40_000 },
    { key_id: idOf("Grafana"), last_used_at: now - 90_000 },
    { key_id: idOf("Support dashboard"), last_used_at: now - 2 * HOUR },
    { key_id: idOf("Release pipeline"), last_used_at: now - 3 * DAY },
    { key_id: idOf("Old notebook"), last_used_at: now - 71 * DAY },
  ]);
  return { keyId: shop, namespaceId: NAMESPACE, leaked };
}

/** Counts by the hour for a month: days and nights, weekends, and an hour in which something was misconfigured. */
function weeks(key_id: string, now: number) {
  const last = Math.floor(now / HOUR) * HOUR;
  return Array.from({ length: 30 * 24 }, (_, back) => {
    const hour = last - back * HOUR;
    const date = new Date(hour);
    const daily = 1 + Math.sin(((date.getUTCHours() - 8) / 24) * 2 * Math.PI);
    const weekly = date.getUTCDay() % 6 === 0 ? 0.35 : 1;
    const load = Math.round(400 * daily * weekly * (1 + 0.2 * Math.sin(back * 1.7)));
    const count = (kind: string, endpoint_id: string, times: number) => ({
      key_id,
      hour,
      endpoint_id,
      kind,
      count: times,
    });
    return [
      count("write", "chat", load + 12),
      count("read", "chat", Math.round(load * 0.4) + 5),
      count("read", "images", Math.round(load * 0.2)),
      ...(back % 53 === 7 ? [count("denied:insufficient_scope", "graphql", 40 + (back % 31))] : []),
      ...(back % 97 === 11 ? [count("denied:environment_not_available", "images", 9)] : []),
    ];
  }).flat();
}
