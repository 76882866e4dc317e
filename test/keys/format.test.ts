import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createKeyFormat,
  displayPrefix,
  parseTagSecrets,
  SECRET_SCANNER_PATTERN,
} from "../../src/keys/format.ts";
import { sha256Hex } from "../../src/keys/hash.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_A = "tag secret a, at least 32 characters long";
const SECRET_B = "tag secret b, at least 32 characters long";
const tagSecrets = parseTagSecrets(JSON.stringify({ a: SECRET_A, b: SECRET_B }));
const format = createKeyFormat({ prefixes: ["pst", "rpa"], tagSecrets });
const environments = fc.constantFrom("production" as const, "test" as const);

/** The tag, written a second time from the spec alone. */
function expectedTag(secret: string, body: string): string {
  let bits = BigInt(`0x${createHmac("sha256", secret).update(body).digest("hex").slice(0, 8)}`);
  const digits: string[] = [];
  for (let place = 0; place < 6; place++) {
    digits.unshift(BASE62[Number(bits % 62n)]!);
    bits /= 62n;
  }
  return digits.join("");
}

describe("sha256Hex", () => {
  test("is SHA-256 in lower-case hex (FIPS 180-4 examples)", () => {
    expect(sha256Hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("within", () => {
  test("finds native keys anywhere in a text, by their tags", () => {
    const key = format.generate("production");
    const texts = [key, `x${key}y`, `pst_live_${key}`, `["a","${key}"]`, `pst${key} ${key}`, `${key}${key}`];
    for (const text of texts) expect([text, format.within(text)]).toEqual([text, true]);
    const wrong = key.slice(0, -1) + (key.endsWith("x") ? "y" : "x");
    for (const text of ["", "pst_live_", wrong, key.slice(0, -1), key.replace("_live_", "_test_")]) {
      expect([text, format.within(text)]).toEqual([text, false]);
    }
    // One listed prefix ends as another does: the longer reading is no key, the shorter one is.
    const two = createKeyFormat({ prefixes: ["pst", "apst"], tagSecrets });
    expect(two.within(`a${key}`)).toBe(true);
  });
});

describe("parseTagSecrets", () => {
  test("the last member tags new keys", () => {
    expect(parseTagSecrets(JSON.stringify({ z: SECRET_A, a: SECRET_B, M: SECRET_A })).current).toBe("M");
    expect(tagSecrets).toEqual({ current: "b", secrets: { a: SECRET_A, b: SECRET_B } });
  });

  test("quotes, colons and escapes in secrets are only text", () => {
    const secret = `"a": "b", \\ {"c":"d"} é\u0000 and 32 characters`;
    expect(parseTagSecrets(JSON.stringify({ a: secret, b: SECRET_B }))).toEqual({
      current: "b",
      secrets: { a: secret, b: SECRET_B },
    });
  });

  test.each([
    ["{}", "at least one secret"],
    ["", "not JSON"],
    [`{"a": "${SECRET_A}"`, "not JSON"],
    ["null", "JSON map"],
    ["[]", "JSON map"],
    [`"${SECRET_A}"`, "JSON map"],
    [`{"1": "${SECRET_A}"}`, `"1"`],
    [`{"ab": "${SECRET_A}"}`, "one letter"],
    [`{"": "${SECRET_A}"}`, "one letter"],
    [`{"__proto__": "${SECRET_A}"}`, "one letter"],
    [`{"${SECRET_A}": "a"}`, "one letter"],
    [`{"a": "tag secret a, too short"}`, `"a" must be text of at least 32`],
    [`{"a": 5}`, `"a" must be text`],
    [`{"a": ["${SECRET_A}"]}`, `"a" must be text`],
    [`{"a": "${SECRET_A}", "a": "${SECRET_B}"}`, "twice"],
    [`{"a": "${SECRET_A}", "\\u0061": "${SECRET_A}"}`, "twice"],
    [`{"a": 5, "a": "${SECRET_A}"}`, "twice"],
    [`{"a": {"b": "${SECRET_A}"}, "a": "${SECRET_A}"}`, "twice"],
  ])("refuses %s", (json, message) => {
    expect(() => parseTagSecrets(json)).toThrow(message);
    // An error ends up in a log.
    expect(() => parseTagSecrets(json)).not.toThrow("tag secret");
  });
});

describe("createKeyFormat", () => {
  test.each([[[]], [["p"]], [["Pst"]], [["1st"]], [["p_t"]], [["pst", "a.b"]], [["a23456789012345678"]]])(
    "refuses the prefixes %j",
    (prefixes) => {
      expect(() => createKeyFormat({ prefixes, tagSecrets })).toThrow("KEY_PREFIX");
      expect(() => SECRET_SCANNER_PATTERN(prefixes)).toThrow("KEY_PREFIX");
    },
  );

  test("refuses a current tag secret that is not listed", () => {
    const missing = { current: "c", secrets: { a: SECRET_A } };
    expect(() => createKeyFormat({ prefixes: ["pst"], tagSecrets: missing })).toThrow(`"c"`);
  });
});

describe("generate", () => {
  test("makes the documented format", () => {
    expect(format.generate("production")).toMatch(/^pst_live_b[0-9A-Za-z]{46}$/);
    expect(format.generate("test")).toMatch(/^pst_test_b[0-9A-Za-z]{46}$/);
    const key = format.generate("production");
    expect(key.slice(-6)).toBe(expectedTag(SECRET_B, key.slice(0, -6)));
  });

  test("is classified as native, in its environment, and found by the published pattern", () => {
    const published = new RegExp(`^${SECRET_SCANNER_PATTERN(["pst", "rpa"])}$`);
    fc.assert(
      fc.property(environments, (environment) => {
        const key = format.generate(environment);
        expect(format.classify(key)).toEqual({ kind: "native", environment });
        expect(key).toMatch(published);
      }),
    );
  });

  test("uses every base62 character and never repeats", () => {
    const keys = Array.from({ length: 500 }, () => format.generate("test"));
    expect(new Set(keys).size).toBe(500);
    expect(new Set(keys.map((key) => key.slice(10, 50)).join("")).size).toBe(62);
  });
});

describe("classify", () => {
  test("knows keys of every listed prefix and tag secret, and of no other", () => {
    const build = (prefixes: string[], secrets: object) =>
      createKeyFormat({ prefixes, tagSecrets: parseTagSecrets(JSON.stringify(secrets)) });
    const older = build(["rpa"], { a: SECRET_A }).generate("test");
    expect(format.classify(older)).toEqual({ kind: "native", environment: "test" });
    expect(build(["pst"], { a: SECRET_A }).classify(older)).toEqual({ kind: "legacy" });
    expect(build(["rpa"], { b: SECRET_B }).classify(older)).toEqual({ kind: "forged" });
    expect(build(["rpa"], { a: SECRET_B }).classify(older)).toEqual({ kind: "forged" });
  });

  const key = format.generate("production");
  test.each([
    ["truncated", key.slice(0, -1)],
    ["longer", `${key}0`],
    ["opening alone", "pst_live_"],
    ["a line break after it", `${key}\n`],
    ["a foreign character", `${key.slice(0, 20)}-${key.slice(21)}`],
    ["an unknown tag secret", `${key.slice(0, 9)}c${key.slice(10)}`],
    ["another listed tag secret", `${key.slice(0, 9)}a${key.slice(10)}`],
    ["the other environment", key.replace("live", "test")],
    ["another listed prefix", key.replace("pst", "rpa")],
    ["two keys", `${key},${key}`],
  ])("%s is forged: no look-up", (_, presented) => {
    expect(format.classify(presented)).toEqual({ kind: "forged" });
  });

  test.each([
    ["Runpod's, under a listed prefix", "rpa_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"],
    ["a UUID", "7d444840-9dc0-11d1-b245-5ffdce74fad2"],
    ["an unlisted prefix", key.replace("pst", "xyz")],
    ["another case", key.toUpperCase()],
    ["a space before", ` ${key}`],
    ["a line break before", `\n${key}`],
    ["no environment", key.replace("_live", "")],
    ["another environment", key.replace("live", "beta")],
    ["nothing", ""],
    ["a prototype's member", "__proto__"],
    ["another one", "constructor"],
  ])("%s is legacy", (_, presented) => {
    expect(format.classify(presented)).toEqual({ kind: "legacy" });
  });

  test("random text is never native", () => {
    const base62 = fc.string({
      unit: fc.constantFrom(...BASE62),
      minLength: 47,
      maxLength: 47,
    });
    const nearly = fc
      .tuple(
        fc.constantFrom("pst", "rpa"),
        fc.constantFrom("live", "test"),
        fc.constantFrom("a", "b", ""),
        base62,
      )
      .map(([prefix, word, name, rest]) => `${prefix}_${word}_${name}${rest}`.slice(0, 56));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), base62, nearly), (text) => {
        expect(format.classify(text).kind).not.toBe("native");
      }),
      { numRuns: 2000 },
    );
  });

  test("a key with any one character changed is never native", () => {
    fc.assert(
      fc.property(
        environments,
        fc.nat(55),
        fc.string({ minLength: 1, maxLength: 1 }),
        (environment, at, other) => {
          const whole = format.generate(environment);
          fc.pre(whole[at] !== other);
          const changed = whole.slice(0, at) + other + whole.slice(at + 1);
          expect(format.classify(changed).kind).not.toBe("native");
        },
      ),
      { numRuns: 2000 },
    );
    // And every position once, with every digit, on one key.
    const whole = format.generate("test");
    for (let at = 0; at < whole.length; at++) {
      for (const digit of BASE62) {
        if (digit === whole[at]) continue;
        const changed = whole.slice(0, at) + digit + whole.slice(at + 1);
        expect(format.classify(changed).kind, changed).not.toBe("native");
      }
    }
  });
});

describe("SECRET_SCANNER_PATTERN", () => {
  test("finds keys inside other text", () => {
    const key = format.generate("production");
    const find = new RegExp(SECRET_SCANNER_PATTERN(["pst", "rpa"]), "g");
    for (const text of [`KEY="${key}"`, `?api_key=${key}&x`, `%3D${key}%0A`, `${key}\n${key}`]) {
      expect(text.match(find)?.[0]).toBe(key);
    }
    expect("pst_live_short rpa_ABCDEFGHIJKLMNOPQRSTUVWXYZ".match(find)).toBeNull();
  });

  test("needs no anchor, look-around or word boundary", () => {
    expect(SECRET_SCANNER_PATTERN(["pst"])).not.toMatch(/\^|\$|\(\?[=!<]|\\b/);
  });
});

describe("displayPrefix", () => {
  test("a native key shows everything up to its first 4 random characters", () => {
    const key = format.generate("production");
    expect(displayPrefix(key)).toBe(key.slice(0, "pst_live_b".length + 4));
  });

  test("another secret shows 8 characters at most", () => {
    expect(displayPrefix("rpa_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")).toBe("rpa_ABCD");
    expect(displayPrefix("abcdefghi")).toBe("abc");
    expect(displayPrefix("ab")).toBe("");
    expect(displayPrefix("")).toBe("");
  });

  test("never reveals more than a third", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), environments.map(format.generate)), (key) => {
        const shown = displayPrefix(key);
        expect(key.startsWith(shown)).toBe(true);
        expect(shown.length * 3).toBeLessThanOrEqual(key.length);
      }),
    );
  });
});
