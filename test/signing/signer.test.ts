import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../src/env.ts";
import { Signer } from "../../src/signing/signer.ts";
import { publicJwks } from "../../src/signing/signing-keys.ts";
import { configWith, ISSUER, privateJwk, signerWith } from "./keys.ts";

afterEach(() => vi.restoreAllMocks());

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: "s", aud: "a", iat: now(), exp: now() + 60 });
const verify = (token: string, keys: unknown) =>
  jwtVerify(token, createLocalJWKSet(publicJwks(configWith(keys).SIGNING_KEYS)), {
    issuer: ISSUER,
    audience: "a",
  });

describe("a signer", () => {
  it.each(["ES256", "RS256"] as const)(
    "signs %s with the first key of that algorithm, as the gateway",
    async (alg) => {
      const keys = [
        await privateJwk("rs-1", "RS256"),
        await privateJwk("es-1"),
        await privateJwk("es-2"),
        await privateJwk("rs-2", "RS256"),
      ];
      const token = await signerWith(keys).sign(alg, { ...claims(), iss: "https://evil.test" });
      expect(decodeProtectedHeader(token)).toEqual({
        alg,
        kid: alg === "ES256" ? "es-1" : "rs-1",
        typ: "JWT",
      });
      expect((await verify(token, keys)).payload.iss).toBe(ISSUER);
    },
  );

  it("reads a private key once", async () => {
    const signer = signerWith([await privateJwk("es-1")]);
    const imports = vi.spyOn(crypto.subtle, "importKey");
    const signatures = vi.spyOn(crypto.subtle, "sign");
    for (let i = 0; i < 20; i += 1) await signer.sign("ES256", claims());
    expect(signatures).toHaveBeenCalledTimes(20);
    expect(imports).toHaveBeenCalledTimes(1);
  });

  it("keeps keys that nobody can take out again", async () => {
    const imports = vi.spyOn(crypto.subtle, "importKey");
    await signerWith([await privateJwk("es-1")]).sign("ES256", claims());
    expect(imports.mock.calls[0]?.[3]).toBe(false);
  });
});

describe("when keys rotate", () => {
  it("what the old one signed verifies, as long as it is listed in whichever form", async () => {
    const old = await privateJwk("es-1");
    const fresh = await privateJwk("es-2");
    const token = await signerWith([old]).sign("ES256", claims());
    const { d: _, ...retired } = old;
    for (const listed of [
      [old, fresh],
      [fresh, old],
      [fresh, retired],
    ] satisfies JWK[][]) {
      await expect(verify(token, listed)).resolves.toBeDefined();
    }
    expect(decodeProtectedHeader(await signerWith([fresh, retired]).sign("ES256", claims())).kid).toBe(
      "es-2",
    );
    await expect(verify(token, [fresh])).rejects.toThrow();
  });
});

describe("a gateway that cannot sign says why, in the log alone", () => {
  it.each<[string, () => Promise<Signer>, RegExp]>([
    [
      "no PUBLIC_URL",
      async () => new Signer(configWith([await privateJwk("es-1")], { PUBLIC_URL: "" })),
      /^PUBLIC_URL is not set/,
    ],
    [
      "no keys",
      async () => new Signer(configWith([], { SIGNING_KEYS: "" })),
      /^SIGNING_KEYS holds no ES256 key/,
    ],
    [
      "no key of the algorithm",
      async () => signerWith([await privateJwk("rs-1", "RS256")]),
      /^SIGNING_KEYS holds no ES256 key/,
    ],
    [
      "a point off the curve",
      async () => signerWith([{ ...(await privateJwk("es-1")), x: "A".repeat(43) }]),
      /^SIGNING_KEYS: the first ES256 key is not a valid private key$/,
    ],
    [
      "a private part of the wrong size",
      async () => signerWith([{ ...(await privateJwk("es-1")), d: "AAAA" }]),
      /^SIGNING_KEYS: the first ES256 key is not a valid private key$/,
    ],
  ])("%s", async (_, signer, message) => {
    const error = await (await signer()).sign("ES256", claims()).catch((caught) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });
});
