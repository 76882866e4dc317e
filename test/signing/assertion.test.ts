import { decodeJwt, type JWTPayload } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AssertedCaller, Assertions } from "../../src/signing/assertion.ts";
import { ISSUER, privateJwk, signerWith } from "./keys.ts";

const START = 1_700_000_000_000;
const caller: AssertedCaller = {
  accountId: "acme",
  keyId: "key_1",
  environment: "production",
  access: "read",
  endpointId: "epA",
  expiresAt: null,
};

let assertions: Assertions;
let signatures: ReturnType<typeof vi.spyOn>;
beforeEach(async () => {
  assertions = new Assertions(signerWith([await privateJwk("es-1")]));
  signatures = vi.spyOn(crypto.subtle, "sign");
});
afterEach(() => vi.restoreAllMocks());

const claimsAt = async (ms: number, change: Partial<AssertedCaller> = {}): Promise<JWTPayload> =>
  decodeJwt(await assertions.of({ ...caller, ...change }, ms));

describe("an assertion", () => {
  it("says who calls, to one endpoint, for a minute", async () => {
    expect(await claimsAt(START)).toEqual({
      iss: ISSUER,
      sub: "acme",
      aud: "epA",
      iat: START / 1000,
      exp: START / 1000 + 60,
      key_id: "key_1",
      environment: "production",
      access: "read",
    });
  });

  it("costs no signature while it is good", async () => {
    const first = await assertions.of(caller, START);
    for (let i = 1; i <= 1000; i += 1) expect(await assertions.of(caller, START + i * 50)).toBe(first);
    expect(signatures).toHaveBeenCalledTimes(1);
  });

  it("is signed anew ten seconds before it expires, so that it is good when it arrives", async () => {
    const first = await claimsAt(START);
    expect((await claimsAt(START + 50_999)).exp).toBe(first.exp);
    expect((await claimsAt(START + 51_000)).exp).toBe(first.exp! + 51);
    expect(signatures).toHaveBeenCalledTimes(2);
  });

  it("is another one for another key, endpoint, access or environment", async () => {
    const variants: Partial<AssertedCaller>[] = [
      {},
      { keyId: "key_2" },
      { endpointId: "epB" },
      { access: "read_write" },
      { environment: "test" },
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const variant of variants) {
        const { keyId, endpointId, access, environment } = { ...caller, ...variant };
        expect(await claimsAt(START, variant)).toMatchObject({
          key_id: keyId,
          aud: endpointId,
          access,
          environment,
        });
      }
    }
    expect(signatures).toHaveBeenCalledTimes(variants.length);
  });
});

describe("an assertion never outlives its key", () => {
  it("and is still signed once only, in the key's last minute", async () => {
    const expiresAt = START + 20_500;
    for (let i = 0; i <= 20; i += 1) {
      const { exp } = await claimsAt(START + i * 1000, { expiresAt });
      expect(exp).toBe(START / 1000 + 20);
    }
    expect(signatures).toHaveBeenCalledTimes(1);
  });

  it("also when the expiry is moved forward while one is kept", async () => {
    expect((await claimsAt(START)).exp).toBe(START / 1000 + 60);
    expect((await claimsAt(START, { expiresAt: START + 30_000 })).exp).toBe(START / 1000 + 30);
    expect((await claimsAt(START, { expiresAt: START + 30_000 })).exp).toBe(START / 1000 + 30);
    expect(signatures).toHaveBeenCalledTimes(2);
  });

  it("nor lives longer than a minute when the clock runs back", async () => {
    await claimsAt(START);
    expect((await claimsAt(START - 3_600_000)).exp).toBe(START / 1000 - 3600 + 60);
  });
});

it("what is kept is bounded, the oldest makes room, and what is kept is not signed again", async () => {
  for (let i = 0; i < 2001; i += 1) await assertions.of({ ...caller, keyId: `key_${i}` }, START);
  signatures.mockClear();
  for (let i = 2000; i > 0; i -= 1) await assertions.of({ ...caller, keyId: `key_${i}` }, START);
  expect(signatures).not.toHaveBeenCalled();
  await assertions.of({ ...caller, keyId: "key_0" }, START);
  expect(signatures).toHaveBeenCalledTimes(1);
});
