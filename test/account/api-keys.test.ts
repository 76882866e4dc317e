import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeySchema, NewKeySchema } from "../../src/api/schemas.ts";
import { SECRET_SCANNER_PATTERN } from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import type { Answer } from "../harness/http.ts";
import { Origin } from "../harness/origin.ts";
import { as, createSessions, type Sessions } from "../harness/sessions.ts";

/** A change is in force a lease later at the latest: one second in tests. */
const IN_FORCE = { timeout: 4000 };

const KEYS = "/v1/account/api-keys";
const DAY = 24 * 3600 * 1000;

let sessions: Sessions;
let gateway: TestGateway;
let origin: Origin;
let owner: ReturnType<typeof as>;

beforeAll(async () => {
  sessions = await createSessions();
  [gateway, origin] = await Promise.all([
    startTestGateway({ vars: { ...sessions.vars, LEGACY_KEYS: "on" } }),
    Origin.start(),
  ]);
  for (const id of ["acme", "other", "full"])
    await gateway.createAccount(id, { active_key_limit: id === "full" ? 3 : 1000 });
  await gateway.createEndpoint({ id: "mine", account_id: "acme", origin: origin.url });
  await gateway.createEndpoint({ id: "shared", origin: origin.url });
  await gateway.createEndpoint({ id: "theirs", account_id: "other", origin: origin.url });
  owner = as(gateway, await sessions.of("acme", "owner", { email: "Olga@acme.test" }));
});
afterAll(async () => {
  await gateway.stop();
  await origin.stop();
});

/** Creates a key, and checks the answer against the documented schema. */
async function create(body: object, who = owner) {
  const answer = await who("POST", KEYS, { name: "a key", scopes: { all: true }, ...body });
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
  const key = NewKeySchema.parse(answer.json);
  gateway.secrets.push(key.key);
  return key;
}

const use = (key: string, path = "/v2/mine") => gateway.call(path, { headers: { "x-api-key": key } });
const inFuture = (ms: number) => new Date(Date.now() + ms).toISOString();
const auditOf = async (id: string) => {
  const { results } = await gateway.db
    .prepare(
      "SELECT action, actor, account_id, before, after FROM audit_log WHERE subject = ? ORDER BY rowid",
    )
    .bind(id)
    .all<Record<string, string>>();
  return results;
};

describe("creating", () => {
  test("answers the key once; only its hash and prefix are kept", async () => {
    const answer = await owner("POST", KEYS, { name: "  Deploy  ", scopes: { inference: true } });
    expect(answer.status).toBe(201);
    const { key, ...shown } = NewKeySchema.parse(answer.json);
    gateway.secrets.push(key);
    expect(answer.headers.location).toBe(`${KEYS}/${shown.id}`);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(key).toMatch(new RegExp(`^${SECRET_SCANNER_PATTERN(["pst"])}$`));
    expect(key).toMatch(/^pst_live_/);
    expect(shown).toMatchObject({
      name: "Deploy",
      environment: "production",
      status: "active",
      permission: "restricted",
      scopes: { inference: true },
      template: null,
      enabled: true,
      legacy: false,
      created_by: "olga@acme.test",
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
      rotated_from: null,
      prefix: key.slice(0, "pst_live_".length + 5),
    });
    expect(shown.id).toMatch(/^key_[0-9A-Za-z]{22}$/);
    expect((await use(key)).status).toBe(200);

    for (const path of [KEYS, `${KEYS}/${shown.id}`, "/v1/account/audit-log"]) {
      const { text } = await owner("GET", path);
      expect(text).not.toContain(key);
      expect(text).not.toContain(sha256Hex(key));
    }
  });

  test("takes an environment, an expiry and a template", async () => {
    const expires_at = inFuture(DAY);
    const key = await create({ environment: "test", expires_at, scopes: undefined, template: "read_only" });
    expect(key.key).toMatch(/^pst_test_/);
    expect(key).toMatchObject({
      environment: "test",
      expires_at,
      template: "read_only",
      permission: "read_only",
    });
    expect(key.scopes).toEqual({ read_only: true });
  });

  test("refuses scopes with the exact texts of the contract", async () => {
    const uuid = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
    const refused: [unknown, string][] = [
      [{}, "At least one explicit scope is required"],
      [
        { inference: true, kubernetes_exec: { all_namespaces: true } },
        "Explicit mixed scopes are not supported",
      ],
      [{ all: true, inference: true }, "all cannot be combined with other scope fields"],
      [
        { kubernetes_exec: { namespace_ids: [] } },
        "At least one namespace ID is required unless all_namespaces is true",
      ],
      [{ kubernetes_exec: { namespace_ids: [uuid] } }, `Unknown namespace: ${uuid}`],
      [["inference:theirs:read"], "Unknown endpoint: theirs"],
      [["inference:nowhere:read"], "Unknown endpoint: nowhere"],
      [{ restricted: { inference: { endpoints: { theirs: "none" } } } }, "Unknown endpoint: theirs"],
      [{ all: "true" }, "scopes.all must be true"],
      [null, "scopes must be an object or a list of scope strings"],
    ];
    for (const [scopes, detail] of refused) {
      const answer = await owner("POST", KEYS, { name: "n", scopes } as object);
      expectDenial(answer, 400, "invalid_request");
      expect(answer.json.detail).toBe(detail);
    }
  });

  test("names what else is wrong", async () => {
    const refused: [object, string][] = [
      [{ scopes: { all: true } }, "name is required"],
      [{ name: 7, scopes: { all: true } }, "name must be a string"],
      [{ name: " ", scopes: { all: true } }, "name must be 1 to 64 characters"],
      [{ name: "x".repeat(65), scopes: { all: true } }, "name must be 1 to 64 characters"],
      [
        { name: "a\u202eb", scopes: { all: true } },
        "name must not contain control characters, line breaks or bidirectional-override characters",
      ],
      [{ name: "n" }, "scopes or template is required"],
      [{ name: "n", scopes: { all: true }, template: "read_only" }, "scopes and template cannot be combined"],
      [
        { name: "n", template: "nonesuch" },
        "Unknown template: nonesuch. GET /v1/account/permission-templates lists those there are",
      ],
      [{ name: "n", scopes: { all: true }, color: "red" }, "Unknown member: color"],
      [
        { name: "n", scopes: { all: true }, environment: "staging" },
        'environment must be "production" or "test"',
      ],
      [
        { name: "n", scopes: { all: true }, expires_at: "2020-01-01T00:00:00Z" },
        "expires_at must be in the future",
      ],
      ...[0, 1e99, "0", "tomorrow", "2030-02-30T00:00:00Z", true].map((expires_at): [object, string] => [
        { name: "n", scopes: { all: true }, expires_at },
        "expires_at must be an RFC 3339 date-time such as 2030-01-31T12:00:00Z, or null",
      ]),
    ];
    for (const [body, detail] of refused) {
      const answer = await owner("POST", KEYS, body);
      expectDenial(answer, 400, "invalid_request");
      expect(answer.json.detail).toBe(detail);
    }
  });

  test("a wildcard that the account sees serves ids without a record, but nobody else's", async () => {
    await gateway.createAccount("wild");
    const wild = as(gateway, await sessions.of("wild"));
    const ask = (id: string) => wild("POST", KEYS, { name: "n", scopes: [`inference:${id}:read`] });
    expect((await ask("anything")).status).toBe(400);
    await gateway.createEndpoint({ id: "any", account_id: "wild", path: "/v3/*", origin: origin.url });
    expect((await ask("anything")).status).toBe(201);
    expect((await ask("shared")).status).toBe(201);
    expect((await ask("theirs")).json.detail).toBe("Unknown endpoint: theirs");
  });

  test("the limit of active keys holds exactly under 50 at once; disabled and revoked keys make room", async () => {
    const full = as(gateway, await sessions.of("full"));
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => full("POST", KEYS, { name: "n", scopes: { all: true } })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectDenial(answer, 409, "active_key_limit_reached");
    }
    const [one, two] = answers.filter(({ status }) => status === 201).map(({ json }) => json.id);
    expect((await full("PATCH", `${KEYS}/${one}`, { enabled: false })).status).toBe(200);
    await create({}, full);
    expectDenial(await full("PATCH", `${KEYS}/${one}`, { enabled: true }), 409, "active_key_limit_reached");
    expect((await full("POST", `${KEYS}/${two}/revoke`)).status).toBe(200);
    expect((await full("PATCH", `${KEYS}/${one}`, { enabled: true })).status).toBe(200);
    expectDenial(
      await full("POST", KEYS, { name: "n", scopes: { all: true } }),
      409,
      "active_key_limit_reached",
    );
  });
});

test("the limit of active keys holds exactly under 50 enabled at once, beside others being made", async () => {
  await gateway.createAccount("toggled", { active_key_limit: 200 });
  const toggled = as(gateway, await sessions.of("toggled"));
  const off = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { id } = await create({}, toggled);
      expect((await toggled("PATCH", `${KEYS}/${id}`, { enabled: false })).status).toBe(200);
      return id;
    }),
  );
  await gateway.changeAccount("toggled", { active_key_limit: 7 });
  const answers = await Promise.all([
    ...off.map((id) => toggled("PATCH", `${KEYS}/${id}`, { enabled: true })),
    ...Array.from({ length: 10 }, () => toggled("POST", KEYS, { name: "n", scopes: { all: true } })),
  ]);
  const refused = answers.filter(({ status }) => status !== 200 && status !== 201);
  for (const answer of refused) expectDenial(answer, 409, "active_key_limit_reached");
  expect(answers.length - refused.length).toBe(7);
  expect((await toggled("GET", `${KEYS}?status=active&limit=100`)).json.data).toHaveLength(7);
});

describe("listing", () => {
  test("newest first, in pages that neither skip nor repeat", async () => {
    await gateway.createAccount("pages");
    const pages = as(gateway, await sessions.of("pages"));
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) ids.unshift((await create({ name: `key ${i}` }, pages)).id);
    const seen: string[] = [];
    let cursor = "";
    do {
      const { json } = await pages("GET", `${KEYS}?limit=3${cursor}`);
      for (const key of json.data) seen.push(KeySchema.parse(key).id);
      cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(ids);

    const names = async (query: string) =>
      (await pages("GET", `${KEYS}?${query}`)).json.data.map(({ name }: { name: string }) => name);
    expect(await names("q=KEY%204")).toEqual(["key 4"]);
    expect(await names("q=%25")).toEqual([]);
    expect(await names(`q=${"x".repeat(200)}`)).toEqual([]);
    expect(await names("q=pst_live_")).toHaveLength(7);
    await pages("PATCH", `${KEYS}/${ids[0]}`, { enabled: false });
    await pages("POST", `${KEYS}/${ids[1]}/revoke`);
    expect(await names("status=disabled")).toEqual(["key 6"]);
    expect(await names("status=revoked")).toEqual(["key 5"]);
    expect(await names("status=active")).toHaveLength(5);
    expect(await names("environment=test")).toEqual([]);
  });

  test("refuses parameters that mean nothing", async () => {
    for (const query of [
      ...["limit=0", "limit=101", "limit=1e1", "limit=-1", "limit=", "cursor=x", "cursor=WzFd", "cursor=e30"],
      ...["status=dead", "environment=live", "foo=1", "limit=1&limit=2", `q=${"x".repeat(513)}`],
    ]) {
      expect([query, (await owner("GET", `${KEYS}?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await owner("GET", `${KEYS}?foo=1`)).json.detail).toBe("Unknown query parameter: foo");
  });
});

describe("another account's key, and none", () => {
  test("are the same 404 on every route", async () => {
    const theirs = await create({}, as(gateway, await sessions.of("other")));
    for (const id of [theirs.id, "key_0000000000000000000000", "nonsense", "%2e%2e", "__proto__"]) {
      if (id === "%2e%2e") continue; // refused as a path
      for (const [method, tail, body] of [
        ["GET", "", undefined],
        ["PATCH", "", { name: "x" }],
        ["POST", "/revoke", undefined],
        ["POST", "/rotate", {}],
        ["GET", "/usage", undefined],
      ] as const) {
        const answer = await owner(method, `${KEYS}/${id}${tail}`, body);
        expectDenial(answer, 404, "api_key_not_found");
        expect(answer.json.detail).toBe("API key not found");
      }
    }
    expect((await use(theirs.key, "/v2/theirs")).status).toBe(200);
  });
});

describe("editing", () => {
  test("changes what is named, at once, and leaves an audit row of just that", async () => {
    const key = await create({ scopes: { restricted: {} } });
    expect((await use(key.key)).status).toBe(403);
    const edited = await owner("PATCH", `${KEYS}/${key.id}`, {
      name: "renamed",
      scopes: ["inference:mine:read"],
    });
    const { key: _, ...before } = key;
    expect(KeySchema.parse(edited.json)).toEqual({
      ...before,
      name: "renamed",
      scopes: ["inference:mine:read"],
    });
    await expect.poll(async () => (await use(key.key)).status, IN_FORCE).toBe(200);

    await owner("PATCH", `${KEYS}/${key.id}`, { enabled: false });
    await expect.poll(async () => (await use(key.key)).status, IN_FORCE).toBe(401);
    await owner("PATCH", `${KEYS}/${key.id}`, { enabled: true, expires_at: null });
    const [created, renamed, disabled, enabled] = await auditOf(key.id);
    expect(created).toMatchObject({ action: "api_key.create", actor: "olga@acme.test", account_id: "acme" });
    expect(JSON.parse(renamed!.before!)).toEqual({ name: "a key", scopes: { restricted: {} } });
    expect(JSON.parse(renamed!.after!)).toEqual({ name: "renamed", scopes: ["inference:mine:read"] });
    expect(JSON.parse(disabled!.after!)).toEqual({ enabled: false });
    expect(JSON.parse(enabled!.after!)).toEqual({ enabled: true });
  });

  test("what is already so leaves no trace", async () => {
    const key = await create({ name: "same" });
    for (const body of [
      {},
      { name: "same" },
      { enabled: true },
      { expires_at: null },
      { scopes: { all: true } },
    ]) {
      expect((await owner("PATCH", `${KEYS}/${key.id}`, body)).status).toBe(200);
    }
    expect(await auditOf(key.id)).toHaveLength(1);
  });

  test("expiry is set and cleared; a template replaces scopes, and scopes a template", async () => {
    const key = await create({});
    const expires_at = inFuture(DAY);
    const edit = async (body: object) => (await owner("PATCH", `${KEYS}/${key.id}`, body)).json;
    expect(await edit({ expires_at })).toMatchObject({ expires_at, status: "active" });
    expect(await edit({ expires_at: null })).toMatchObject({ expires_at: null });
    expect(await edit({ template: "kubectl" })).toMatchObject({
      template: "kubectl",
      scopes: { kubernetes_exec: { all_namespaces: true } },
    });
    expect(await edit({ scopes: { all: true } })).toMatchObject({ template: null, permission: "read_write" });
    for (const body of [
      { scopes: { all: true }, template: "kubectl" },
      { environment: "test" },
      { name: null },
      { enabled: 1 },
      { scopes: null },
      { expires_at: "2020-01-01T00:00:00Z" },
    ]) {
      expect((await owner("PATCH", `${KEYS}/${key.id}`, body)).status).toBe(400);
    }
  });

  test("twenty at once lose none", async () => {
    const key = await create({});
    const answers = await Promise.all([
      owner("PATCH", `${KEYS}/${key.id}`, { name: "new name" }),
      owner("PATCH", `${KEYS}/${key.id}`, { enabled: false }),
      owner("PATCH", `${KEYS}/${key.id}`, { scopes: { read_only: true } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await owner("GET", `${KEYS}/${key.id}`)).json).toMatchObject({
      name: "new name",
      enabled: false,
      scopes: { read_only: true },
    });
  });
});

describe("revoking", () => {
  test("is at once, for ever, and may be repeated", async () => {
    const key = await create({});
    expect((await use(key.key)).status).toBe(200);
    const first = await owner("POST", `${KEYS}/${key.id}/revoke`);
    expect(KeySchema.parse(first.json)).toMatchObject({ status: "revoked" });
    await expect.poll(async () => (await use(key.key)).status, IN_FORCE).toBe(401);
    const second = await owner("POST", `${KEYS}/${key.id}/revoke`);
    expect(second.json).toEqual({ ...first.json, last_used_at: second.json.last_used_at });
    for (const [method, tail, body] of [
      ["PATCH", "", { name: "x" }],
      ["PATCH", "", { enabled: true }],
      ["PATCH", "", {}],
      ["POST", "/rotate", {}],
    ] as const) {
      const answer = await owner(method, `${KEYS}/${key.id}${tail}`, body);
      expectDenial(answer, 409, "key_revoked");
      expect(answer.json.detail).toBe("Revoked or expired keys cannot be modified");
    }
  });

  test("works on expired and disabled keys, and for suspended accounts; expired keys cannot be edited", async () => {
    await gateway.createAccount("paused");
    const paused = as(gateway, await sessions.of("paused"));
    const key = await create({ expires_at: inFuture(600) }, paused);
    const other = await create({}, paused);
    await paused("PATCH", `${KEYS}/${other.id}`, { enabled: false });
    await gateway.changeAccount("paused", { suspended: true });
    await expect
      .poll(async () => (await paused("GET", `${KEYS}/${key.id}`)).json.status, IN_FORCE)
      .toBe("expired");
    const refused = await paused("PATCH", `${KEYS}/${key.id}`, { expires_at: null });
    expectDenial(refused, 409, "key_expired");
    expect(refused.json.detail).toBe("Revoked or expired keys cannot be modified");
    for (const { id } of [key, other]) {
      expect((await paused("POST", `${KEYS}/${id}/revoke`)).json.status).toBe("revoked");
    }
  });
});

describe("rotating", () => {
  const rotate = async (id: string, body: object | undefined = {}, who = owner) => {
    const answer: Answer = await who("POST", `${KEYS}/${id}/rotate`, body);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
    const key = NewKeySchema.parse(answer.json);
    gateway.secrets.push(key.key);
    return key;
  };

  test("makes an equal key; the old one works until the overlap ends", async () => {
    const old = await create({
      name: "web",
      scopes: ["inference:mine:write"],
      expires_at: inFuture(90 * DAY),
    });
    const fresh = await rotate(old.id, { overlap_seconds: 3600 });
    expect(fresh).toMatchObject({
      name: old.name,
      scopes: old.scopes,
      permission: old.permission,
      environment: old.environment,
      expires_at: old.expires_at,
      rotated_from: old.id,
    });
    expect(fresh.id).not.toBe(old.id);
    expect((await use(old.key)).status).toBe(200);
    expect((await use(fresh.key)).status).toBe(200);
    const left = Date.parse((await owner("GET", `${KEYS}/${old.id}`)).json.expires_at) - Date.now();
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
    // Each of the two has its own history.
    expect((await auditOf(old.id)).map(({ action }) => action)).toEqual(["api_key.create", "api_key.rotate"]);
    const [making, ...more] = await auditOf(fresh.id);
    expect([making, more]).toMatchObject([
      { action: "api_key.create", account_id: "acme", before: null },
      [],
    ]);
    expect(JSON.parse(making!.after!)).toMatchObject({ name: "web", rotated_from: old.id });
  });

  test("without a body the overlap is 24 hours; zero ends the old key now; never later than it would have", async () => {
    const old = await create({});
    await rotate(old.id, undefined);
    const left = Date.parse((await owner("GET", `${KEYS}/${old.id}`)).json.expires_at) - Date.now();
    expect(Math.abs(left - DAY)).toBeLessThan(10_000);

    const leaked = await create({});
    await rotate(leaked.id, { overlap_seconds: 0 });
    await expect.poll(async () => (await use(leaked.key)).status, IN_FORCE).toBe(401);

    const soon = await create({ expires_at: inFuture(60_000) });
    const fresh = await rotate(soon.id);
    expect((await owner("GET", `${KEYS}/${soon.id}`)).json.expires_at).toBe(soon.expires_at);
    expect(fresh.expires_at).toBe(soon.expires_at);
  });

  test("refuses overlaps out of range, and a second rotation of the same key", async () => {
    const old = await create({});
    for (const overlap_seconds of [-1, 30 * 24 * 3600 + 1, 1.5, "60", null]) {
      expect((await owner("POST", `${KEYS}/${old.id}/rotate`, { overlap_seconds })).status).toBe(400);
    }
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => owner("POST", `${KEYS}/${old.id}/rotate`, {})),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 201) expectDenial(answer, 409, "conflict");
  });

  test("the old key does not count while the new one is active, and cannot be kept alive past its overlap", async () => {
    await gateway.createAccount("two", { active_key_limit: 1 });
    const two = as(gateway, await sessions.of("two"));
    const old = await create({}, two);
    const fresh = await rotate(old.id, {}, two);
    expectDenial(
      await two("POST", KEYS, { name: "n", scopes: { all: true } }),
      409,
      "active_key_limit_reached",
    );
    for (const expires_at of [null, inFuture(40 * DAY)]) {
      expectDenial(await two("PATCH", `${KEYS}/${old.id}`, { expires_at }), 409, "conflict");
    }
    expect((await two("PATCH", `${KEYS}/${old.id}`, { expires_at: inFuture(60_000) })).status).toBe(200);
    // Nothing makes up for it any more: it counts again.
    await two("POST", `${KEYS}/${fresh.id}/revoke`);
    expect(await attempt(two, "POST", KEYS, { name: "n", scopes: { all: true } })).toBe(FULL);
    await two("POST", `${KEYS}/${old.id}/revoke`);
    await create({}, two);
  });

  /** The status, or the code of the denial. */
  const attempt = async (who: typeof owner, ...call: Parameters<typeof owner>) => {
    const { status, json } = await who(...call);
    if (json.key !== undefined) gateway.secrets.push(json.key);
    return json.error?.code ?? status;
  };
  const FULL = "active_key_limit_reached";

  test("of a chain, only the newest key's predecessor does not count", async () => {
    await gateway.createAccount("chain", { active_key_limit: 2 });
    const chain = as(gateway, await sessions.of("chain", "member"));
    const rotation = (id: string) => attempt(chain, "POST", `${KEYS}/${id}/rotate`, {});
    const k0 = await create({}, chain);
    const k1 = await rotate(k0.id, {}, chain);
    const k2 = await rotate(k1.id, {}, chain);
    // k0 and k2 count: k3 would make k1 the third.
    const full = await chain("POST", `${KEYS}/${k2.id}/rotate`, {});
    expectDenial(full, 409, FULL);
    expect((await chain("GET", `${KEYS}?status=active`)).json.data).toHaveLength(3);
    await chain("PATCH", `${KEYS}/${k1.id}`, { enabled: false });
    const k3 = await rotate(k2.id, {}, chain);
    // k1 is off and may not come back: k0 and k3 count, and k2 does not make up for it.
    expect(await attempt(chain, "PATCH", `${KEYS}/${k1.id}`, { enabled: true })).toBe(FULL);
    expect(await rotation(k3.id)).toBe(FULL);
    await chain("POST", `${KEYS}/${k0.id}/revoke`);
    expect(await rotation(k3.id)).toBe(201);
    expect(await attempt(chain, "POST", KEYS, { name: "n", scopes: { all: true } })).toBe(FULL);
  });

  test("a disabled key and its successor are enabled by the same count", async () => {
    await gateway.createAccount("off", { active_key_limit: 1 });
    const off = as(gateway, await sessions.of("off"));
    const turn = (id: string, enabled: boolean) => attempt(off, "PATCH", `${KEYS}/${id}`, { enabled });
    const a = await create({}, off);
    await turn(a.id, false);
    const b = await create({}, off);
    const successor = await rotate(a.id, {}, off);
    expect([await turn(a.id, true), await turn(successor.id, true)]).toEqual([FULL, FULL]);
    await off("POST", `${KEYS}/${b.id}/revoke`);
    // One that counts, and one that makes up for it; in either order.
    for (const [one, other] of [
      [a, successor],
      [successor, a],
    ] as const) {
      expect([await turn(one.id, true), await turn(other.id, true)]).toEqual([200, 200]);
      expect(await attempt(off, "POST", KEYS, { name: "n", scopes: { all: true } })).toBe(FULL);
      expect([await turn(one.id, false), await turn(other.id, false)]).toEqual([200, 200]);
    }
    // An expired successor makes up for nothing.
    expect(await turn(a.id, true)).toBe(200);
    await gateway.changeKey(successor.id, { enabled: true, expires_at: Date.now() - 1 });
    expect(await attempt(off, "POST", KEYS, { name: "n", scopes: { all: true } })).toBe(FULL);
  });

  test("the limit holds exactly where 20 chains are rotated on at once, beside others being made", async () => {
    await gateway.createAccount("chains", { active_key_limit: 100 });
    const chains = as(gateway, await sessions.of("chains"));
    const newest = await Promise.all(
      Array.from({ length: 20 }, async () => rotate((await create({}, chains)).id, {}, chains)),
    );
    await gateway.changeAccount("chains", { active_key_limit: 25 });
    const answers = await Promise.all([
      ...newest.map(({ id }) => attempt(chains, "POST", `${KEYS}/${id}/rotate`, {})),
      ...Array.from({ length: 5 }, () => attempt(chains, "POST", KEYS, { name: "n", scopes: { all: true } })),
    ]);
    expect(answers.filter((answer) => answer === 201)).toHaveLength(5);
    expect(answers.filter((answer) => answer === FULL)).toHaveLength(20);
  });

  test("a legacy key gives a native one with equal permissions; its own scopes cannot be edited", async () => {
    const legacy = await gateway.createKey({
      secret: "LEGACYKEYLEGACYKEYLEGACYKEYLEGACYKEY0123",
      legacy: true,
      permissions: { graphql: "read", inference: "read_write" },
    });
    const shown = (await owner("GET", `${KEYS}/${legacy.id}`)).json;
    expect(shown).toMatchObject({ permission: "legacy", legacy: true });
    for (const body of [{ scopes: { all: true } }, { template: "read_only" }]) {
      expectDenial(await owner("PATCH", `${KEYS}/${legacy.id}`, body), 409, "legacy_key");
    }
    expect((await owner("PATCH", `${KEYS}/${legacy.id}`, { name: "old one", enabled: true })).status).toBe(
      200,
    );
    const fresh = await rotate(legacy.id);
    expect(fresh).toMatchObject({
      legacy: false,
      permission: "restricted",
      name: "old one",
      scopes: { restricted: { graphql: "read", inference: "read_write" } },
    });
    expect((await use(fresh.key)).status).toBe(200);
  });

  test("a disabled key gives a disabled one", async () => {
    const old = await create({});
    await owner("PATCH", `${KEYS}/${old.id}`, { enabled: false });
    expect(await rotate(old.id)).toMatchObject({ enabled: false, status: "disabled" });
  });
});

describe("roles", () => {
  test("members make keys, and see and change those they made; viewers look", async () => {
    await gateway.createAccount("team");
    const olga = as(gateway, await sessions.of("team", "owner", { email: "olga@team.test" }));
    const max = as(gateway, await sessions.of("team", "member", { email: "max@team.test" }));
    const vera = as(gateway, await sessions.of("team", "viewer", { email: "vera@team.test" }));
    const olgas = await create({ name: "olga's" }, olga);
    const maxs = await create({ name: "max's" }, max);

    const listed = async (who: typeof olga) =>
      (await who("GET", KEYS)).json.data.map(({ name }: { name: string }) => name);
    expect(await listed(olga)).toEqual(["max's", "olga's"]);
    expect(await listed(max)).toEqual(["max's"]);
    expect(await listed(vera)).toEqual(["max's", "olga's"]);

    for (const [method, tail, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { name: "x" }],
      ["POST", "/revoke", undefined],
      ["POST", "/rotate", {}],
      ["GET", "/usage", undefined],
    ] as const) {
      expectDenial(await max(method, `${KEYS}/${olgas.id}${tail}`, body), 404, "api_key_not_found");
      if (method !== "GET")
        expectDenial(await vera(method, `${KEYS}/${olgas.id}${tail}`, body), 403, "forbidden");
      else expect((await vera(method, `${KEYS}/${olgas.id}${tail}`)).status).toBe(200);
    }
    expectDenial(await vera("POST", KEYS, { name: "n", scopes: { all: true } }), 403, "forbidden");
    expectDenial(await max("GET", "/v1/account/audit-log"), 403, "forbidden");
    expect((await max("PATCH", `${KEYS}/${maxs.id}`, { name: "mine" })).status).toBe(200);
    expect((await olga("POST", `${KEYS}/${maxs.id}/revoke`)).status).toBe(200);
  });
});

describe("last used", () => {
  test("is known from the ledger before D1 has it, to the second", async () => {
    const key = await create({});
    const before = Date.now();
    await use(key.key);
    const shown = async () => (await owner("GET", `${KEYS}/${key.id}`)).json.last_used_at;
    await expect.poll(shown, { timeout: 5000 }).not.toBeNull();
    expect(Math.abs(Date.parse(await shown()) - before)).toBeLessThan(2000);
  });

  test("is as exact in the answers to changes", async () => {
    const key = await create({});
    await use(key.key);
    const shown = async () => (await owner("GET", `${KEYS}/${key.id}`)).json.last_used_at;
    await expect.poll(shown, { timeout: 5000 }).not.toBeNull();
    // D1 knows nothing of it, or forgets: only the ledger can tell.
    await gateway.db.prepare("DELETE FROM key_last_used WHERE key_id = ?").bind(key.id).run();
    const { last_used_at } = (await owner("PATCH", `${KEYS}/${key.id}`, { name: "renamed" })).json;
    expect(last_used_at).not.toBeNull();
    const revoked = await owner("POST", `${KEYS}/${key.id}/revoke`);
    expect(revoked.json.last_used_at).toBe(last_used_at);
  });
});

describe("GET /v1/key", () => {
  const ask = (headers: Record<string, string>, path = "/v1/key", method = "GET") =>
    gateway.call(path, { method, headers });

  test("tells a key what it may do, and nothing else", async () => {
    const expires_at = inFuture(DAY);
    const key = await create({ name: "Asks", scopes: ["inference:mine:read", "graphql:read"], expires_at });
    for (const headers of [{ "x-api-key": key.key }, { authorization: `Bearer ${key.key}` }] as const) {
      const answer = await ask(headers);
      expect(answer.status).toBe(200);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.json).toEqual({
        name: "Asks",
        prefix: key.prefix,
        environment: "production",
        permissions: { graphql: "read", inference: { endpoints: { mine: "read" } }, kubernetes_exec: "none" },
        expires_at,
      });
    }
    const test = await create({ environment: "test", scopes: { restricted: {} } });
    expect((await ask({ "x-api-key": test.key })).json).toMatchObject({
      environment: "test",
      permissions: { graphql: "none", inference: "none", kubernetes_exec: "none" },
    });
  });

  test("refuses what opens nothing, as the data plane does", async () => {
    const key = await create({});
    const off = await create({});
    await owner("PATCH", `${KEYS}/${off.id}`, { enabled: false });
    expectDenial(await ask({}), 401, "invalid_api_key");
    expectDenial(await ask({ "x-api-key": gateway.strayKey() }), 401, "invalid_api_key");
    expectDenial(await ask({ "x-api-key": off.key }), 401, "invalid_api_key");
    expectDenial(await ask({}, `/v1/key?api_key=${key.key}`), 401, "invalid_api_key");
    expectDenial(await ask({ "x-api-key": key.key, authorization: key.key }), 400, "invalid_request");
    const deleting = await ask({ "x-api-key": key.key }, "/v1/key", "DELETE");
    expectDenial(deleting, 405, "method_not_allowed");
    expect(await gateway.logOf(deleting.headers["x-request-id"]!)).toMatchObject({
      decision: "deny",
      reason: "method_not_allowed",
    });
  });
});

describe("a key is never a session, and a session never a key", () => {
  test("whatever either may do", async () => {
    const key = await create({ scopes: { all: true } });
    for (const headers of [
      { "x-api-key": key.key },
      { authorization: `Bearer ${key.key}` },
      { "cf-access-jwt-assertion": key.key },
    ]) {
      for (const path of [KEYS, "/v1/account/scopes", "/admin/accounts"]) {
        expectDenial(
          await gateway.call(path, { headers: headers as Record<string, string> }),
          401,
          "missing_access_token",
        );
      }
    }
    const session = await sessions.of("acme", ["owner", "admin"]);
    const token = session.authorization!.slice("Bearer ".length);
    for (const headers of [session, { "x-api-key": token }] as Record<string, string>[]) {
      expectDenial(await gateway.call("/v2/mine", { headers }), 401, "invalid_api_key");
      expectDenial(await gateway.call("/v1/key", { headers }), 401, "invalid_api_key");
    }
  });
});
