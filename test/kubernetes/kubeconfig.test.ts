import { KubeConfig } from "@kubernetes/client-node";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXEC_PLUGIN } from "../../src/kubernetes/exec-plugin.ts";
import { kubeconfig, quoted } from "../../src/kubernetes/kubeconfig.ts";
import { expectDenial } from "../harness/denied.ts";
import { EVERYTHING } from "../harness/gateway.ts";
import { privateJwk } from "../signing/keys.ts";
import { FOREIGN, type KubernetesWorld, MINE, pathOf, startKubernetesWorld, UNKNOWN } from "./world.ts";

const cluster = { server: "https://k8s.test:6443", certificate_authority_data: "Q0E=", audience: "a" };

/** Reads it as client libraries do. */
function read(text: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  return config;
}

describe("a kubeconfig", () => {
  it("holds all that a client needs, and no key", () => {
    const config = read(kubeconfig({ id: MINE, name: "team-a", cluster }, "https://gw.test/", "v1"));
    const title = "postern-team-a-6f1c2d3e";
    expect(config.getCurrentContext()).toBe(title);
    expect(config.getContextObject(title)).toEqual({
      name: title,
      cluster: title,
      user: title,
      namespace: "team-a",
    });
    expect(config.getCurrentCluster()).toMatchObject({
      name: title,
      server: cluster.server,
      caData: "Q0E=",
      skipTLSVerify: false,
    });
    expect(config.getCurrentUser()?.exec).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      interactiveMode: "Never",
      installHint: expect.any(String),
      command: "sh",
      args: [
        "-c",
        EXEC_PLUGIN,
        "postern",
        `https://gw.test/v1/kubernetes/namespaces/${MINE}/exec-credential`,
        "v1",
      ],
    });
  });

  it("leaves out what there is none of", () => {
    const bare = { server: cluster.server, audience: "a" };
    const text = kubeconfig({ id: MINE, name: "Team A", cluster: bare }, "https://gw.test", "v1beta1");
    expect(text).not.toContain("certificate-authority-data");
    const config = read(text);
    expect(config.getCurrentContext()).toBe(`postern-${MINE}`);
    expect(config.getContextObject(`postern-${MINE}`)?.namespace).toBeUndefined();
    expect(config.getCurrentUser()?.exec.apiVersion).toBe("client.authentication.k8s.io/v1beta1");
  });

  it.each([
    'x"\n    user: {exec: {command: evil}}\n#',
    "x\n  - name: evil",
    "*alias",
    "&anchor",
    "!!binary x",
    "- x: y",
    "{a: b}",
    "%TAG",
    "---",
    "null",
    "\u2028\u0085\u007f\u0000\u001b[2J",
    "😀",
    "'; rm -rf / #",
    "$(id)",
    "`id`",
  ])("stays what it is, whatever is put into it: %j", (hostile) => {
    const url = "https://gw.test";
    const namespace = {
      id: MINE,
      name: hostile,
      cluster: { server: hostile, certificate_authority_data: hostile, audience: hostile },
    };
    const config = read(kubeconfig(namespace, url, "v1"));
    expect(config.clusters.map(({ server, caData }) => [server, caData])).toEqual([[hostile, hostile]]);
    expect(config.users).toHaveLength(1);
    expect(config.users[0]?.exec.command).toBe("sh");
    expect(config.users[0]?.exec.args[1]).toBe(EXEC_PLUGIN);
    expect(config.contexts).toHaveLength(1);
  });

  it("is printable ASCII", () => {
    expect(quoted('a"\\\n\u007fé😀')).toBe('"a\\"\\\\\\n\\U0000007f\\U000000e9\\U0001f600"');
  });
});

describe("GET /v1/kubernetes/namespaces/{id}/kubeconfig", () => {
  let world: KubernetesWorld;
  let sessionKey: CryptoKey;

  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    sessionKey = privateKey;
    world = await startKubernetesWorld([await privateJwk("es-1")], {
      vars: {
        SESSION_ISSUER: "https://id.test",
        SESSION_AUDIENCE: "postern",
        SESSION_JWKS: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "s" }] }),
      },
    });
    await world.createNamespace({ id: MINE, account_id: "acme", name: "team-a" });
    await world.createNamespace({ id: FOREIGN, account_id: "other", name: "theirs" });
  });
  afterAll(() => world?.stop());

  const session = async (claims: Record<string, unknown>) => {
    const token = await new SignJWT({ sub: "u1", ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "s" })
      .setIssuer("https://id.test")
      .setAudience("postern")
      .setExpirationTime("5m")
      .sign(sessionKey);
    return { authorization: `Bearer ${token}` };
  };
  const get = (id: string, headers: Record<string, string>, query = "", method = "GET") =>
    world.gateway.call(pathOf(id, "kubeconfig") + query, { method, headers });

  it("is given to a key that holds the namespace, without the key in it", async () => {
    const { key, bearer } = await world.gateway.createKey({
      permissions: { kubernetes_exec: { namespace_ids: [MINE] } },
    });
    const answer = await get(MINE, bearer);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/yaml");
    expect(answer.headers["content-disposition"]).toBe('attachment; filename="postern-team-a-6f1c2d3e.yaml"');
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.text).not.toContain(key);
    const exec = read(answer.text).getCurrentUser()?.exec;
    expect(exec.args[3]).toBe(world.publicUrl + pathOf(MINE, "exec-credential"));
    expect(exec.apiVersion).toBe("client.authentication.k8s.io/v1");
  });

  it("comes in the version asked for", async () => {
    const { bearer } = await world.gateway.createKey({ permissions: EVERYTHING });
    const answer = await get(MINE, bearer, "?apiVersion=client.authentication.k8s.io/v1beta1");
    expect(read(answer.text).getCurrentUser()?.exec.apiVersion).toBe("client.authentication.k8s.io/v1beta1");
    expectDenial(await get(MINE, bearer, "?apiVersion=v3"), 400, "invalid_request");
  });

  it("is refused as the credential is", async () => {
    const plain = await world.gateway.createKey({ permissions: { inference: "read_write" } });
    const all = await world.gateway.createKey({ permissions: EVERYTHING });
    expectDenial(await get(MINE, plain.bearer), 403, "insufficient_scope");
    expectDenial(await get(FOREIGN, all.bearer), 404, "not_found");
    expectDenial(await get(UNKNOWN, all.bearer), 404, "not_found");
    expectDenial(await get(MINE, {}), 401, "invalid_api_key");
    expectDenial(await get(MINE, { "x-api-key": world.gateway.strayKey() }), 401, "invalid_api_key");
    const wrongMethod = await get(MINE, all.bearer, "", "POST");
    expectDenial(wrongMethod, 405, "method_not_allowed");
    expect(wrongMethod.headers.allow).toBe("GET, HEAD, OPTIONS");
  });

  it("has a head", async () => {
    const { bearer } = await world.gateway.createKey({ permissions: EVERYTHING });
    const answer = await get(MINE, bearer, "", "HEAD");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/yaml");
    expect(answer.text).toBe("");
  });

  it.each<[string, Record<string, unknown>]>([
    ["viewer", { account_id: "acme", role: "viewer" }],
    ["owner of several accounts", { account_id: ["other", "acme"], role: "owner" }],
    ["admin", { role: "admin" }],
  ])("is given to a session that sees the account: %s", async (_, claims) => {
    const answer = await get(MINE, await session(claims));
    expect(answer.status).toBe(200);
    expect(read(answer.text).getCurrentCluster()?.server).toBe("https://127.0.0.1:1");
  });

  it("is 404 to any other session, and 401 to what is none", async () => {
    const mine = await session({ account_id: "acme", role: "owner" });
    expectDenial(await get(FOREIGN, mine), 404, "not_found");
    expectDenial(await get(UNKNOWN, mine), 404, "not_found");
    expectDenial(await get(MINE, await session({})), 404, "not_found");
    expectDenial(await get(MINE, { authorization: `${mine.authorization}x` }), 401, "missing_access_token");
    expectDenial(await get(MINE, { ...mine, "x-api-key": "x" }), 400, "invalid_request");
  });

  it("a session mints nothing", async () => {
    const headers = await session({ account_id: "acme", role: "owner", admin: true });
    const answer = await world.gateway.call(pathOf(MINE, "exec-credential"), { method: "POST", headers });
    expectDenial(answer, 401, "invalid_api_key");
  });
});
