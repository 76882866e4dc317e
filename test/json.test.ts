import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, outline, parseStrict } from "../src/json.ts";

const limits = { maxDepth: 100 };

/** What the strict reader must say of this text, by the native parser: only duplicates, depth and names differ. */
function nativeAccepts(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("decodeUtf8", () => {
  it("decodes UTF-8", () => {
    expect(decodeUtf8(new TextEncoder().encode('{"é":"😀"}'))).toBe('{"é":"😀"}');
    expect(decodeUtf8(new Uint8Array(0))).toBe("");
  });

  it.each([
    ["stray byte", [0x22, 0xff, 0x22]],
    ["overlong slash", [0xc0, 0xaf]],
    ["encoded surrogate", [0xed, 0xa0, 0x80]],
    ["cut-off sequence", [0xe2, 0x82]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
  ])("refuses %s", (_, bytes) => {
    expect(decodeUtf8(new Uint8Array(bytes))).toBeNull();
  });

  it("still works after a refusal", () => {
    decodeUtf8(new Uint8Array([0xe2, 0x82]));
    expect(decodeUtf8(new Uint8Array([0x61]))).toBe("a");
  });
});

describe("parseStrict", () => {
  it("gives the value", () => {
    const text = ' {"a": [1, -2.5e3, true, false, null, "x\\n\\u0041"], "b": {}}\r\n\t';
    expect(parseStrict(text, limits)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each([
    ['{"a":1,"a":2}', 'line 1, column 8: duplicate member "a"'],
    ['{"a":1,"\\u0061":2}', 'line 1, column 8: duplicate member "a"'],
    ['{"x":[{"y":{"b":1,\n  "c":2, "b":3}}]}', 'line 2, column 10: duplicate member "b"'],
    ['{"":1,"":2}', 'line 1, column 7: duplicate member ""'],
    ['{"\\ud800":1}', "line 1, column 2: unpaired surrogate in a member name"],
    ['{"a":{"\\udc00\\ud800":1}}', "line 1, column 7: unpaired surrogate in a member name"],
    ['{"__proto__":{"admin":true}}', 'line 1, column 2: member "__proto__" is not allowed'],
    ['[{"\\u005f_proto__":1}]', 'line 1, column 3: member "__proto__" is not allowed'],
    ["", "line 1, column 1: unexpected end of the text"],
    ["{", "line 1, column 2: expected a member name in double quotes"],
    ["{'a':1}", "line 1, column 2: expected a member name in double quotes"],
    ['{"a" 1}', "line 1, column 6: expected a colon after the member name"],
    ['{"a":1,}', "line 1, column 8: expected a member name in double quotes"],
    ['{"a":1 "b":2}', "line 1, column 8: expected a comma or the end of the object"],
    ["[1 2]", "line 1, column 4: expected a comma or the end of the array"],
    ["[1,]", "line 1, column 4: expected a JSON value"],
    ["[,1]", "line 1, column 2: expected a JSON value"],
    ["[01]", "line 1, column 3: expected a comma or the end of the array"],
    ["{} {}", "line 1, column 4: unexpected text after the end of the JSON value"],
    ["NaN", "line 1, column 1: expected a JSON value"],
    ["nul", "line 1, column 1: expected a JSON value"],
    ['"abc', "line 1, column 5: unterminated string"],
    ['"a\nb"', "line 1, column 3: control character in a string"],
    ['"a\u0000b"', "line 1, column 3: control character in a string"],
    ['"\\x41"', "line 1, column 2: invalid escape sequence in a string"],
    ['"\\u00g0"', "line 1, column 2: invalid escape sequence in a string"],
    ['"\\', "line 1, column 2: invalid escape sequence in a string"],
    ["\ufeff{}", "line 1, column 1: expected a JSON value"],
    ["\u00a0{}", "line 1, column 1: expected a JSON value"],
    ["/* */{}", "line 1, column 1: expected a JSON value"],
  ])("refuses %j", (text, message) => {
    expect(parseStrict(text, limits)).toEqual({ ok: false, message });
  });

  it("accepts equal names in different objects", () => {
    expect(parseStrict('{"a":{"a":1},"b":[{"a":2},{"a":3}]}', limits).ok).toBe(true);
  });

  it("tells names apart that only look alike", () => {
    expect(parseStrict('{"a":1,"A":2,"\u0430":3,"a ":4,"constructor":5,"toString":6}', limits).ok).toBe(true);
  });

  it("does not pollute, and cuts long names in messages", () => {
    parseStrict('{"constructor":{"prototype":{"polluted":1}}}', limits);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const name = "n".repeat(10_000);
    const result = parseStrict(`{"${name}":1,"${name}":2}`, limits);
    expect(result.ok ? "" : result.message.length).toBeLessThan(100);
  });

  it("limits the depth, counting objects and arrays alike", () => {
    expect(parseStrict('{"a":[{}]}', { maxDepth: 3 }).ok).toBe(true);
    expect(parseStrict('{"a":[{}]}', { maxDepth: 2 })).toEqual({
      ok: false,
      message: "line 1, column 7: nested deeper than 2 levels",
    });
    expect(parseStrict("1", { maxDepth: 0 }).ok).toBe(true);
    for (const bracket of ["[", '{"a":']) {
      expect(parseStrict(bracket.repeat(200_000), limits).ok).toBe(false);
    }
  });
});

describe("outline", () => {
  it("slices the members of an object, whitespace around them left out", () => {
    const text = '\n{ "a" : 12345678901234567890.10 ,"\\u0062": [ 1, {"x": 1e400} ] , "__proto__": {} }';
    const result = outline(text, limits);
    expect(result).toEqual({
      ok: true,
      kind: "object",
      members: new Map([
        ["a", "12345678901234567890.10"],
        ["b", '[ 1, {"x": 1e400} ]'],
        ["__proto__", "{}"],
      ]),
    });
  });

  it("slices the elements of an array, and tells scalars", () => {
    expect(outline('[ {"a": 1.0} , 2 ]', limits)).toEqual({
      ok: true,
      kind: "array",
      elements: ['{"a": 1.0}', "2"],
    });
    expect(outline(" null ", limits)).toEqual({ ok: true, kind: "scalar", source: "null" });
  });

  it("accepts exactly what JSON.parse accepts, duplicates aside", () => {
    const edit = fc.record({
      at: fc.nat(),
      drop: fc.nat(3),
      add: fc.constantFrom(
        "",
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "0",
        "-",
        ".",
        "e",
        "\\u",
        "\n",
        "\u0001",
        "t",
        "\ufeff",
      ),
    });
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.array(edit, { maxLength: 3 }),
        fc.boolean(),
        (json, edits, pretty) => {
          let text = pretty ? JSON.stringify(JSON.parse(json), null, 2) : json;
          for (const { at, drop, add } of edits) {
            const start = at % (text.length + 1);
            text = text.slice(0, start) + add + text.slice(start + drop);
          }
          const result = outline(text, limits);
          const refusedOnPurpose = !result.ok && /duplicate member|unpaired surrogate/.test(result.message);
          if (!refusedOnPurpose) expect(result.ok).toBe(nativeAccepts(text));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("gives slices that parse to the members' values", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const result = outline(JSON.stringify(object, null, 1), limits);
        if (!result.ok || result.kind !== "object") throw new Error("not an object");
        expect([...result.members].map(([name, source]) => [name, JSON.parse(source)])).toEqual(
          Object.entries(JSON.parse(JSON.stringify(object))),
        );
      }),
    );
  });

  it("finds a duplicate wherever it is put", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ minLength: 1 }), fc.nat(5), (value, name, depth) => {
        // Every character escaped the second time: the decoded names are equal, the sources are not.
        const escaped = [...Array(name.length).keys()]
          .map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`)
          .join("");
        const twice = `{${JSON.stringify(name)}:${JSON.stringify(value)},"${escaped}":1}`;
        const text = '[{"k":'.repeat(depth) + twice + "}]".repeat(depth);
        const result = outline(text, { maxDepth: 1_000 });
        expect(result.ok).toBe(false);
      }),
    );
  });
});
