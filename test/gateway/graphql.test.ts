import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  type GraphqlRequest,
  type Inspection,
  inspectGraphql,
  MAX_BODY_BYTES,
} from "../../src/gateway/graphql/index.ts";
import { readBody, readCapped } from "../../src/http/read-capped.ts";

const encoder = new TextEncoder();

function post(body: string | Uint8Array | object, overrides: Partial<GraphqlRequest> = {}): Inspection {
  const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  return inspectGraphql({
    method: "POST",
    query: "",
    contentType: "application/json",
    contentEncoding: null,
    accept: null,
    hasBody: true,
    body: typeof text === "string" ? encoder.encode(text) : text,
    ...overrides,
  });
}

function get(query: string, overrides: Partial<GraphqlRequest> = {}): Inspection {
  return inspectGraphql({
    method: "GET",
    query,
    contentType: null,
    contentEncoding: null,
    accept: null,
    hasBody: false,
    body: new Uint8Array(0),
    ...overrides,
  });
}

/** `query:a,b` for each operation, or the refusal. */
function summary(result: Inspection): string {
  switch (result.kind) {
    case "judged":
      return result.operations.map(({ type, rootFields }) => `${type}:${rootFields.join(",")}`).join(" ");
    case "persisted_query":
      return "persisted_query";
    case "refused":
      return String(result.status);
  }
}

const judgePost = (body: string | Uint8Array | object, overrides?: Partial<GraphqlRequest>) =>
  summary(post(body, overrides));
const judgeGet = (query: string, overrides?: Partial<GraphqlRequest>) => summary(get(query, overrides));
const judgeDocument = (query: string) => judgePost({ query });

function bodyOf(result: Inspection): string {
  if (result.kind !== "judged" || result.body === null) throw new Error(`no body: ${JSON.stringify(result)}`);
  return result.body;
}

function queryOf(result: Inspection): string {
  if (result.kind !== "judged") throw new Error(`not judged: ${JSON.stringify(result)}`);
  return result.query;
}

const uri = encodeURIComponent;
const hash = { persistedQuery: { version: 1, sha256Hash: "ab".repeat(32) } };

describe("attack rows", () => {
  it("G01, G39: a mutation is a mutation, its body canonical", () => {
    const result = post('{ "query" : "mutation{b}" }');
    expect(summary(result)).toBe("mutation:b");
    expect(bodyOf(result)).toBe('{"query":"mutation{b}"}');
  });

  const polyglot = '{"query":"query A{a} #+AFw-n mutation B{b}","operationName":"B"}';
  it("G02: the utf-7 polyglot is 415 by its charset", () => {
    expect(judgePost(polyglot, { contentType: "application/json; charset=utf-7" })).toBe("415");
  });
  it("G03: and 400 as UTF-8, where B does not exist", () => {
    expect(judgePost(polyglot, { contentType: "application/json; charset=utf-8" })).toBe("400");
  });

  it.each(["gzip", "br", "gzip, gzip", "deflate", "zstd", "identity, gzip", "x-gzip", "", "aws-chunked"])(
    "G05: Content-Encoding %j is 415",
    (contentEncoding) => {
      expect(judgePost(gzipSync('{"query":"mutation{b}"}'), { contentEncoding })).toBe("415");
    },
  );
  it("G05: identity is no encoding; gzip bytes under it are not UTF-8", () => {
    expect(judgePost({ query: "{a}" }, { contentEncoding: "Identity" })).toBe("query:a");
    expect(judgePost(gzipSync('{"query":"mutation{b}"}'), { contentEncoding: "identity" })).toBe("400");
  });

  it.each([
    "query=mutation{b}",
    "%71uery=mutation{b}&query=x",
    "Query=mutation{b}",
    "+query=mutation{b}",
    "query[]=mutation{b}",
    "query%00=x",
    "[query]=mutation{b}",
    "%5Bquery%5D=mutation{b}",
    "]query=mutation{b}",
    "query]=mutation{b}",
    "[[query=mutation{b}",
    "[extensions][operationId]=x",
    "[documentId]=x",
    "?query=mutation{b}",
    "operationName=B",
    "variables={}",
    "extensions[persistedQuery][sha256Hash]=x",
    "documentId=x",
    "query",
  ])("G07: %s is not forwarded beside a body", (query) => {
    const result = post({ query: "{a}" }, { query: `x=%41+1&${query}&y` });
    expect(summary(result)).toBe("query:a");
    expect(queryOf(result)).toBe("x=%41+1&y");
  });
  it.each([
    "doc.id=H",
    "doc%20id=H",
    "doc+id=H",
    "doc[id=H",
    "document.id=H",
    "query.id=H",
    "Query[Id=H",
    "operation_id=H",
  ])("URL names that PHP makes names of stored documents: %s is not forwarded beside a body", (query) =>
    expect(queryOf(post({ query: "{a}" }, { query: `x=1&${query}` }))).toBe("x=1"),
  );
  it.each([
    "x=1;query=mutation{b}",
    "x;Query=mutation{b}",
    "x;[query]=mutation{b}",
    "x=1;%71uery[]=b",
    "%ff=1",
    "%=1",
    "%u0071uery=x",
    "query=%ff",
  ])("G07: %s is 400", (query) => {
    expect(judgePost({ query: "{a}" }, { query })).toBe("400");
  });

  it("G08: GET with a mutation is 405, selected or not", () => {
    expect(get(`query=${uri("mutation{b}")}`)).toEqual({
      kind: "refused",
      status: 405,
      detail: "A mutation needs POST",
      allow: "POST",
    });
    expect(judgeGet("query=query+A{a}mutation+B{b}&operationName=A")).toBe("405");
  });

  it("G10: GET with a body is 400", () => {
    expect(judgeGet("query={a}", { hasBody: true, body: encoder.encode('{"query":"mutation{b}"}') })).toBe(
      "400",
    );
  });

  it("G11: a batch is what all its entries are", () => {
    const result = post([{ query: "{a}" }, { query: "mutation{b}", variables: { n: 1 } }]);
    expect(summary(result)).toBe("query:a mutation:b");
    expect(bodyOf(result)).toBe('[{"query":"{a}"},{"query":"mutation{b}","variables":{"n":1}}]');
  });
  it("G11: batches have 1 to 10 entries, all of them requests", () => {
    const entry = { query: "{a}" };
    expect(judgePost(Array(10).fill(entry))).toBe(Array(10).fill("query:a").join(" "));
    for (const batch of [[], Array(11).fill(entry), [entry, null], [[entry]], [entry, {}], [entry, "{a}"]]) {
      expect(judgePost(batch)).toBe("400");
    }
  });

  const two = "query A{a} mutation B{b}";
  it("G13: an unselected mutation counts", () => {
    expect(judgePost({ query: two, operationName: "A" })).toBe("query:a mutation:b");
  });
  it.each([
    ["B", "query:a mutation:b"],
    ["", "400"],
    [null, "400"],
    [["B"], "400"],
    [{ toString: "B" }, "400"],
    [0, "400"],
    ["b", "400"],
    [" B", "400"],
    ["B\u0000", "400"],
    ["__proto__", "400"],
  ])("G14: operationName %j gives %s", (operationName, expected) => {
    expect(judgePost({ query: two, operationName })).toBe(expected);
  });
  it("G14: absent beside two operations is 400; naming the anonymous one does not work", () => {
    expect(judgePost({ query: two })).toBe("400");
    expect(judgePost({ query: "{a}", operationName: "A" })).toBe("400");
    expect(judgePost({ query: "{a}", operationName: "null" })).toBe("400");
    expect(judgePost({ query: "{a}", operationName: "" })).toBe("400");
    expect(judgePost({ query: "query A{a}" })).toBe("query:a");
  });

  it("G16: a comment ends at LF, CR and CRLF", () => {
    for (const end of ["\n", "\r", "\r\n"]) expect(judgeDocument(`#{a}${end}mutation{b}`)).toBe("mutation:b");
  });
  it("G16: no other separator hides in a comment, a string or between tokens", () => {
    for (const separator of ["\u0085", "\u2028", "\u2029", "\u000b", "\u000c", "\u0000", "\u001b"]) {
      expect(judgeDocument(`query A{a} #${separator}mutation B{b}`)).toBe("400");
      expect(judgeDocument(`{a}${separator}mutation B{b}`)).toBe("400");
    }
    expect(judgeDocument('{a(s:"\u0000")}')).toBe("400");
    expect(judgeDocument('{a(s:"""\u0000""")}')).toBe("400");
    expect(judgeDocument('{a(s:"\u2028\u0085")}')).toBe("query:a");
    expect(judgeDocument("\ufeff{\ufeffa,}\ufeff")).toBe("query:a");
    expect(judgeDocument("{a\u00a0}")).toBe("400");
    expect(judgeDocument('{a(s:"\ud800")} ')).toBe("400");
  });

  it.each([
    ["query Mutation{a}", "query:a"],
    ["query{...mutation} fragment mutation on Query{a}", "query:a"],
    ['{a(s:"mutation{b}")}', "query:a"],
    ['{a(s:"""mutation{b} \\""" """)}', "query:a"],
    ["{mutation:a}", "query:a"],
    ["{mutation}", "query:mutation"],
    ["{a #mutation{b}\n}", "query:a"],
    ["query subscription($mutation:mutation=mutation)@mutation{a(mutation:$mutation)}", "query:a"],
  ])("G18: %s is a query", (query, expected) => {
    expect(judgeDocument(query)).toBe(expected);
  });

  it("G19: a subscription is a read, over POST and over GET with SSE", () => {
    expect(judgeDocument("subscription{s}")).toBe("subscription:s");
    expect(judgeGet("query=subscription{s}", { accept: "text/event-stream" })).toBe("subscription:s");
    expect(judgeGet("query=subscription{s}", { accept: "application/json, Text/Event-Stream;q=0.5" })).toBe(
      "subscription:s",
    );
    for (const accept of [null, "*/*", "application/json", "text/event-streams"]) {
      expect(judgeGet("query=subscription{s}", { accept })).toBe("405");
    }
  });

  it("G21: a hash without a document, by POST and GET", () => {
    expect(post({ extensions: hash })).toEqual({ kind: "persisted_query", batch: null });
    expect(post({ query: null, operationName: "B", variables: { a: 1 }, extensions: hash })).toEqual({
      kind: "persisted_query",
      batch: null,
    });
    expect(judgePost({ documentId: "sha256:abc" })).toBe("persisted_query");
    expect(judgeGet(`extensions=${uri(JSON.stringify(hash))}`)).toBe("persisted_query");
    expect(judgeGet(`documentId=${uri("sha256:abc")}&variables=${uri("{}")}`)).toBe("persisted_query");
    expect(post([{ query: "{a}" }, { extensions: hash }])).toEqual({ kind: "persisted_query", batch: 2 });
    expect(judgePost([{ extensions: hash }, { query: "mutation" }])).toBe("400");
    for (const body of [{}, { id: "x" }, { extensions: {} }, { query: null }, { extensions: null }]) {
      expect(judgePost(body)).toBe("400");
    }
    expect(judgePost({ query: "", extensions: hash })).toBe("400");
    expect(judgeGet("")).toBe("400");
  });
  it("G21: a hash beside a document is not forwarded", () => {
    const body = (extensions: object) => bodyOf(post({ query: "{a}", extensions }));
    expect(body(hash)).toBe('{"query":"{a}"}');
    expect(body({ tracing: true, ...hash, n: 1 })).toBe(
      '{"query":"{a}","extensions":{"tracing":true,"n":1}}',
    );
    expect(body({ PersistedQuery: hash.persistedQuery })).toBe('{"query":"{a}"}');
    expect(body({ "per\u017fi\u017ftedquery": 1 })).toBe('{"query":"{a}"}');
    expect(body({ tracing: { persistedQuery: 1 } })).toBe(
      '{"query":"{a}","extensions":{"tracing":{"persistedQuery":1}}}',
    );
    expect(bodyOf(post(`{"query":"{a}","extensions":{"\\u0070ersistedQuery":{},"n":1.10}}`))).toBe(
      '{"query":"{a}","extensions":{"n":1.10}}',
    );
    expect(bodyOf(post({ query: "{a}", documentId: "x", id: "y", doc_id: "z" }))).toBe('{"query":"{a}"}');
    expect(queryOf(get(`query={a}&documentId=x&extensions=${uri(JSON.stringify(hash))}`))).toBe(
      "query=%7Ba%7D",
    );
  });

  it.each([
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/graphql",
    "application/graphql+json",
    "application/graphql-response+json",
    null,
    "",
    "application/json, text/plain",
    "application/json, application/json",
    "application/json;",
    "application/json; charset=utf-8; charset=utf-7",
    "application/json; charset=utf-16",
    "application/json; charset=utf8",
    "application/json; charset='utf-8'",
    "application/json; charset= utf-8",
    "application/json; version=1",
    "application/json5",
    "application/jsonx; charset=utf-8",
    "text/json",
    " application/json",
    "application/json\n",
  ])("G24, G25: content type %j is 415", (contentType) => {
    expect(judgePost({ query: "mutation{b}" }, { contentType })).toBe("415");
    expect(
      judgePost('--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}', { contentType }),
    ).toBe("415");
  });
  it.each([
    "application/json",
    "Application/JSON",
    "application/json;charset=UTF-8",
    'application/json \t; \tCharset="utf-8"',
  ])("content type %j is accepted", (contentType) => {
    expect(judgePost({ query: "{a}" }, { contentType })).toBe("query:a");
  });

  it("G27: invalid UTF-8 and byte order marks are 400", () => {
    const bytes = encoder.encode('{"query":"{a #x\\nb}"}');
    bytes[13] = 0xff;
    expect(judgePost(bytes)).toBe("400");
    expect(judgePost('\ufeff{"query":"{a}"}')).toBe("400");
    expect(judgePost(Buffer.from('{"query":"{a}"}', "utf16le"))).toBe("400");
    expect(judgeGet("query={a(s:%22%ff%22)}")).toBe("400");
    expect(judgeGet("query=%7Ba%7")).toBe("400");
  });

  it("G28: numbers keep every digit", () => {
    const text =
      '{"query":"{a}","variables":{"id":12345678901234567890,"x":[1.10,-0.0,1E+400,0.1e-7]},"extensions":{"n":1.0}}';
    expect(bodyOf(post(text))).toBe(text);
    expect(bodyOf(post(`[${text}]`))).toBe(`[${text}]`);
    const variables = '{"id":12345678901234567890}';
    expect(queryOf(get(`query={a}&variables=${uri(variables)}`))).toBe(
      `query=%7Ba%7D&variables=${uri(variables)}`,
    );
  });

  it("G30: __proto__ is a member like any other, and pollutes nothing", () => {
    expect(judgePost('{"__proto__":{"query":"mutation{b}"}}')).toBe("400");
    const result = post('{"query":"{a}","__proto__":{"query":"mutation{b}","polluted":1}}');
    expect(bodyOf(result)).toBe('{"query":"{a}"}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(judgePost('{"__proto__":1,"__proto__":2,"query":"{a}"}')).toBe("400");
  });

  it("G36: other methods are 405", () => {
    for (const method of ["PUT", "HEAD", "DELETE", "PATCH", "QUERY", "post", "OPTIONS"]) {
      expect(post({ query: "{a}" }, { method })).toMatchObject({
        kind: "refused",
        status: 405,
        allow: "GET, POST",
      });
    }
  });
});

/** G31. Every one of these ends in a value, soon. The bound is generous: the machine may be busy. */
describe("G31: bombs", () => {
  const spreads = (n: number) =>
    `{...F0}${Array.from({ length: n }, (_, i) => `fragment F${i} on Q{...F${i + 1} ...F${i + 1}}`).join("")}fragment F${n} on Q{a}`;
  const operations = (n: number) =>
    `${Array.from({ length: n }, (_, i) => `query O${i}{...F}`).join(" ")} fragment F on Q{${fields(4_000)}}`;
  const fields = (n: number) => Array.from({ length: n }, (_, i) => `f${i}`).join(" ");
  const documents: [string, string, string][] = [
    ["2 MB document", `{${"a ".repeat(1_000_000)}}`, "413"],
    ["300 KiB document", `{${"a ".repeat(150_000)}}`, "413"],
    ["5,000 levels of fields", `${"{a".repeat(5_000)}${"}".repeat(5_000)}`, "400"],
    ["100,000 open braces", "{".repeat(100_000), "400"],
    ["5,000 levels of lists", `{a(b:${"[".repeat(5_000)}${"]".repeat(5_000)})}`, "400"],
    ["5,000 levels of input objects", `{a(b:${"{c:".repeat(5_000)}1${"}".repeat(5_000)})}`, "400"],
    ["5,000 levels of list types", `query($v:${"[".repeat(5_000)}I${"]".repeat(5_000)}){a}`, "400"],
    ["300,000 comment lines", `${"#\n".repeat(300_000)}{a}`, "413"],
    ["100,000 comment lines", `${"#\n".repeat(100_000)}{a}`, "400"],
    ["100,000 directives", `{a ${"@a".repeat(100_000)}}`, "400"],
    ["10,000 aliases", `{${Array.from({ length: 10_000 }, (_, i) => `a${i}:x`).join(" ")}}`, "400"],
    ["100,000 fragments in a cycle", `{...F}${"fragment F on Q{...F}".repeat(10_000)}`, "400"],
    ["2^1,000 spreads", spreads(600), "query:a"],
    ["50 operations without a selected one", operations(50), "400"],
    ["a string that is never closed", `{a(s:"${"\\\\".repeat(60_000)}`, "400"],
    ["a block string that is never closed", `{a(s:"""${'\\"""'.repeat(50_000)}`, "400"],
    ["250 KB of one name", `{${"n".repeat(250_000)}!}`, "400"],
    ["250 KB of one string, misplaced", `{"${"n".repeat(250_000)}"}`, "400"],
  ];
  it.each(documents)("%s", (_, query, expected) => {
    const started = performance.now();
    const result = post({ query });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(summary(result)).toBe(expected);
    if (result.kind === "refused") expect(result.detail.length).toBeLessThan(300);
    expect(summary(get(`query=${uri(query)}`))).toBe(expected);
  });

  it.each([
    ["nested arrays", `{"query":"{a}","variables":{"v":${"[".repeat(5_000)}${"]".repeat(5_000)}}}`, "400"],
    ["400,000 open arrays", "[".repeat(400_000), "400"],
    ["a batch of 300,000", `[${"{},".repeat(300_000)}{}]`, "400"],
    [
      "100,000 members",
      `{"query":"{a}",${Array.from({ length: 60_000 }, (_, i) => `"m${i}":1`).join(",")}}`,
      "query:a",
    ],
    ["over the body cap", `{"query":"{a}"${" ".repeat(MAX_BODY_BYTES)}}`, "413"],
  ])("JSON: %s", (_, text, expected) => {
    const started = performance.now();
    expect(judgePost(text)).toBe(expected);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("51 operations are refused", () => {
    expect(judgePost({ query: operations(51), operationName: "O7" })).toBe("400");
  });

  it("50 operations that spread 4,000 fields each are judged", () => {
    const started = performance.now();
    const result = post({ query: operations(50), operationName: "O7" });
    expect(result.kind === "judged" && result.operations.map(({ rootFields }) => rootFields.length)).toEqual(
      Array(50).fill(4_000),
    );
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("a large document under the limits is judged", () => {
    const query = `{${fields(8_000)}}`;
    expect(judgeDocument(query)).toBe(`query:${fields(8_000).replaceAll(" ", ",")}`);
    expect(judgeDocument(`${"{a".repeat(64)}${"}".repeat(64)}`)).toBe("query:a");
    expect(judgeDocument(`${"{a".repeat(65)}${"}".repeat(65)}`)).toBe("400");
  });
});

describe("documents", () => {
  it.each([
    ["{x:b y:b c}", "query:b,c"],
    ["{...{a ...on T{b ... @include(if:false){c}}} d}", "query:d,a,b,c"],
    ["{...F a} fragment F on Q{x:b{inner} ...G} fragment G on Q{c ...F}", "query:a,b,c"],
    ["mutation($s:Boolean!){b @skip(if:$s)}", "mutation:b"],
    ["{__schema{types{name}} __typename}", "query:__schema,__typename"],
    ["query A{a} query B{b}", "400"],
    ["{a} fragment F on Q{...Undefined}", "query:a"],
    ['"""described""" query A{a}', "query:a"],
  ])("root fields of %s", (query, expected) => {
    expect(judgeDocument(query)).toBe(expected);
  });

  it.each([
    ["empty", ""],
    ["a comment only", "#a"],
    ["fragments only", "fragment F on Q{a}"],
    ["SDL beside a query", "{a} type Query{a:Int}"],
    ["an extension", "{a} extend type Query{b:Int}"],
    ["a schema", "schema{query:Query}"],
    ["a directive definition", "{a} directive @d on FIELD"],
    ["duplicate operation names", "query A{a} mutation A{b}"],
    ["anonymous beside named", "{a} mutation B{b}"],
    ["two anonymous", "{a} {b}"],
    ["duplicate fragment names", "{...F} fragment F on Q{a} fragment F on Q{b}"],
    ["an undefined fragment", "{...F}"],
    ["a fragment that spreads itself alone", "{...F} fragment F on Q{...F}"],
    ["no field", "mutation{}"],
    ["an unknown operation type", "mutations{b}"],
    ["a different case", "Mutation{b}"],
    ["unclosed", "{a"],
    ["a placeholder", "{$a}"],
    ["an escape outside a string", "\\u007ba\\u007d"],
  ])("refuses %s", (_, query) => {
    expect(judgeDocument(query)).toBe("400");
  });

  it("refuses an anonymous operation beside a selected one", () => {
    expect(judgePost({ query: "{a} mutation B{b}", operationName: "B" })).toBe("400");
  });

  it("counts no brackets in strings, block strings and comments", () => {
    const open = "{[(".repeat(100);
    expect(judgeDocument(`{a(s:"${open}\\"${open}")}`)).toBe("query:a");
    expect(judgeDocument(`{a(s:"""${open} "" \n "${open} \\""" ${open}""")}`)).toBe("query:a");
    expect(judgeDocument(`{a(s:"""x"${open}""")}`)).toBe("query:a");
    expect(judgeDocument(`{a #${open}"\r b #"""\n}`)).toBe("query:a,b");
  });

  it("judges the same when it remembers, also after 200 others", () => {
    const cached = post({ query: "query A{a} mutation B{b}", operationName: "A" });
    expect(post({ query: "query A{a} mutation B{b}", operationName: "A" })).toEqual(cached);
    expect(judgePost({ query: "query A{a} mutation B{b}", operationName: "C" })).toBe("400");
    for (let i = 0; i < 300; i++) expect(judgeDocument(`{f${i}}`)).toBe(`query:f${i}`);
    expect(post({ query: "query A{a} mutation B{b}", operationName: "A" })).toEqual(cached);
  });
});

describe("JSON bodies", () => {
  it.each([
    '{"query":"{a}","query":"mutation{b}"}',
    '{"query":"{a}","\\u0071uery":"mutation{b}"}',
    '{"query":"{a}","variables":{"x":{"y":1,"y":2}}}',
    '{"query":"{a}","extensions":{"persistedQuery":{},"persistedQuery":{}}}',
    '{"query":"{a}","unknown":{"y":1,"y":2}}',
    '[{"query":"{a}","query":"mutation{b}"}]',
    '{"query":"{a}","\\ud800":1}',
    '{"query":["{a}"]}',
    '{"query":{"a":1}}',
    '{"query":1}',
    '{"query":"{a}","variables":[]}',
    '{"query":"{a}","variables":"{}"}',
    '{"query":"{a}","variables":1}',
    '{"query":"{a}","extensions":[]}',
    '{"query":"{a}","extensions":"{}"}',
    '{"query":"{a}"}x',
    '{"query":"{a}",}',
    "{'query':'{a}'}",
    '{"query":"{a}"}\u0000',
    "query={a}",
    '"{a}"',
    "null",
    "1",
    "",
    " ",
  ])("refuses %s", (text) => {
    expect(judgePost(text)).toBe("400");
  });

  it("drops null members and those it does not know", () => {
    const text =
      '{"Query":"mutation{b}","operationName":null,"variables":null,"extensions":null,"query":"{a}","key":1}';
    expect(bodyOf(post(text))).toBe('{"query":"{a}"}');
  });

  it("writes the document anew and keeps variables as they came", () => {
    const text =
      '{"variables" : { "s" : "\\u0041\\/" , "e" : [ ] } ,"operationName":"\\u0041", "query":"query A{a(s:\\"\\u00e9\\/\\")}"}';
    expect(bodyOf(post(text))).toBe(
      '{"query":"query A{a(s:\\"é/\\")}","operationName":"A","variables":{ "s" : "\\u0041\\/" , "e" : [ ] }}',
    );
  });
});

describe("URLs", () => {
  it("rebuilds the judged members after the other parameters", () => {
    const result = get(
      "x=%41&query=query+A{a(s:%22%2B;%26%22)}&y&operationName=A&variables=+{%22v%22:1.0}+&extensions=null",
    );
    expect(result.kind === "judged" && result.body).toBeNull();
    expect(queryOf(result)).toBe(
      `x=%41&y&query=${uri('query A{a(s:"+;&")}')}&operationName=A&variables=${uri('{"v":1.0}')}`,
    );
  });

  it.each([
    "query={a}&query={a}",
    "query={a}&%71uery=mutation{b}",
    "query={a}&Query=mutation{b}",
    "query={a}&query[]=mutation{b}",
    "Query={a}",
    "query={a}&operationName=",
    "query={a}&operationName=A&operationName=A",
    "query={a}&variables=",
    "query={a}&variables=[]",
    "query={a}&variables=1",
    "query={a}&variables={%22a%22:1,%22a%22:2}",
    "query={a}&extensions=x",
    "query={a}&extensions={%22a%22:1,%22a%22:2}",
    "query={a}&x=1;query=mutation{b}",
    "query=",
    "query",
    "?query={a}",
  ])("refuses GET %s", (query) => {
    expect(judgeGet(query)).toBe("400");
  });
});

describe("readCapped", () => {
  function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
        controller.close();
      },
    });
  }

  it("reads up to the cap, exactly", async () => {
    expect(await readCapped(null, 0)).toEqual(new Uint8Array(0));
    expect(await readCapped(streamOf(), 0)).toEqual(new Uint8Array(0));
    expect(await readCapped(streamOf("abc"), 3)).toEqual(encoder.encode("abc"));
    expect(await readCapped(streamOf("ab", "", "c"), 3)).toEqual(encoder.encode("abc"));
    expect(await readCapped(streamOf("ab", "cd"), 3)).toBe("too_large");
  });

  it("stops an endless stream, without waiting for its cancelling", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1024));
      },
      cancel: () => new Promise(() => {}),
    });
    expect(await readCapped(endless, 10 * 1024)).toBe("too_large");
    expect(pulled).toBeLessThan(15);
  });

  it("reads a body of announced length in one go, and refuses by what was announced and by what came", async () => {
    const posted = (body: string) => new Request("http://gateway.test/", { method: "POST", body });
    expect(await readBody(posted("abcd"), 4, "4")).toEqual(encoder.encode("abcd"));
    const unread = posted("abcd");
    expect(await readBody(unread, 3, "4")).toBe("too_large");
    expect(unread.bodyUsed).toBe(false);
    expect(await readBody(posted("abcd"), 3, "2")).toBe("too_large");
    for (const announced of [null, "", "-1", "4, 4", "1e1"]) {
      expect(await readBody(posted("abcd"), 4, announced)).toEqual(encoder.encode("abcd"));
      expect(await readBody(posted("abcd"), 3, announced)).toBe("too_large");
    }
  });

  it("rejects when the stream fails", async () => {
    const failing = new ReadableStream<Uint8Array>({
      pull() {
        throw new Error("gone");
      },
    });
    await expect(readCapped(failing, 10)).rejects.toThrow("gone");
  });
});
