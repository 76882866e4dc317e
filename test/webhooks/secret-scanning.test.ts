import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/keys/hash.ts";
import { expectDenial } from "../harness/denied.ts";
import { startTestGateway, type TestGateway, type TestKey } from "../harness/gateway.ts";

/** A change is in force a lease later at the latest: one second in tests. */
const IN_FORCE = { timeout: 4000 };

const PATH = "/webhooks/secret-scanning";

const pair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const [current, old, stranger] = [pair(), pair(), pair()];
const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }) as string;

/** A stand-in for GitHub's list of keys. */
let partner: http.Server;
let up = false;
let fetches = 0;
let gateway: TestGateway;

beforeAll(async () => {
  partner = http.createServer((_, response) => {
    fetches += 1;
    response.writeHead(up ? 200 : 500, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        public_keys: [
          { key_identifier: "current", key: pem(current.publicKey), is_current: true },
          { key_identifier: "old", key: pem(old.publicKey), is_current: false },
          { key_identifier: "broken", key: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" },
        ],
      }),
    );
  });
  await new Promise<void>((done) => partner.listen(0, "127.0.0.1", done));
  const { port } = partner.address() as AddressInfo;
  gateway = await startTestGateway({
    vars: { SECRET_SCANNING_KEYS_URL: `http://127.0.0.1:${port}/keys`, LEGACY_KEYS: "on" },
  });
  await gateway.createAccount("acme");
});
afterAll(async () => {
  await gateway.stop();
  partner.closeAllConnections();
  partner.close();
});

const found = (token: string, more: object = {}) => ({
  token,
  type: "postern_api_key",
  url: "https://github.com/octocat/x/blob/main/a.txt",
  source: "content",
  ...more,
});

function report(tokens: unknown, { key = current.privateKey, id = "current", headers = {} } = {}) {
  const body = typeof tokens === "string" ? tokens : JSON.stringify(tokens);
  const signature = sign("sha256", Buffer.from(body), key).toString("base64");
  return gateway.call(PATH, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "github-public-key-identifier": id,
      "github-public-key-signature": signature,
      ...headers,
    },
  });
}

const isRevoked = async ({ id }: TestKey) =>
  (await gateway.db.prepare("SELECT revoked_at FROM keys WHERE id = ?").bind(id).first("revoked_at")) !==
  null;

describe("signatures", () => {
  test("while the keys cannot be had, the answer is 503 and nothing is revoked", async () => {
    const key = await gateway.createKey();
    expectDenial(await report([found(key.key)]), 503, "state_unavailable");
    expect(await isRevoked(key)).toBe(false);
    up = true;
    // Not asked for again at once: whoever posts without a signature must not be able to keep it busy.
    await expect.poll(async () => (await report([])).status, { timeout: 10_000 }).toBe(200);
  });

  test("a forged, altered, misattributed or missing one is 401 and revokes nothing", async () => {
    const key = await gateway.createKey();
    const body = JSON.stringify([found(key.key)]);
    const good = sign("sha256", Buffer.from(body), current.privateKey);
    const send = (headers: Record<string, string>, text = body) =>
      gateway.call(PATH, { method: "POST", body: text, headers });
    const by = (signature: Buffer | string, id = "current") => ({
      "github-public-key-identifier": id,
      "github-public-key-signature": typeof signature === "string" ? signature : signature.toString("base64"),
    });
    const flipped = Buffer.from(good);
    flipped[flipped.length - 1]! ^= 1;
    const refused = {
      "one byte of the body": await send(by(good), body.replace("octocat", "0ctocat")),
      "white space added": await send(by(good), `${body}\n`),
      "one bit of the signature": await send(by(flipped)),
      "raw instead of DER": await send(
        by(sign("sha256", Buffer.from(body), { key: current.privateKey, dsaEncoding: "ieee-p1363" })),
      ),
      "another key": await send(by(sign("sha256", Buffer.from(body), stranger.privateKey))),
      "the wrong listed key": await send(by(good, "old")),
      "a key that cannot be read": await send(by(good, "broken")),
      "an unknown key": await send(by(good, "nonesuch")),
      "not base64": await send(by("!!")),
      "an empty signature": await send(by("")),
      "no signature": await send({ "github-public-key-identifier": "current" }),
      "no key": await send({ "github-public-key-signature": good.toString("base64") }),
      "twice the signature": await send(by(`${good.toString("base64")}, ${good.toString("base64")}`)),
    };
    for (const [name, answer] of Object.entries(refused)) {
      expect([name, answer.status]).toEqual([name, 401]);
      expectDenial(answer, 401, "invalid_signature");
    }
    expect(await isRevoked(key)).toBe(false);
  });

  test("a key that is no longer current serves while it is listed", async () => {
    const key = await gateway.createKey();
    expect((await report([found(key.key)], { key: old.privateKey, id: "old" })).status).toBe(200);
    expect(await isRevoked(key)).toBe(true);
  });

  test("unknown key ids do not make the gateway fetch again and again", async () => {
    const before = fetches;
    for (let i = 0; i < 10; i += 1) await report([], { id: `guess-${i}` });
    expect(fetches).toBe(before);
  });
});

describe("reports", () => {
  test("ours are revoked and labelled in the order of the report, others not; a replay changes nothing", async () => {
    const live = await gateway.createKey();
    const revoked = await gateway.createKey({ revoked_at: 1000 });
    const legacy = await gateway.createKey({ secret: "LEGACYLEGACYLEGACY", legacy: true });
    const unrelated = await gateway.createKey();
    const stray = gateway.strayKey();
    const tokens = [
      found("ghp_notours"),
      found(live.key),
      found(revoked.key),
      found(legacy.key, { source: null, url: "" }),
      found(stray),
      found(live.key, { url: `https://x.test/?k=${live.key}`, new_member: 1 }),
      found(`${live.key}x`),
      found(""),
    ];
    const answer = await report(tokens);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual(
      tokens.map(({ token, type }, i) => ({
        token_hash: sha256Hex(token),
        token_type: type,
        label: [1, 2, 3, 5].includes(i) ? "true_positive" : "false_positive",
      })),
    );
    expect(answer.text).not.toContain(live.key);
    expect(await Promise.all([live, legacy, unrelated].map(isRevoked))).toEqual([true, true, false]);
    await expect
      .poll(async () => (await gateway.call("/v2/x", { headers: live.bearer })).status, IN_FORCE)
      .toBe(401);

    const audit = async () => {
      const { results } = await gateway.db
        .prepare(
          "SELECT actor, action, account_id, after FROM audit_log WHERE subject = ? AND action = 'api_key.revoke'",
        )
        .bind(live.id)
        .all<{ after: string }>();
      return results;
    };
    const [row, ...more] = await audit();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ actor: "secret-scanning", account_id: "acme" });
    expect(JSON.parse(row!.after)).toMatchObject({ reason: "found in public", source: "content" });
    const again = await report(tokens);
    expect(again.json).toEqual(answer.json);
    expect(await audit()).toHaveLength(1);
  });

  test("a URL that holds a key, in the report or not, however often it is percent-encoded, is not kept", async () => {
    const other = await gateway.createKey();
    const encoded = (text: string, times: number): string =>
      times === 0
        ? text
        : encoded(
            text.replace(/[_%]/g, (c) => `%${c.charCodeAt(0).toString(16)}`),
            times - 1,
          );
    const kept = async (url: string, record: object = {}) => {
      const key = await gateway.createKey(record);
      expect((await report([found(key.key, { url: url.replace("OWN", key.key) })])).status).toBe(200);
      const after = await gateway.db
        .prepare("SELECT after FROM audit_log WHERE subject = ? AND action = 'api_key.revoke'")
        .bind(key.id)
        .first<string>("after");
      return JSON.parse(after!).url as string | null;
    };
    for (const times of [0, 1, 2, 4, 9]) {
      expect([times, await kept(`https://x.test/?k=x${encoded(other.key, times)}y`)]).toEqual([times, null]);
    }
    expect(await kept("https://x.test/OWN")).toBeNull();
    const legacy = { secret: "GLUEDGLUEDGLUED", legacy: true };
    expect(await kept("https://x.test/aOWNb", legacy)).toBeNull();
    const innocent = "https://x.test/a%20b%25/pst_live_abc?q=%2541";
    expect(await kept(innocent)).toBe(innocent);
    expect(await isRevoked(other)).toBe(false);
  });

  test("ten thousand tokens, foreign, repeated and ours, are done in seconds", async () => {
    const ours = await Promise.all(Array.from({ length: 20 }, () => gateway.createKey()));
    const tokens = Array.from({ length: 10_000 }, (_, i) =>
      found(i % 500 === 0 ? ours[i / 500]!.key : i % 3 === 0 ? "repeated" : `ghp_${i}`),
    );
    const began = Date.now();
    const answer = await report(tokens);
    expect(Date.now() - began).toBeLessThan(10_000);
    const labels = answer.json.map(({ label }: { label: string }) => label === "true_positive");
    expect(labels).toEqual(tokens.map((_, i) => i % 500 === 0));
    expect(await Promise.all(ours.map(isRevoked))).toEqual(ours.map(() => true));
  });

  test("what is signed but makes no sense is 400", async () => {
    for (const body of [
      "",
      "{}",
      "[1]",
      '[{"token":1,"type":"t"}]',
      '[{"token":"t"}]',
      "[".repeat(100),
      "\u{feff}[]",
    ]) {
      expectDenial(await report(body), 400, "invalid_request");
    }
  });

  test("needs no session, and nothing else is under /webhooks", async () => {
    expectDenial(await gateway.call(PATH), 401, "missing_access_token");
    expectDenial(await gateway.call("/webhooks/other", { method: "POST" }), 401, "missing_access_token");
  });
});
