import fc from "fast-check";
import { Lexer, Source, TokenKind } from "graphql";
import { describe, expect, it } from "vitest";
import { undisputed } from "../../src/gateway/graphql/undisputed.ts";

/** How a lexer in use differs from graphql-js. */
interface Dialect {
  /** What ends a comment. */
  lineEnd: RegExp;
  blockStrings: boolean;
  /** What a backslash in a block string takes with it. */
  blockEscape: RegExp;
}

const OURS: Dialect = { lineEnd: /[\n\r]/, blockStrings: true, blockEscape: /^\\"""/ };
const DIALECTS: Record<string, Dialect> = {
  "graphql-js": OURS,
  "graphql-ruby: a comment ends at LF alone": { ...OURS, lineEnd: /\n/ },
  "graphql-ruby: a backslash takes one character with it": { ...OURS, blockEscape: /^\\./s },
  "graphql-go-tools: a backslash takes a backslash or a quote with it": { ...OURS, blockEscape: /^\\[\\"]/ },
  "graphql-js before 0.12, graphql-core 2: no block strings": { ...OURS, blockStrings: false },
  "ECMAScript's line ends": { ...OURS, lineEnd: /[\n\r\u2028\u2029\u0085]/ },
};

/** The tokens that a dialect reads, or why it reads none. Strings stand as they are written. */
function tokens(text: string, { lineEnd, blockStrings, blockEscape }: Dialect): string[] | string {
  const found: string[] = [];
  const skipped = (from: string) => from.replace(/^[\s,\ufeff]+/, "");
  let rest = skipped(text);
  while (rest !== "") {
    if (rest.startsWith("#")) {
      const end = rest.search(lineEnd);
      rest = end === -1 ? "" : skipped(rest.slice(end));
      continue;
    }
    let token: string;
    if (blockStrings && rest.startsWith('"""')) {
      let at = 3;
      while (!rest.startsWith('"""', at)) {
        if (at >= rest.length) return "unterminated";
        at += blockEscape.exec(rest.slice(at, at + 4))?.[0].length ?? 1;
      }
      token = rest.slice(0, at + 3);
    } else {
      const match = /^(?:"(?:[^"\\\n\r]|\\.)*"|[_A-Za-z]\w*|-?\d[\w.+-]*|\.\.\.|[!$&():=@[\]{|}])/.exec(rest);
      if (match === null) return `unexpected ${rest.slice(0, 10)}`;
      token = match[0];
    }
    found.push(token);
    rest = skipped(rest.slice(token.length));
  }
  return found;
}

/** What graphql-js reads, by kind and value: a block string is a string. */
function meaning(text: string): [kind: string, value: string | undefined][] | null {
  const lexer = new Lexer(new Source(text));
  const found: [string, string | undefined][] = [];
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      found.push([token.kind === TokenKind.BLOCK_STRING ? TokenKind.STRING : token.kind, token.value]);
    }
  } catch {
    return null;
  }
  return found;
}

/** Each is a query for graphql-js and a mutation for somebody else. */
const SMUGGLED = [
  '#\r"""\nmutation { del(id:"victim") } #""" query { a }',
  'fragment F on M { del(id:"""\\""""") } mutation X { ...F } #""") } query X2 { a }',
  'fragment F on Mutation { del(x:["""\\"""" ], id:"victim") } mutation M { ...F } #"""]) } query M { a }',
  'fragment F on M { del(id:"""\\\\""") } mutation M { ...F } #""") } query M { a }',
  '{a(s:"""\\"""#""")} #"""\rmutation{b}',
];

/** Tokens and the ends of tokens, in any order: most texts are no document, but many still can be lexed. */
const scraps = fc
  .array(
    fc.constantFrom(
      ...['"""', '"', "\\", '\\"""', "\\u0022", "#", "\n", "\r", "\r\n", " ", ",", "\u2028", "\u0085", "é😀"],
      ...["{", "}", "(", ")", ":", "[", "]", "...", "$", "@", "a", "mutation", "query", "1", "-2.5e3"],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

describe("what is forwarded of a document", () => {
  it.each(SMUGGLED)("is read alike by every lexer that reads the document itself otherwise: %j", (text) => {
    const readings = (each: string) => Object.values(DIALECTS).map((dialect) => tokens(each, dialect));
    expect(new Set(readings(text).map((reading) => JSON.stringify(reading))).size).toBeGreaterThan(1);
    const forwarded = undisputed(text);
    const [first, ...others] = readings(forwarded);
    expect(Array.isArray(first)).toBe(true);
    for (const other of others) expect(other).toEqual(first);
    expect(meaning(forwarded)).toEqual(meaning(text));
  });

  it("is so for whatever can be lexed at all, and means what the document means", () => {
    let lexed = 0;
    fc.assert(
      fc.property(scraps, (text) => {
        const meant = meaning(text);
        if (meant === null) return;
        lexed += 1;
        const forwarded = undisputed(text);
        expect(meaning(forwarded)).toEqual(meant);
        const first = tokens(forwarded, OURS);
        for (const [name, dialect] of Object.entries(DIALECTS)) {
          expect(tokens(forwarded, dialect), name).toEqual(first);
        }
        expect(undisputed(forwarded)).toBe(forwarded);
      }),
      { numRuns: 20_000 },
    );
    expect(lexed).toBeGreaterThan(2_000);
  });

  it("is the document itself, to the letter, where nothing in it is disputed", () => {
    const text = 'query A($v: Int = -1) {\n  a(s: "é, 😀", v: $v) @include(if: true) { ...F }\n}\n';
    expect(undisputed(text)).toBe(text);
    expect(undisputed('{a(s: "\\d \\"")}')).toBe('{a(s: "\\d \\"")}');
    expect(undisputed("{a # b\n}")).toBe("{a}");
    expect(undisputed('query($r: [String!]! = ["" "é"]) @d(n: -1) { a(x: $r, y: 1) ... F } #')).toBe(
      'query($r:[String!]!=["" "é"])@d(n:-1){a(x:$r y:1) ...F}',
    );
    expect(undisputed('{a(s:"""\n  two\n    lines "q" \\n\u2028\n""")}')).toBe(
      '{a(s:"two\\n  lines \\"q\\" \\\\n\\u2028")}',
    );
  });
});
