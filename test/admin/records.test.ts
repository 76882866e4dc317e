import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminRoutes } from "../../src/admin/index.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { putEndpoint, readEndpoint } from "../../src/store/endpoints.ts";
import { importKeys, insertKey, readKey, updateKey } from "../../src/store/keys.ts";
import { commitChange, type Write } from "../../src/store/write.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

/** A change is in force a lease later at the latest: one second in tests. */
const IN_FORCE = { timeout: 4000 };

const NAMESPACE = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";

let sessions: Sessions;
let gateway: TestGateway;
let origin: Origin;
let admin: ReturnType<typeof as>;
let owner: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  [gateway, origin] = await Promise.all([
    startTestGateway({
      vars: { ...sessions.vars, PUBLIC_URL: "https://gateway.test", CLIENT_IP_HEADER: "cf-connecting-ip" },
      secrets: { ORIGIN_TOKEN: "s3cret" },
    }),
    Origin.start(),
  ]);
  admin = as(gateway, await sessions.admin({ email: "root@acme.test" }));
  owner = as(gateway, await sessions.of("acme"));
  for (const id of ["acme", "other"]) await admin("PUT", `/admin/accounts/${id}`, { name: id });
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

/** Checks an answer against the schema that documents it, and gives it back. */
function documented(method: string, path: string, answer: { status: number; json: unknown }) {
  const route = adminRoutes.find((one) => one.method === method && one.path === path)!;
  expect(route.answers[answer.status]?.schema?.safeParse(answer.json).error).toBeUndefined();
  return answer.json as Record<string, unknown>;
}

/** Sends one write as it is, whatever has become of what it was made from. */
const commit = (write: Write) =>
  commitChange(
    gateway.db,
    {
      id: crypto.randomUUID(),
      at: Date.now(),
      account_id: null,
      actor: "test",
      address: null,
      action: "test",
      subject: "test",
      before: null,
      after: null,
    },
    [write],
  );

async function createKey(body: object = {}) {
  const { json } = await owner("POST", "/v1/account/api-keys", { name: "n", scopes: { all: true }, ...body });
  gateway.secrets.push(json.key);
  return json as { id: string; key: string };
}

describe("accounts", () => {
  test("are created, changed, listed and deleted; what is left out stays", async () => {
    const put = (body: object) => admin("PUT", "/admin/accounts/fresh", body);
    const created = await put({ name: "Fresh" });
    expect(created.status).toBe(201);
    expect(created.headers.location).toBe("/admin/accounts/fresh");
    expect(documented("PUT", "/admin/accounts/{id}", created)).toMatchObject({
      active_key_limit: 100,
      suspended: false,
    });
    expect((await put({ name: "Fresh", active_key_limit: 5, suspended: true })).status).toBe(200);
    const renamed = await put({ name: "Renamed" });
    expect(documented("PUT", "/admin/accounts/{id}", renamed)).toMatchObject({
      active_key_limit: 5,
      suspended: true,
    });
    documented("GET", "/admin/accounts/{id}", await admin("GET", "/admin/accounts/fresh"));
    const list = await admin("GET", "/admin/accounts?limit=2");
    documented("GET", "/admin/accounts", list);
    expect(list.json.data.map(({ id }: { id: string }) => id)).toEqual(["acme", "fresh"]);
    const next = await admin("GET", `/admin/accounts?limit=2&cursor=${list.json.next_cursor}`);
    expect(next.json).toMatchObject({ data: [{ id: "other" }], next_cursor: null });
    expect((await admin("DELETE", "/admin/accounts/fresh")).status).toBe(204);
    expectDenial(await admin("GET", "/admin/accounts/fresh"), 404, "not_found");
    expectDenial(await admin("DELETE", "/admin/accounts/fresh"), 404, "not_found");
  });

  test("are not deleted while anything is theirs", async () => {
    for (const [id, make] of Object.entries({
      keys: async () => gateway.createKey({ account_id: "keys" }),
      endpoints: async () =>
        gateway.createEndpoint({ id: "e1", account_id: "endpoints", origin: origin.url }),
      namespaces: async () =>
        admin("PUT", "/admin/namespaces/11111111-1111-4111-8111-111111111111", {
          account_id: "namespaces",
          name: "n",
          cluster: { server: "https://k.test", audience: "a" },
        }),
      members: async () =>
        admin("PUT", "/admin/members/m@x.test", { accounts: [{ account_id: "members", role: "viewer" }] }),
    })) {
      await admin("PUT", `/admin/accounts/${id}`, { name: id });
      await make();
      expectDenial(await admin("DELETE", `/admin/accounts/${id}`), 409, "in_use");
    }
  });

  test("suspending one stops every key of it, and lifting it starts them again", async () => {
    await gateway.createEndpoint({ id: "web", origin: origin.url });
    const { key } = await createKey();
    const status = async () => (await gateway.call("/v2/web", { headers: { "x-api-key": key } })).status;
    expect(await status()).toBe(200);
    await admin("PUT", "/admin/accounts/acme", { name: "acme", suspended: true });
    await expect.poll(status, IN_FORCE).toBe(401);
    await admin("PUT", "/admin/accounts/acme", { name: "acme", suspended: false });
    await expect.poll(status, IN_FORCE).toBe(200);
  });

  test("refuse what cannot be", async () => {
    for (const body of [
      {},
      { name: "" },
      { name: "x", active_key_limit: -1 },
      { name: "x", active_key_limit: 1.5 },
      { name: "x", active_key_limit: "9" },
      { name: "x", suspended: 0 },
      { name: "x", id: "acme" },
    ]) {
      expect((await admin("PUT", "/admin/accounts/x", body)).status).toBe(400);
    }
    for (const id of ["-x", "a.b", "x".repeat(64), "%20"]) {
      expectDenial(await admin("PUT", `/admin/accounts/${id}`, { name: "x" }), 400, "invalid_request");
      expectDenial(await admin("GET", `/admin/accounts/${id}`), 404, "not_found");
    }
  });
});

describe("endpoints", () => {
  const body = (more: object = {}) => ({
    account_id: "acme",
    name: "E",
    api: "inference",
    protocol: "http",
    origin: "https://models.example.com/v1",
    ...more,
  });
  const put = (id: string, more: object = {}) => admin("PUT", `/admin/endpoints/${id}`, body(more));

  test("are registered with every member, changed as a whole, and deleted", async () => {
    const all = {
      path: "/custom/path",
      test_origin: "https://test.example.com",
      operations: [{ method: "POST", path: "/search/*", access: "read" }],
      credential: { header: "Authorization", secret: "ORIGIN_TOKEN", scheme: "Bearer" },
      assertion: true,
      allow_query_key: true,
      redirects: "pass",
      timeout_seconds: 600,
      freshness: "strict",
      cors: { origins: ["https://app.example.com", "http://localhost:3000"] },
    };
    const created = await put("whole", all);
    expect(created.status).toBe(201);
    expect(documented("PUT", "/admin/endpoints/{id}", created)).toMatchObject({
      ...all,
      credential: { ...all.credential, header: "authorization" },
    });
    expect((await put("whole", all)).status).toBe(200);
    const { id, created_at, updated_at, ...again } = (await admin("GET", "/admin/endpoints/whole")).json;
    expect((await admin("PUT", "/admin/endpoints/whole", again)).json).toEqual(created.json);

    const plain = await put("whole");
    expect(documented("PUT", "/admin/endpoints/{id}", plain)).toMatchObject({
      path: "/v2/whole",
      test_origin: null,
      operations: null,
      credential: null,
      assertion: false,
      timeout_seconds: 120,
      freshness: "bounded",
      cors: null,
    });
    const log = await admin("GET", "/admin/audit-log?limit=10");
    documented("GET", "/admin/audit-log", log);
    const actions = log.json.data.filter(({ subject }: { subject: string }) => subject === "whole");
    expect(actions.map(({ action }: { action: string }) => action)).toEqual([
      "endpoint.update",
      "endpoint.create",
    ]);
    expect(actions[0]).toMatchObject({ before: { path: "/custom/path" }, after: { path: "/v2/whole" } });
    documented("GET", "/admin/endpoints", await admin("GET", "/admin/endpoints?account_id=acme"));
    expect((await admin("DELETE", "/admin/endpoints/whole")).status).toBe(204);
    expectDenial(await admin("DELETE", "/admin/endpoints/whole"), 404, "not_found");
  });

  test("serve as soon as they are registered, and no more once they are deleted", async () => {
    const { key } = await createKey();
    const call = async () => (await gateway.call("/v2/soon", { headers: { "x-api-key": key } })).status;
    expect(await call()).toBe(404);
    await put("soon", { origin: origin.url });
    await expect.poll(call, IN_FORCE).toBe(200);
    await put("soon", { origin: origin.url, path: "/elsewhere" });
    await expect.poll(call, IN_FORCE).toBe(404);
    await put("soon", { origin: origin.url });
    await expect.poll(call, IN_FORCE).toBe(200);
    await admin("DELETE", "/admin/endpoints/soon");
    await expect.poll(call, IN_FORCE).toBe(404);
  });

  test("take a path of their own: reserved and taken ones are refused, also in a race", async () => {
    for (const path of [
      "/admin",
      "/admin/x",
      "/console/x",
      "/v1/account",
      "/v1/*",
      "/healthz",
      "/*",
      "/docs",
    ]) {
      expectDenial(await put("p", { path }), 400, "path_reserved");
    }
    for (const path of ["x", "/", "//x", "/a//b", "/a/b/c/d", "/a/../b", "/a%2fb", "/a b", "/*/x", "/a*"]) {
      expect([path, (await put("p", { path })).status]).toEqual([path, 400]);
    }
    expect((await put("first", { path: "/taken" })).status).toBe(201);
    expectDenial(await put("second", { path: "/taken" }), 409, "path_taken");
    const race = await Promise.all(["r1", "r2", "r3"].map((id) => put(id, { path: "/race" })));
    expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  test("have an origin on the public internet", async () => {
    for (const host of [
      ...[
        "127.0.0.2",
        "2130706434",
        "0x7f.2",
        "0177.0.0.2",
        "127.2",
        "１２７.0.0.2",
        "[::1]",
        "[::ffff:7f00:1]",
      ],
      ...[
        "localhost",
        "localhost.",
        "ⓛocalhost",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
      ],
      ...[
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fc00::1]",
        "[fe80::1]",
        "[64:ff9b::a00:1]",
        "[2002:7f00:1::]",
      ],
      ...["metadata.google.internal", "gateway.test", "GATEWAY.test.", "u:p@example.com"],
    ]) {
      for (const member of ["origin", "test_origin"]) {
        const answer = await put("ssrf", { [member]: `https://${host}/x` });
        expect([host, answer.status]).toEqual([host, 400]);
        expect(answer.json.detail).toMatch(new RegExp(`^${member} must `));
      }
    }
    for (const url of [
      "http://example.com",
      "ftp://example.com",
      "example.com",
      "",
      "https://example.com/?a=b",
    ]) {
      expect([url, (await put("ssrf", { origin: url })).status]).toEqual([url, 400]);
    }
  });

  test("name a secret set aside for origins, in a header without a role of its own", async () => {
    const credential = (more: object) =>
      put("cred", { credential: { header: "x-token", secret: "ORIGIN_TOKEN", ...more } });
    expect((await credential({})).status).toBe(201);
    expect((await credential({ header: "X.Api_Key" })).json.credential.header).toBe("x.api_key");
    expect((await credential({ header: "__proto__" })).status).toBe(400);
    for (const secret of [
      "KEY_TAG_SECRETS",
      "SIGNING_KEYS",
      "ORIGIN_",
      "origin_x",
      "ORIGIN_x",
      "XORIGIN_A",
      "ORIGIN_A ",
    ]) {
      expect([secret, (await credential({ secret })).status]).toEqual([secret, 400]);
    }
    for (const header of [
      ...[
        "host",
        "Cookie",
        "connection",
        "transfer-encoding",
        "content-type",
        "content-length",
        "te",
        "upgrade",
      ],
      ...["x-postern-key-id", "x-forwarded-for", "forwarded", "cf-ray", "a b", "x:y", "", "ü"],
    ]) {
      expect([header, (await credential({ header })).status]).toEqual([header, 400]);
    }
    expect((await credential({ scheme: "Bearer x" })).status).toBe(400);
    expect((await credential({ value: "s3cret" })).status).toBe(400);
  });

  test("refuse what does not go together", async () => {
    const graphql = { api: "graphql", protocol: "graphql" };
    expect((await put("gq", graphql)).json.path).toBe("/graphql/gq");
    const refused: object[] = [
      { api: "graphql" },
      { protocol: "graphql" },
      { ...graphql, operations: [{ method: "POST", path: "/", access: "read" }] },
      { ...graphql, path: "/g/*" },
      { operations: [{ method: "TRACE", path: "/x", access: "read" }] },
      { operations: [{ method: "GET", path: "x", access: "read" }] },
      { operations: [{ method: "GET", path: "/x", access: "none" }] },
      { operations: [{ method: "GET", path: "/x", access: "read", note: "" }] },
      { timeout_seconds: 0 },
      { timeout_seconds: 601 },
      { freshness: "eventual" },
      { redirects: "follow" },
      { account_id: "nowhere" },
      { account_id: undefined },
      { cors: { origins: ["*"] } },
      { cors: { origins: ["null"] } },
      { cors: { origins: ["https://app.example.com/"] } },
      { cors: { origins: ["HTTPS://app.example.com"] } },
      { cors: "*" },
      { owner: "me" },
    ];
    for (const more of refused) expect([more, (await put("bad", more)).status]).toEqual([more, 400]);
  });

  test("are never put into an account that is being deleted", async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `gone${i}`);
    for (const id of ids) await gateway.createAccount(id);
    await Promise.all(
      ids.map(async (account_id) => {
        const [stored, deleted] = await Promise.all([
          put(account_id, { account_id }),
          admin("DELETE", `/admin/accounts/${account_id}`),
        ]);
        if (deleted.status === 204) {
          expectDenial(stored, 400, "invalid_request");
          expect(stored.json.detail).toBe(`Unknown account: ${account_id}`);
        } else {
          expectDenial(deleted, 409, "in_use");
          expect(stored.status).toBe(201);
        }
      }),
    );
    // Neither is one moved there, nor put there by a change that was slower than the account's deletion.
    await put("stays");
    const before = await readEndpoint(gateway.db, "stays");
    const row = { ...before!, account_id: "no-such" };
    expect(await commit(putEndpoint(before, row))).toBeNull();
    expect(await commit(putEndpoint(null, { ...row, id: "fresh", path: "/v2/fresh" }))).toBeNull();
  });

  test("are not deleted while a live key names them", async () => {
    await put("named");
    const key = await createKey({ scopes: ["inference:named:read"] });
    const refused = await admin("DELETE", "/admin/endpoints/named");
    expectDenial(refused, 409, "in_use");
    expect(refused.json.detail).toContain(`(${key.id} of acme)`);
    await owner("PATCH", `/v1/account/api-keys/${key.id}`, { enabled: false });
    expectDenial(await admin("DELETE", "/admin/endpoints/named"), 409, "in_use");
    await owner("POST", `/v1/account/api-keys/${key.id}/revoke`);
    expect((await admin("DELETE", "/admin/endpoints/named")).status).toBe(204);
  });

  test("are not taken from an account while its live keys name them; both accounts' logs tell of it", async () => {
    const to = (account_id: string | null) => put("moved", { account_id });
    expect((await to(null)).status).toBe(201);
    const key = await createKey({ scopes: ["inference:moved:read"] });
    const refused = await to("other");
    expectDenial(refused, 409, "in_use");
    expect(refused.json.detail).toContain(`(${key.id} of acme)`);
    for (const account of ["acme", null, "acme"]) expect((await to(account)).status).toBe(200);
    expectDenial(await to("other"), 409, "in_use");
    await owner("POST", `/v1/account/api-keys/${key.id}/revoke`);
    expect((await to("other")).status).toBe(200);
    const log = async (id: string) => {
      const { json } = await admin("GET", `/admin/audit-log?account_id=${id}&subject=moved`);
      return json.data.map(({ before, after }: Record<string, { account_id: string }>) => [
        before?.account_id,
        after?.account_id,
      ]);
    };
    // Neither account is told what is the other's.
    expect(await log("acme")).toEqual([
      ["acme", undefined],
      [null, "acme"],
      ["acme", null],
      [null, "acme"],
    ]);
    expect(await log("other")).toEqual([[undefined, "other"]]);
  });
});

describe("namespaces", () => {
  const cluster = {
    server: "https://kube.test:6443",
    certificate_authority_data: "LS0tLS0=",
    audience: "kube",
  };
  const put = (more: object = {}, id = NAMESPACE) =>
    admin("PUT", `/admin/namespaces/${id}`, { account_id: "acme", name: "training", cluster, ...more });

  test("are created under a lower-case id, changed, listed, and kept while a live key names them", async () => {
    const created = await put({}, NAMESPACE.toUpperCase());
    expect(created.status).toBe(201);
    expect(documented("PUT", "/admin/namespaces/{id}", created)).toMatchObject({ id: NAMESPACE, cluster });
    expect((await put()).status).toBe(200);
    documented("GET", "/admin/namespaces/{id}", await admin("GET", `/admin/namespaces/${NAMESPACE}`));
    documented("GET", "/admin/namespaces", await admin("GET", "/admin/namespaces?account_id=acme"));
    const key = await createKey({
      scopes: { kubernetes_exec: { namespace_ids: [NAMESPACE.toUpperCase()] } },
    });
    const refused = await admin("DELETE", `/admin/namespaces/${NAMESPACE}`);
    expectDenial(refused, 409, "in_use");
    expect(refused.json.detail).toContain(`(${key.id} of acme)`);
    const taken = await put({ account_id: "other" });
    expectDenial(taken, 409, "in_use");
    expect(taken.json.detail).toContain(`(${key.id} of acme)`);
    await admin("POST", `/admin/keys/${key.id}/revoke`);
    expect((await put({ account_id: "other" })).status).toBe(200);
    const { json } = await admin("GET", `/admin/audit-log?account_id=acme&subject=${NAMESPACE}`);
    expect(json.data[0]).toMatchObject({ before: { account_id: "acme" }, after: null });
    const theirs = await admin("GET", `/admin/audit-log?account_id=other&subject=${NAMESPACE}`);
    expect(theirs.json.data[0]).toMatchObject({ before: null, after: { account_id: "other" } });
    expect((await admin("DELETE", `/admin/namespaces/${NAMESPACE}`)).status).toBe(204);
  });

  test("refuse what cannot be", async () => {
    for (const more of [
      { account_id: "nowhere" },
      { cluster: { ...cluster, server: "http://kube.test" } },
      { cluster: { ...cluster, server: "https://u:p@kube.test" } },
      { cluster: { ...cluster, certificate_authority_data: "not base64!" } },
      { cluster: { ...cluster, audience: "" } },
      { cluster: { ...cluster, token: "x" } },
      { name: "" },
    ]) {
      expect([more, (await put(more)).status]).toEqual([more, 400]);
    }
    expect((await put({}, "not-a-uuid")).status).toBe(400);
  });
});

describe("deleting what a key is being made to name", () => {
  const ROUNDS = 24;
  const KEYS = "/v1/account/api-keys";
  const account_id = "racing";
  let racer: ReturnType<typeof as>;
  beforeAll(async () => {
    await gateway.createAccount(account_id);
    racer = as(gateway, await sessions.of(account_id));
  });
  const uuid = (n: number) => `0d9a3f9e-5b1e-4f6a-9a57-${String(n).padStart(12, "0")}`;
  let made = 0;

  const KINDS = {
    endpoints: {
      make: async () => {
        made += 1;
        const id = `raced${made}`;
        await gateway.createEndpoint({ id, account_id, origin: origin.url });
        return id;
      },
      scopes: (id: string) => [`inference:${id}:write`],
      unknown: (id: string) => `Unknown endpoint: ${id}`,
    },
    namespaces: {
      make: async () => {
        made += 1;
        const id = uuid(made);
        const cluster = { server: "https://kube.test:6443", audience: "kube" };
        const body = { account_id, name: "n", cluster };
        expect((await admin("PUT", `/admin/namespaces/${id}`, body)).status).toBe(201);
        return id;
      },
      scopes: (id: string) => ({ kubernetes_exec: { namespace_ids: [id] } }),
      unknown: (id: string) => `Unknown namespace: ${id}`,
    },
  };
  /** What is asked beside the deletion: its answer is null, or the text of its refusal. */
  const WAYS: Record<string, (scopes: unknown) => Promise<() => Promise<string | null>>> = {
    created: async (scopes) => async () => detailOf(await racer("POST", KEYS, { name: "n", scopes })),
    edited: async (scopes) => {
      const { id } = await gateway.createKey({ account_id });
      return async () => detailOf(await racer("PATCH", `${KEYS}/${id}`, { scopes }));
    },
    "edited and enabled": async (scopes) => {
      const { id } = await gateway.createKey({ account_id, enabled: false });
      return async () => detailOf(await racer("PATCH", `${KEYS}/${id}`, { scopes, enabled: true }));
    },
    imported: async (scopes) => async () => {
      made += 1;
      const line = { account_id, name: "n", sha256: sha256Hex(`raced ${made}`), scopes };
      const { text } = await admin("POST", "/admin/keys/import", undefined, {
        body: JSON.stringify({ ...line, prefix: "pst_live_aRace" }),
        headers: { "content-type": "application/x-ndjson" },
      });
      return JSON.parse(text.split("\n")[0]!).error?.message ?? null;
    },
  };
  function detailOf({ json }: { json: { key?: string; error?: object; detail?: string } }) {
    if (json.key !== undefined) gateway.secrets.push(json.key);
    return json.error === undefined ? null : json.detail!;
  }

  test.each(Object.keys(KINDS).flatMap((kind) => Object.keys(WAYS).map((way) => [kind, way] as const)))(
    "leaves no live key that names it: %s, a key %s",
    async (kind, way) => {
      const { make, scopes, unknown } = KINDS[kind as keyof typeof KINDS];
      await Promise.all(
        Array.from({ length: ROUNDS }, async (_, round) => {
          const id = await make();
          const ask = await WAYS[way]!(scopes(id));
          const [refusal, deleted] = await Promise.all([
            ask(),
            setTimeout(round % 8).then(() => admin("DELETE", `/admin/${kind}/${id}`)),
          ]);
          if (refusal === null) expectDenial(deleted, 409, "in_use");
          else expect([refusal, deleted.status]).toEqual([unknown(id), 204]);
        }),
      );
    },
  );

  test("a key whose check was done before is not written after", async () => {
    const key = await readKey(gateway.db, (await gateway.createKey({ account_id })).id);
    const fresh = { ...key!, id: "key_fresh", hash: "f".repeat(64) };
    const now = Date.now();
    await gateway.createEndpoint({ id: "there", account_id, origin: origin.url });
    const names = { endpoint_ids: ["there"], namespace_ids: [] as string[] };
    for (const gone of [
      { ...names, endpoint_ids: ["there", "gone"] },
      { ...names, namespace_ids: [uuid(999_999)] },
    ]) {
      expect(await commit(insertKey(fresh, now, { [account_id]: gone }))).toBeNull();
      expect(await commit(updateKey(key!, { name: "x" }, now, { [account_id]: gone }))).toBeNull();
      expect(await commit(importKeys([fresh], [], { [account_id]: gone }))).toBeNull();
    }
    // Another account's is as good as gone.
    await gateway.createEndpoint({ id: "others", account_id: "other", origin: origin.url });
    expect(
      await commit(insertKey(fresh, now, { [account_id]: { ...names, endpoint_ids: ["others"] } })),
    ).toBeNull();
    expect(await commit(updateKey(key!, { name: "x" }, now, { [account_id]: names }))).toBe("committed");
  });
});

describe("members", () => {
  test("are added, changed, listed and removed; addresses are lower case", async () => {
    const put = (body: object, email = "Ann%2Btag@acme.test") =>
      admin("PUT", `/admin/members/${email}`, body);
    const created = await put({ accounts: [{ account_id: "acme", role: "member" }] });
    expect(created.status).toBe(201);
    expect(documented("PUT", "/admin/members/{email}", created)).toMatchObject({
      email: "ann+tag@acme.test",
      admin: false,
    });
    expect((await put({ accounts: [], admin: true })).status).toBe(200);
    documented("GET", "/admin/members/{email}", await admin("GET", "/admin/members/ann+tag@acme.test"));
    documented("GET", "/admin/members", await admin("GET", "/admin/members"));
    expect((await admin("GET", "/admin/members?account_id=acme")).json.data).toEqual([]);
    for (const body of [
      { accounts: [{ account_id: "nowhere", role: "owner" }] },
      { accounts: [{ account_id: "acme", role: "admin" }] },
      {
        accounts: [
          { account_id: "acme", role: "owner" },
          { account_id: "acme", role: "viewer" },
        ],
      },
      { admin: "yes" },
      { name: "Ann" },
    ]) {
      expect([body, (await put(body)).status]).toEqual([body, 400]);
    }
    expect((await put({}, "nobody")).status).toBe(400);
    // No session has such an address, but one that was added before can be removed.
    for (const email of ["zo%C3%AB@acme.test", "%E2%84%AAim@acme.test"]) {
      expectDenial(await put({}, email), 400, "invalid_request");
    }
    await gateway.db
      .prepare(
        "INSERT INTO members SELECT 'zoë@acme.test', accounts, admin, version, created_at, updated_at FROM members WHERE email = 'ann+tag@acme.test'",
      )
      .run();
    expect((await admin("DELETE", "/admin/members/zo%C3%AB@acme.test")).status).toBe(204);
    expect((await admin("DELETE", "/admin/members/ann+tag@acme.test")).status).toBe(204);
    expectDenial(await admin("GET", "/admin/members/ann+tag@acme.test"), 404, "not_found");
  });
});

describe("keys of all accounts", () => {
  test("are found by name, prefix, account, whole key and hash; no answer holds a hash", async () => {
    const key = await createKey({ name: "needle in a haystack" });
    await gateway.createKey({ account_id: "other" });
    const find = async (query: string) => {
      const answer = await admin("GET", `/admin/keys?${query}`);
      documented("GET", "/admin/keys", answer);
      expect(answer.text).not.toContain(sha256Hex(key.key));
      return answer.json.data as { id: string; account_id: string }[];
    };
    for (const q of [
      "Needle",
      key.key,
      sha256Hex(key.key),
      sha256Hex(key.key).toUpperCase(),
      key.id,
      `%20${key.key}%0A`,
    ]) {
      expect(await find(`q=${q}`)).toMatchObject([{ id: key.id, account_id: "acme" }]);
    }
    expect(await find(`q=${sha256Hex("another")}`)).toEqual([]);
    expect(await find(`q=${encodeURIComponent("what? 100%")}`)).toEqual([]);
    expect((await find("account_id=other")).every(({ account_id }) => account_id === "other")).toBe(true);
  });

  test("are edited and revoked like an account's own", async () => {
    const key = await createKey();
    const edited = await admin("PATCH", `/admin/keys/${key.id}`, { name: "by admin", enabled: false });
    expect(documented("PATCH", "/admin/keys/{id}", edited)).toMatchObject({
      name: "by admin",
      enabled: false,
    });
    expect(
      (await admin("PATCH", `/admin/keys/${key.id}`, { scopes: ["inference:nowhere:read"] })).status,
    ).toBe(400);
    documented("GET", "/admin/keys/{id}", await admin("GET", `/admin/keys/${key.id}`));
    const revoked = await admin("POST", `/admin/keys/${key.id}/revoke`);
    expect(documented("POST", "/admin/keys/{id}/revoke", revoked)).toMatchObject({ status: "revoked" });
    expectDenial(await admin("PATCH", `/admin/keys/${key.id}`, { name: "x" }), 409, "key_revoked");
    for (const method of ["PATCH", "GET"]) {
      const answer = await admin(
        method,
        "/admin/keys/key_none",
        method === "PATCH" ? { name: "x" } : undefined,
      );
      expectDenial(answer, 404, "api_key_not_found");
    }
  });
});

describe("the audit log", () => {
  test("says who, from where; the whole of it is the admins'", async () => {
    const headers = { "cf-connecting-ip": "203.0.113.9" };
    await admin("PUT", "/admin/accounts/logged", { name: "Logged" }, { headers });
    const { json } = await admin("GET", "/admin/audit-log?account_id=logged");
    expect(json.data).toMatchObject([
      {
        actor: "root@acme.test",
        address: "203.0.113.9",
        action: "account.create",
        subject: "logged",
        before: null,
        after: { name: "Logged", active_key_limit: 100, suspended: false },
      },
    ]);
  });
});

test("keys that name an endpoint or a namespace are found by it", async () => {
  await gateway.createAccount("naming");
  const of = (name: string, permissions: object) =>
    gateway.createKey({ account_id: "naming", name, permissions });
  await of("everywhere", { inference: "read_write", kubernetes_exec: "all_namespaces" });
  await of("endpoint", { inference: { endpoints: { "named-one": "read" } } });
  await of("namespace", { kubernetes_exec: { namespace_ids: [NAMESPACE] } });
  const named = async (names: string) => {
    const answer = await admin("GET", `/admin/keys?account_id=naming&names=${names}`);
    expect(answer.status).toBe(200);
    return answer.json.data.map(({ name }: { name: string }) => name);
  };
  expect(await named("named-one")).toEqual(["endpoint"]);
  expect(await named(NAMESPACE)).toEqual(["namespace"]);
  expect(await named("read")).toEqual([]);
  expect(await named("")).toHaveLength(3);
});

describe("the audit log, narrowed down,", () => {
  const log = (query: Record<string, string>) =>
    admin("GET", `/admin/audit-log?${new URLSearchParams({ account_id: "narrow", ...query })}`);
  const seen = async (query: Record<string, string>) =>
    (await log(query)).json.data.map(({ action, actor }: Record<string, string>) => `${action} ${actor}`);

  beforeAll(async () => {
    const somebody = as(gateway, await sessions.admin({ email: "somebody@acme.test" }));
    await admin("PUT", "/admin/accounts/narrow", { name: "One" });
    await somebody("PUT", "/admin/accounts/narrow", { name: "Two" });
    await admin("DELETE", "/admin/accounts/narrow");
  });

  test.each([
    [{ actor: "SOMEBODY" }, ["account.update somebody@acme.test"]],
    [{ action: "account.de" }, ["account.delete root@acme.test"]],
    [{ action: "endpoint." }, []],
    [
      { actor: "root", action: "account." },
      ["account.delete root@acme.test", "account.create root@acme.test"],
    ],
    [{ subject: "narrow", actor: "somebody" }, ["account.update somebody@acme.test"]],
    [{ subject: "narro" }, []],
    [{ actor: "", action: "", subject: "", to: "2020-01-01T00:00:00Z" }, []],
    [{ actor: "somebody", from: "2020-01-01T00:00:00Z" }, ["account.update somebody@acme.test"]],
    [{ from: "2999-01-01T00:00:00+01:00" }, []],
  ] as [Record<string, string>, string[]][])("by %j", async (query, expected) => {
    const answer = await log(query);
    documented("GET", "/admin/audit-log", answer);
    expect(await seen(query)).toEqual(expected);
  });

  test("comes in pages, and takes no other filter", async () => {
    const first = await log({ limit: "1", actor: "root" });
    expect(first.json.data).toHaveLength(1);
    const second = await log({ limit: "1", actor: "root", cursor: first.json.next_cursor });
    expect(second.json).toMatchObject({ data: [{ action: "account.create" }], next_cursor: null });
    expectDenial(await log({ from: "yesterday" }), 400, "invalid_request");
    expectDenial(await log({ who: "root" }), 400, "invalid_request");
  });

  test("reads a bounded number of rows for a page, however few fit", async () => {
    await gateway.db
      .prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
         INSERT INTO audit_log (id, at, outcome, account_id, actor, action, subject)
         SELECT 'many-' || i, i, 'committed', 'many', CASE i WHEN 1 THEN 'first' ELSE 'others' END, 'x', 'y' FROM n`,
      )
      .run();
    const page = await admin("GET", "/admin/audit-log?account_id=many&actor=first");
    expect(page.json.data).toEqual([]);
    const next = await admin(
      "GET",
      `/admin/audit-log?account_id=many&actor=first&cursor=${page.json.next_cursor}`,
    );
    expect(next.json).toMatchObject({ data: [{ actor: "first" }], next_cursor: null });
  });
});

test("every admin route needs the admin role", async () => {
  for (const { method, path } of adminRoutes) {
    const target = path.replace(/\{\w+\}/g, "x");
    const [nobody, notAdmin] = await Promise.all([
      gateway.call(target, { method }),
      owner(method, target, method === "GET" || method === "DELETE" ? undefined : {}),
    ]);
    expectDenial(nobody, 401, "missing_access_token");
    expectDenial(notAdmin, 403, "forbidden");
  }
});
