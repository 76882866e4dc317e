import { decodeProtectedHeader, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimsFor } from "../../src/kubernetes/exec-credential.ts";
import { Signer } from "../../src/signing/signer.ts";
import { expectDenial } from "../harness/denied.ts";
import { EVERYTHING } from "../harness/gateway.ts";
import { configWith, privateJwk } from "../signing/keys.ts";
import { ApiServer, NAMESPACE } from "./api-server.ts";
import { AUDIENCE, type KubernetesWorld, MINE, pathOf, startKubernetesWorld } from "./world.ts";

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

const cluster = ({ certificate, publicUrl }: KubernetesWorld, algorithms: string[]) =>
  ApiServer.start({
    certificate,
    issuer: publicUrl,
    issuerAuthority: certificate.cert,
    audience: AUDIENCE,
    algorithms,
    boundGroup: `postern:namespace:${MINE}`,
  });

describe("a gateway that signs with RS256, and has rotated its keys", () => {
  let world: KubernetesWorld;
  let api: ApiServer;
  let old: JWK;
  let token: string;

  beforeAll(async () => {
    old = await privateJwk("rs-1", "RS256");
    const fresh = await privateJwk("rs-2", "RS256");
    world = await startKubernetesWorld([await privateJwk("es-1"), fresh, old], {
      vars: { EXEC_TOKEN_ALG: "RS256" },
    });
    await world.createNamespace({ id: MINE, account_id: "acme", name: NAMESPACE });
    api = await cluster(world, ["RS256"]);
    const key = await world.gateway.createKey({ permissions: EVERYTHING });
    const answer = await world.gateway.call(pathOf(MINE, "exec-credential"), { headers: key.bearer });
    token = answer.json.status.token;
  });
  afterAll(async () => {
    await api?.stop();
    await world?.stop();
  });

  const ask = async (bearer: string) => (await api.answer(PODS, `Bearer ${bearer}`)).status;

  /** A token as this gateway minted it while another key was the first. */
  const signedWith = (keys: JWK[]) =>
    new Signer(configWith(keys, { PUBLIC_URL: world.publicUrl })).sign(
      "RS256",
      claimsFor(
        { id: "key_1", account_id: "acme", expires_at: null },
        { id: MINE, cluster: { server: "", audience: AUDIENCE } },
        Date.now(),
      ),
    );

  it("signs with the first RS256 key", async () => {
    expect(decodeProtectedHeader(token)).toEqual({ alg: "RS256", kid: "rs-2", typ: "JWT" });
    expect(await ask(token)).toBe(200);
  });

  it("what the key before it signed is still believed", async () => {
    const earlier = await signedWith([old]);
    expect(decodeProtectedHeader(earlier).kid).toBe("rs-1");
    expect(await ask(earlier)).toBe(200);
  });

  it("what a key signed that is not listed is not", async () => {
    const stranger = await privateJwk("rs-2", "RS256");
    expect(await ask(await signedWith([stranger]))).toBe(401);
    expect(await ask(await signedWith([{ ...stranger, kid: "rs-0" }]))).toBe(401);
  });

  it("a cluster that takes ES256 alone refuses it", async () => {
    const strict = await cluster(world, ["ES256"]);
    expect((await strict.answer(PODS, `Bearer ${token}`)).status).toBe(401);
    await strict.stop();
  });
});

it("a gateway without a key of EXEC_TOKEN_ALG mints nothing, and its log says why", async () => {
  const { gateway, createNamespace, stop } = await startKubernetesWorld([await privateJwk("es-1")], {
    vars: { EXEC_TOKEN_ALG: "RS256" },
  });
  await createNamespace({ id: MINE, account_id: "acme", name: NAMESPACE });
  const { bearer } = await gateway.createKey({ permissions: EVERYTHING });
  const answer = await gateway.call(pathOf(MINE, "exec-credential"), { method: "POST", headers: bearer });
  expectDenial(answer, 500, "internal_error");
  expect(answer.text).not.toMatch(/SIGNING|RS256/);
  const log = await gateway.logOf(answer.headers["x-request-id"]!);
  expect(log.message).toContain("SIGNING_KEYS holds no RS256 key");
  await stop();
});
