import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { PERSISTED_HASH } from "./graphql-servers.ts";
import type { WireRequest } from "./wire.ts";

/** One request of the corpus. */
export interface Sample extends WireRequest {
  /** The path is the endpoint's own; the target here is its query alone, with the `?`, or empty. */
  target: string;
  /** Nothing about it is odd: a read key must be let through, and get what the origin would have given. */
  plain: boolean;
}

/** The usual, and once in a while the other. */
const often = <T, U>(rare: fc.Arbitrary<T>, usual: fc.Arbitrary<U>, weight = 4): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 1, arbitrary: rare }, { weight, arbitrary: usual });

// ---- documents ----

const field = fc.constantFrom("a", "b", "c", "nested", "__typename", "echo");
const fragmentName = fc.constantFrom("F", "G", "H", "mutation", "query");
const ignored = fc.constantFrom(
  ...[
    " ",
    "\n",
    "\r",
    "\r\n",
    ",",
    "\t",
    "\ufeff ",
    " # mutation{c}\n",
    " #{\r",
    " #\u00e9 }\n",
    " #+AH0-\n",
  ],
);
const literal = fc.oneof(
  fc.constantFrom(
    ...['"mutation{c}"', '"""}#{ \\""" mutation """', '"\\u007b#"', '"\\u{1F600}"', '"+AH0-"', '"}"', '""'],
    ...[
      "$v",
      "null",
      "true",
      "[1,[2]]",
      '{a:"{", b:$v}',
      "mutation",
      "-0",
      "1e400",
      "12345678901234567890.10",
    ],
  ),
  fc.maxSafeInteger().map(String),
);
const argument = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 2, arbitrary: literal.map((value) => `(s:${value})`) },
);
const directive = fc.constantFrom(
  ...["", "", "", "@include(if:true)", "@skip(if:false)", "@skip(if:$no)", "@custom", "@defer", "@stream"],
);
const alias = fc.constantFrom("", "", "x:", "y:", "mutation:", "__proto__:", "a:", "query:");

const leaf = fc.tuple(alias, field, argument, directive).map(([as, name, args, at]) => {
  if (name === "nested") return `${as}nested${at}{b a}`;
  return `${as}${name}${name === "__typename" ? "" : args.replace("(s:", name === "echo" ? "(v:" : "(s:")}${at}`;
});
const joined = (parts: readonly (readonly [string, string])[]) => parts.flat().join("");
const { selections } = fc.letrec<{ selection: string; selections: string }>((tie) => ({
  selection: fc.oneof(
    { maxDepth: 3, depthIdentifier: "selection" },
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: fc.tuple(fragmentName, directive).map(([name, at]) => `...${name}${at}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom("...", "...on Query", "...on Mutation", "...@custom", "nested"),
          tie("selections"),
        )
        .map(([head, body]) => `${head}{${body}}`),
    },
  ),
  selections: fc.array(fc.tuple(tie("selection"), ignored), { minLength: 1, maxLength: 4 }).map(joined),
}));
const operationType = fc.constantFrom("query", "query", "query", "mutation", "subscription");
const names = ["A", "B", "C", "query", "mutation"];

/** A definition, and its name; empty for none. */
interface Definition {
  name: string;
  text: string;
}
const operation = fc
  .tuple(operationType, fc.constantFrom("", ...names), fc.boolean(), directive, selections)
  .map(([type, name, variables, at, body]): Definition => {
    const head = `${type} ${name}${variables ? '($v:Raw="{" $no:Boolean=false)' : ""}${at}`;
    return { name, text: `${head}{${body}}` };
  });
const shorthand = selections.map((body): Definition => ({ name: "", text: `{${body}}` }));
const fragment = fc
  .tuple(fragmentName, fc.constantFrom("Query", "Query", "Mutation"), selections)
  .map(([name, on, body]): Definition => ({ name, text: `fragment ${name} on ${on}{${body}}` }));
const foreign = fc.constantFrom(
  ...[
    "type X{a:Int}",
    "extend type Query{z:Int}",
    "schema{query:Mutation}",
    "scalar S",
    "{",
    "}",
    "mutation",
  ],
);

/** A document, and the names of its operations. */
interface Document {
  text: string;
  names: readonly string[];
}

const uniquely = (all: readonly Definition[]) => [...new Map(all.map((one) => [one.name, one])).values()];

/** Documents by the grammar: most are what some server takes, some nobody does. */
const grammatical = fc
  .tuple(
    fc.array(often(shorthand, operation, 4), { minLength: 1, maxLength: 3 }),
    fc.array(fragment, { maxLength: 3 }),
    often(fc.array(foreign), fc.constant([]), 20),
    ignored,
    fc.boolean(),
    often(fc.constant(false), fc.constant(true), 6),
  )
  .map(([givenOperations, givenFragments, others, between, flip, tidy]): Document => {
    let [operations, fragments] = [givenOperations, givenFragments];
    if (tidy) {
      operations = uniquely(operations);
      if (operations.length > 1) operations = operations.filter(({ name }) => name !== "");
      fragments = uniquely(fragments);
      const spread = [...operations, ...fragments].flatMap(({ text }) =>
        [...text.matchAll(/\.\.\.([A-Za-z]+)/g)].map(([, name]) => name!),
      );
      for (const name of new Set(spread)) {
        if (name !== "on" && !fragments.some((one) => one.name === name))
          fragments.push({ name, text: `fragment ${name} on Query{c}` });
      }
    }
    const [first, last] = [operations, fragments].map((all) => all.map(({ text }) => text));
    const texts = flip ? [...last!, ...first!, ...others] : [...first!, ...others, ...last!];
    return {
      text: texts.join(between === "," ? " " : between),
      names: operations.map(({ name }) => name).filter((name) => name !== ""),
    };
  });

/** The same with something cut out or pushed in. */
const edited = fc
  .tuple(
    grammatical,
    fc.array(
      fc.record({
        at: fc.nat(),
        drop: fc.nat({ max: 2 }),
        add: fc.constantFrom(
          ...[
            "",
            "{",
            "}",
            "(",
            ")",
            '"',
            '"""',
            "\\",
            "#",
            "\r",
            "\n",
            "...",
            " on ",
            " mutation ",
            "@",
            "$",
          ],
          ...["\u0000", "\u0085", "\u2028", "\ufeff", "\ud800", "+AFw-n", "\\u", " query ", "&", "!", "|"],
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  )
  .map(([original, edits]): Document => {
    let { text } = original;
    for (const { at, drop, add } of edits) {
      const start = at % (text.length + 1);
      text = text.slice(0, start) + add + text.slice(start + drop);
    }
    return { text, names: original.names };
  });

const SMUGGLED = [
  "query A{a} #+AFw-n mutation B{b}",
  "query A{a} #\u2028mutation B{b}",
  "query A{a} #\u0085 mutation B{b}",
  'query A{a(s:"""\\""") mutation B{b} #"""',
  'query A{a(s:"\\")}mutation B{b}#")}',
  "#{a}\nmutation B{b}",
  "#{a}\rmutation B{b}",
  "query A{a}\n\n\u0000mutation B{b}",
  "query B{a} mutation B{b}",
  "{a} mutation B{b}",
  "fragment B on Mutation{b} query A{...B} mutation B{...B}",
  "query A{...A} fragment A on Mutation{b} mutation B{...A}",
].map((text): Document => ({ text, names: ["A", "B"] }));

const anyDocument = fc.oneof(
  { weight: 8, arbitrary: grammatical },
  { weight: 2, arbitrary: edited },
  { weight: 1, arbitrary: fc.constantFrom(...SMUGGLED) },
);

// ---- members ----

const number = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
  fc.constantFrom("12345678901234567890", "0.10000000000000000000000001", "1E400", "-0", "1.0"),
);
const json = fc.oneof(
  { weight: 2, arbitrary: number },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)) },
);
const variables = fc.oneof(
  { weight: 4, arbitrary: json.map((value) => `{"v":${value}}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...["null", "[]", '"x"', "7", '{"v":1,"v":2}', '{"__proto__":{"query":"mutation{b}"}}', '{"v":', "{}"],
      '{"query":"mutation{b}","operationName":"B"}',
    ),
  },
);
const persisted = (name: string) =>
  `{${JSON.stringify(name)}:{"version":1,"sha256Hash":"${PERSISTED_HASH}"}}`;
const extensions = fc.oneof(
  fc
    .constantFrom("persistedQuery", "PersistedQuery", "per\u017fistedQuery", "persisted_query")
    .map(persisted),
  json.map((value) => `{"n":${value}}`),
  fc.constantFrom("null", "[]", "{}", `{"a":1,"persistedQuery":{"sha256Hash":"${PERSISTED_HASH}"}}`),
);
const strangeName = fc.constantFrom("null", '""', '["B"]', '"b"', '"A "', "{}", "0", '"B\\u0000"');
const queryName = often(
  fc.constantFrom("Query", "QUERY", "query ", "\ufeffquery", "qu\u200bery", "__proto__", "mutation"),
  fc.constant("query"),
  30,
);
const strange = fc.constantFrom<readonly [string, string]>(
  ["__proto__", '{"query":"mutation{b}"}'],
  ["constructor", '{"prototype":{"query":"mutation{b}"}}'],
  ["id", `"${PERSISTED_HASH}"`],
  ["documentId", `"${PERSISTED_HASH}"`],
  ["doc_id", `"${PERSISTED_HASH}"`],
  ["queryId", `"${PERSISTED_HASH}"`],
  ["Query", '"mutation{b}"'],
  ["OPERATIONNAME", '"B"'],
  ["query", '"mutation B{b}"'],
  ["query", '"{a}"'],
  ["operationName", '"B"'],
  ["operationname", '"B"'],
  ["variables", '{"v":2}'],
  ["map", '{"0":["query"]}'],
  ["more", "[1.0,{}]"],
);

/** A JSON string, some of its characters escaped although they need not be. */
const string = (text: string, escaped: number): string =>
  JSON.stringify(text).replace(/[a-z{}]/g, (letter, at: number) =>
    escaped > 0 && at % (escaped + 1) === 1 && JSON.stringify(text)[at - 1] !== "\\"
      ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`
      : letter,
  );

const nothing = fc.constant(null);

/** The members of a request, names and JSON source, in an order of their own; names may come twice. */
const members = fc
  .tuple(
    queryName,
    anyDocument,
    often(fc.integer({ min: 1, max: 4 }), fc.constant(0)),
    fc.nat(),
    often(strangeName, nothing, 12),
    often(variables, nothing, 2),
    often(extensions, nothing, 8),
    often(fc.array(strange, { minLength: 1, maxLength: 2 }), fc.constant([]), 8),
    fc.boolean(),
    often(fc.constantFrom("without", "wrapped"), fc.constant("as it is"), 30),
  )
  .map(([name, document, escaped, pick, odd, vars, ext, more, flip, how]) => {
    const all: [string, string][] = [];
    if (how !== "without") {
      const value = string(document.text, escaped);
      all.push([name, how === "wrapped" ? `[${value}]` : value]);
    }
    const chosen = document.names[pick % (document.names.length + (document.names.length > 1 ? 0 : 1))];
    if (odd !== null) all.push(["operationName", odd]);
    else if (chosen !== undefined) all.push(["operationName", JSON.stringify(chosen)]);
    if (vars !== null) all.push(["variables", vars]);
    if (ext !== null) all.push(["extensions", ext]);
    all.push(...more.map(([n, v]): [string, string] => [n, v]));
    return flip ? all.reverse() : all;
  });
type Members = readonly (readonly [string, string])[];

const space = often(
  fc.constantFrom("\u00a0", "\u0000", "\f"),
  fc.constantFrom("", "", " ", "\n", "\r\n\t"),
  30,
);
const toJson = (all: Members, gap: string, escaped: number) =>
  `{${gap}${all.map(([name, value]) => `${string(name, escaped)}:${gap}${value}`).join(`,${gap}`)}}`;
const object = fc
  .tuple(members, space, often(fc.constant(1), fc.constant(0)))
  .map(([all, gap, escaped]) => toJson(all, gap, escaped));
const batch = fc.array(object, { minLength: 1, maxLength: 3 }).map((entries) => `[${entries.join(",")}]`);
const longBatch = fc
  .tuple(object, fc.integer({ min: 8, max: 14 }))
  .map(([last, count]) => `[${'{"query":"{a}"},'.repeat(count)}${last}]`);

const form = (all: Members) =>
  all
    .map(([name, value]) => {
      const text = value.startsWith('"') ? unquoted(value) : value;
      return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`;
    })
    .join("&");
const unquoted = (value: string): string => {
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
};
const multipart = (operations: string) =>
  `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${operations}\r\n--x\r\n` +
  'Content-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.v"]}\r\n--x--\r\n';

// ---- requests ----

const jsonType = often(
  fc.constantFrom(
    ...["application/json; boundary=x", "application/graphql-response+json", "application/graphql+json"],
    ...["text/plain", "application/json, text/plain", "application/x-json", "application/json;", "*/*"],
  ),
  often(
    fc.constantFrom(
      "application/json; charset=utf-8",
      'application/json;charset="UTF-8"',
      "APPLICATION/JSON",
    ),
    fc.constant("application/json"),
  ),
  12,
);

interface Body {
  type: string | null;
  encoding: string | null;
  bytes: Buffer;
}
const plainBody = (type: string, text: string): Body => ({ type, encoding: null, bytes: Buffer.from(text) });

function packed(text: string, encoding: string): Buffer {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return gzipSync(text);
    case "gzip, gzip":
      return gzipSync(gzipSync(text));
    case "br":
      return brotliCompressSync(text);
    case "deflate":
      return deflateSync(text);
    default:
      return Buffer.from(text);
  }
}

const anyJson = fc.oneof(
  { weight: 10, arbitrary: object },
  { weight: 2, arbitrary: batch },
  { weight: 1, arbitrary: longBatch },
);
const body: fc.Arbitrary<Body> = fc.oneof(
  {
    weight: 50,
    arbitrary: fc.tuple(jsonType, anyJson).map(([type, text]) => plainBody(type, text)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anyJson, fc.constantFrom("utf-7", "utf-16le", "utf-16", "latin1", "utf-8"), fc.boolean())
      .map(([text, charset, honest]): Body => {
        const wide = charset.startsWith("utf-16") === honest;
        const bytes = Buffer.from(text, wide ? "utf16le" : charset === "latin1" ? "latin1" : "utf8");
        return { type: `application/json; charset=${charset}`, encoding: null, bytes };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        anyJson,
        fc.constantFrom("gzip", "br", "deflate", "identity", "gzip, gzip", "x-gzip"),
        fc.boolean(),
      )
      .map(([text, encoding, honest]): Body => {
        const bytes = honest ? packed(text, encoding) : Buffer.from(text);
        return { type: "application/json", encoding, bytes };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anyJson, fc.constantFrom(0xff, 0xc0, 0xef, 0x00, 0xfe, 0x80), fc.nat())
      .map(([text, byte, at]): Body => {
        const bytes = Buffer.from(text);
        bytes[at % bytes.length] = byte;
        return { type: "application/json", encoding: null, bytes };
      }),
  },
  {
    weight: 1,
    arbitrary: anyJson.map((text) => plainBody("application/json", `\ufeff${text}`)),
  },
  {
    weight: 1,
    arbitrary: anyJson.map((text): Body => ({ type: null, encoding: null, bytes: Buffer.from(text) })),
  },
  {
    weight: 1,
    arbitrary: members.map((all) => plainBody("application/x-www-form-urlencoded", form(all))),
  },
  {
    weight: 1,
    arbitrary: anyJson.map((text) => plainBody("multipart/form-data; boundary=x", multipart(text))),
  },
  {
    weight: 1,
    arbitrary: anyDocument.map(({ text }) => plainBody("application/graphql", text.toWellFormed())),
  },
);

const urlName = fc.constantFrom(
  ...["query", "Query", "%71uery", "query[]", "query%00", "+query", "operationName", "operationname"],
  ...[
    "variables",
    "extensions",
    "id",
    "documentId",
    "doc_id",
    "queryId",
    "hash",
    "ID",
    "x",
    "y;query",
    "%FFquery",
  ],
);
const urlValue = fc.oneof(
  fc
    .constantFrom("mutation{b}", "mutation B{b}", "{a}", "B", "A", PERSISTED_HASH, "1", "{}")
    .map(encodeURIComponent),
  fc.constant(encodeURIComponent(persisted("persistedQuery"))),
  fc.constantFrom("mutation{b}", "%", "mutation+B%7Bb%7D", "%c0%af", "1;query=mutation{b}"),
);
const urlPair = fc.tuple(urlName, urlValue).map(([name, value]) => `${name}=${value}`);
const oddQuery = often(fc.array(urlPair, { minLength: 1, maxLength: 2 }), fc.constant([]));
const accept = fc.constantFrom(
  ...[
    "*/*",
    "application/json",
    "text/event-stream",
    "multipart/mixed; deferSpec=20220824, application/json",
  ],
  "application/graphql-response+json, application/json;q=0.9",
);

const post = fc
  .tuple(
    often(fc.constantFrom("PUT", "PATCH", "DELETE", "QUERY", "post"), fc.constant("POST"), 30),
    oddQuery,
    body,
    accept,
  )
  .map(([method, pairs, { type, encoding, bytes }, accepts]): Sample => {
    const headers: [string, string][] = [["accept", accepts]];
    if (type !== null) headers.push(["content-type", type]);
    if (encoding !== null) headers.push(["content-encoding", encoding]);
    const target = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
    return { method, target, headers, body: bytes, plain: false };
  });

const get = fc
  .tuple(
    often(fc.constantFrom("HEAD", "DELETE"), fc.constant("GET"), 20),
    members,
    oddQuery,
    accept,
    often(object, nothing, 20),
    fc.boolean(),
  )
  .map(([method, all, pairs, accepts, text, flip]): Sample => {
    const pieces = flip ? [form(all), ...pairs] : [...pairs, form(all)];
    return {
      method,
      target: `?${pieces.join("&")}`,
      headers: [["accept", accepts]],
      body: text === null ? null : Buffer.from(text),
      plain: false,
    };
  });

/** What clients really send: a query that validates, with or without variables, by POST or by GET. */
const plain = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "echo", "nested", "F"), literal), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.option(number),
    ignored,
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom("", "Q", "mutation"),
  )
  .map(([chosen, variable, between, byGet, withExtensions, name]): Sample => {
    const fields = chosen.map(([kind, value], i) => {
      const given = value.replaceAll("$v", "0").replaceAll("1e400", "1e300");
      if (kind === "nested") return `k${i}:nested{a k:echo(v:${given})}`;
      if (kind === "F") return "...F";
      return kind === "echo" ? `k${i}:echo(v:${given})` : `k${i}:${kind}`;
    });
    if (variable !== null) fields.push("kv:echo(v:$v)");
    const head = `query ${name}${variable === null ? "" : "($v:Raw)"}`;
    const tail = fields.includes("...F") ? " fragment F on Query{__typename ...on Query{x:c}}" : "";
    const query = `${head}{${fields.join(between)}}${tail}`;
    const all: [string, string][] = [["query", JSON.stringify(query)]];
    if (name !== "") all.push(["operationName", JSON.stringify(name)]);
    if (variable !== null) all.push(["variables", `{"v":${variable}}`]);
    if (withExtensions) all.push(["extensions", '{"trace":1.50}']);
    const headers: [string, string][] = [["accept", "application/json"]];
    if (byGet) return { method: "GET", target: `?${form(all)}`, headers, body: null, plain: true };
    headers.push(["content-type", "application/json"]);
    return { method: "POST", target: "", headers, body: Buffer.from(toJson(all, "", 0)), plain: true };
  });

/** The corpus: what clients send, what they might by mistake, and what nobody sends in good faith. */
export const sample: fc.Arbitrary<Sample> = fc.oneof(
  { weight: 3, arbitrary: plain },
  { weight: 8, arbitrary: post },
  { weight: 3, arbitrary: get },
);
