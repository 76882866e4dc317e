import type { JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { publicJwks } from "../../src/signing/signing-keys.ts";
import { configWith, privateJwk } from "./keys.ts";

let ec: JWK;
let rsa: JWK;
beforeAll(async () => {
  ec = await privateJwk("es-1");
  rsa = await privateJwk("rs-1", "RS256");
});

const without = (jwk: JWK, ...members: string[]) =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !members.includes(name)));
const RSA_PRIVATE = ["d", "p", "q", "dp", "dq", "qi"];

describe("SIGNING_KEYS is taken", () => {
  it("with keys of both algorithms, and what is published holds nothing private", async () => {
    const second = await privateJwk("es-2");
    const given = [
      { ...ec, use: "sig", key_ops: ["verify"], ext: true, x5c: ["?"], note: "mine" },
      rsa,
      second,
    ];
    const { SIGNING_KEYS } = configWith(given);
    const published = publicJwks(SIGNING_KEYS).keys;
    expect(published.map(({ kid }) => kid)).toEqual(["es-1", "rs-1", "es-2"]);
    expect(Object.keys(published[0]!).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    expect(Object.keys(published[1]!).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    const text = JSON.stringify(published);
    for (const key of [ec, rsa, second]) {
      for (const member of RSA_PRIVATE) {
        const secret = key[member as "d"];
        if (secret !== undefined) expect(text).not.toContain(secret);
      }
    }
  });

  it("with a retired key's public half", () => {
    const { SIGNING_KEYS } = configWith([ec, { ...without(ec, "d"), kid: "es-0" }]);
    expect(SIGNING_KEYS?.map(({ privateJwk: half }) => half !== null)).toEqual([true, false]);
  });

  it("not at all: then nothing is published", () => {
    expect(publicJwks(configWith([], { SIGNING_KEYS: "" }).SIGNING_KEYS)).toEqual({ keys: [] });
  });
});

describe("SIGNING_KEYS is refused, with words that say what is wrong and show nothing of a key", () => {
  it.each<[string, () => unknown, string]>([
    ["no list", () => undefined, "must be a JWK set with at least one key"],
    ["an empty list", () => [], "must be a JWK set with at least one key"],
    ["no JWK", () => ["x"], "key 1: must be a JWK"],
    ["no kid", () => [without(ec, "kid")], "key 1: kid is missing"],
    ["an empty kid", () => [{ ...ec, kid: "" }], "key 1: kid is missing"],
    ["a kid twice", () => [ec, { ...rsa, kid: "es-1" }], "key 2: kid is another key's already"],
    ["no alg", () => [ec, without(rsa, "alg")], "key 2: alg must be ES256 or RS256"],
    ["alg none", () => [{ ...ec, alg: "none" }], "key 1: alg must be ES256 or RS256"],
    [
      "a shared secret",
      () => [{ kty: "oct", k: "AAAA", kid: "k", alg: "HS256" }],
      "key 1: alg must be ES256 or RS256",
    ],
    ["a key for encryption", () => [{ ...ec, use: "enc" }], "key 1: use must be sig"],
    ["another type of key", () => [{ ...ec, alg: "RS256" }], "key 1: kty must be RSA for RS256"],
    ["another curve", () => [{ ...ec, crv: "P-384" }], "key 1: crv must be P-256 for ES256"],
    ["no y", () => [without(ec, "y")], "key 1: y must be base64url"],
    ["text that is not base64url", () => [{ ...ec, x: "a+b/c=" }], "key 1: x must be base64url"],
    [
      "a short RSA key",
      () => [{ ...rsa, n: rsa.n!.slice(0, 170) }],
      "key 1: an RS256 key must have at least 2048 bits",
    ],
    [
      "half of a private part",
      () => [without(rsa, "qi", "dp")],
      "key 1: the private part is incomplete: dp, qi",
    ],
    [
      "no private part",
      () => [without(ec, "d")],
      "key 1: the first ES256 key signs, so it needs its private part",
    ],
    [
      "no private part of the other algorithm",
      () => [ec, without(rsa, ...RSA_PRIVATE)],
      "key 2: the first RS256 key signs, so it needs its private part",
    ],
  ])("%s", (_, keys, message) => {
    let said = "";
    try {
      configWith(keys());
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain("SIGNING_KEYS: ");
    expect(said).toContain(message);
    for (const key of [ec, rsa]) {
      for (const secret of [key.d, key.x, key.n, key.p])
        if (secret) expect(said).not.toContain(secret.slice(0, 12));
    }
  });

  it("text that is no JSON", () => {
    expect(() => configWith([], { SIGNING_KEYS: `{"keys":[${JSON.stringify(ec)}` })).toThrow(
      "SIGNING_KEYS: must be JSON",
    );
  });
});
