import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../src/env.ts";

const SECRET = "tag secret a, 32 characters long";
const good = { KEY_TAG_SECRETS: JSON.stringify({ a: SECRET }) };

describe("parseConfig", () => {
  it("takes prefixes and tag secrets as a key format needs them", () => {
    const { KEY_PREFIX, KEY_TAG_SECRETS } = parseConfig({ ...good, KEY_PREFIX: "rpa, pst" });
    expect(KEY_PREFIX).toEqual(["rpa", "pst"]);
    expect(KEY_TAG_SECRETS).toEqual({ current: "a", secrets: { a: SECRET } });
  });

  it.each(["RPA", "p", "pst,a.b", ",", " "])("names KEY_PREFIX where it is %j", (KEY_PREFIX) => {
    expect(() => parseConfig({ ...good, KEY_PREFIX })).toThrow(/^Wrong configuration: KEY_PREFIX: /);
  });

  it.each([SECRET, `{"ab":"${SECRET}"}`, `{"a":"tag secret"}`, `{"a":"${SECRET}"`, undefined])(
    "names KEY_TAG_SECRETS where it is %j, and repeats no secret",
    (KEY_TAG_SECRETS) => {
      const parse = () => parseConfig({ KEY_TAG_SECRETS });
      expect(parse).toThrow(ConfigError);
      expect(parse).toThrow(/^Wrong configuration: KEY_TAG_SECRETS: (?!KEY_TAG)/);
      expect(parse).not.toThrow("tag secret a");
      expect(parse).not.toThrow('"tag secret"');
    },
  );

  it.each([
    ["HOSTNAMES", "https://gw.test"],
    ["HOSTNAMES", "gw.test,gw.test/v2"],
    ["HOSTNAMES", "gw.test other.test"],
    ["HOSTNAMES", "gw.test:8443"],
    ["HOSTNAMES", "gw..test"],
    ["HOSTNAMES", "gw.test."],
    ["INSECURE_ORIGIN_HOSTS", "http://127.0.0.1"],
    ["INSECURE_ORIGIN_HOSTS", "127.0.0.1:80"],
    ["INSECURE_ORIGIN_HOSTS", "*"],
    ["INSECURE_ORIGIN_HOSTS", "::1"],
    ["CLIENT_IP_HEADER", "x forwarded for"],
    ["CLIENT_IP_HEADER", "x-é"],
    ["PUBLIC_URL", "https://user:pass@gw.test"],
    ["SESSION_JWKS_URL", "http://issuer.test/jwks"],
    ["SESSION_JWKS", '{"keys":[{}]}'],
    ["SESSION_JWKS", '{"keys":[{"kty":"oct"}]}'],
    ["SECRET_SCANNING_KEYS_URL", "http://partner.test/keys"],
    ["ADMIN_EMAILS", "you at example.com"],
    ["ADMIN_EMAILS", "you@example.com;me@example.com"],
    ["ADMIN_EMAILS", "you@example.com me@example.com"],
    ["LEASE_SECONDS", "61"],
  ])("names %s where it is %j", (name, value) => {
    expect(() => parseConfig({ ...good, [name]: value })).toThrow(
      new RegExp(`^Wrong configuration: ${name}: `),
    );
  });

  it("takes a key set for the keys it knows, whatever others are beside them", () => {
    const set = {
      keys: [{ kty: "AKP", pub: "AAAA" }, { kty: "oct" }, { kty: "EC", crv: "P-256", x: "x", y: "y" }],
    };
    expect(parseConfig({ ...good, SESSION_JWKS: JSON.stringify(set) }).SESSION_JWKS).toEqual(set);
  });

  it("takes lists of hosts and of addresses, in any case", () => {
    const { HOSTNAMES, ADMIN_EMAILS } = parseConfig({
      ...good,
      HOSTNAMES: "gw.test, API.gw.test,[::1]",
      ADMIN_EMAILS: "You@Example.com, me@example.com",
    });
    expect(HOSTNAMES).toEqual(["gw.test", "api.gw.test", "[::1]"]);
    expect(ADMIN_EMAILS).toEqual(["you@example.com", "me@example.com"]);
  });
});
