import fc from "fast-check";
import { buildSchema, execute, getOperationAST, Kind, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { type GraphqlRequest, type Inspection, inspectGraphql } from "../../src/gateway/graphql/index.ts";

const encoder = new TextEncoder();

function inspect(overrides: Partial<GraphqlRequest>): Inspection {
  return inspectGraphql({
    method: "POST",
    query: "",
    contentType: "application/json",
    contentEncoding: null,
    accept: "text/event-stream",
    hasBody: overrides.method !== "GET",
    body: new Uint8Array(0),
    ...overrides,
  });
}

const inspectBody = (body: unknown) => inspect({ body: encoder.encode(JSON.stringify(body)) });

// ---- random documents, by grammar ----

const field = fc.constantFrom("a", "b", "c", "nested", "__typename");
const fragmentName = fc.constantFrom("F", "G", "H", "mutation");
const ignored = fc.constantFrom(" ", "\n", "\r", "\r\n", ",", "\t", " # mutation{c}\n", " #{\r", "\ufeff ");
const argument = fc.constantFrom(
  "",
  '(s:"mutation{c}")',
  '(s:"""}#{ \\""" mutation """)',
  '(s:"\\u007b#")',
  "(s:$v)",
);
const directive = fc.constantFrom("", "@include(if:true)", "@skip(if:false)", "@custom");

const leaf = fc
  .tuple(fc.constantFrom("", "x:", "y:", "mutation:"), field, argument, directive)
  .map(([alias, name, args, at]) =>
    name === "nested"
      ? `${alias}nested${at}{b a}`
      : `${alias}${name}${name === "__typename" ? "" : args}${at}`,
  );
const { selection } = fc.letrec<{ selection: string; selections: string }>((tie) => ({
  selection: fc.oneof(
    { maxDepth: 3, depthIdentifier: "selection" },
    leaf,
    fc.tuple(fragmentName, directive).map(([name, at]) => `...${name}${at}`),
    fc
      .tuple(fc.constantFrom("...", "...on Query", "...on Mutation", "...@custom"), tie("selections"))
      .map(([head, body]) => `${head}{${body}}`),
  ),
  selections: fc
    .array(fc.tuple(tie("selection"), ignored), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.flat().join("")),
}));
const selections = fc
  .array(fc.tuple(selection, ignored), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.flat().join(""));
const operation = fc
  .tuple(
    fc.constantFrom("query", "mutation", "subscription"),
    fc.constantFrom("", "A", "B", "C", "query"),
    selections,
  )
  .map(([type, name, body]) => `${type} ${name}${name === "A" ? "($v:String)" : ""}{${body}}`);
const fragment = fc
  .tuple(fragmentName, fc.constantFrom("Query", "Mutation"), selections)
  .map(([name, on, body]) => `fragment ${name} on ${on}{${body}}`);
const documentText = fc
  .tuple(
    fc.array(operation, { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(fragment, { maxLength: 4, selector: (text) => text.split(" ")[1] }),
    ignored,
    fc.boolean(),
  )
  .map(([operations, fragments, between, flip]) =>
    (flip ? [...fragments, ...operations] : [...operations, ...fragments]).join(
      between === "," ? " " : between,
    ),
  );

/** Every name a client could select by, null included. */
const names = ["A", "B", "C", "query", "", null];

const members = "a(s:String):Int b(s:String):Int c(s:String):Int";
const schema = buildSchema(
  `type Query{${members} nested:Query} type Mutation{${members} nested:Query} type Subscription{${members} nested:Query}`,
);

/** The root fields that `graphql` resolves for this request: an origin's view, without validation. */
function executed(query: string, operationName: string | undefined): Set<string> {
  const fields = new Set<string>();
  execute({
    schema,
    document: parse(query),
    operationName,
    fieldResolver(_source, _args, _context, info) {
      if (info.path.prev === undefined) fields.add(info.fieldName);
      return info.fieldName === "nested" ? {} : 1;
    },
  });
  return fields;
}

describe("documents", () => {
  it("are judged as graphql itself sees them", () => {
    let judged = 0;
    fc.assert(
      fc.property(documentText, (query) => {
        const document = parse(query);
        const own = document.definitions.filter(
          (definition) => definition.kind === Kind.OPERATION_DEFINITION,
        );
        for (const operationName of names) {
          const result = inspectBody({ query, operationName });
          if (result.kind !== "judged") continue;
          judged += 1;
          expect(result.operations.map(({ type }) => type)).toEqual(
            own.map((definition) => definition.operation),
          );
          // What an origin selects is among what was judged, and exactly one operation.
          const selected = getOperationAST(document, operationName);
          expect(selected).not.toBeNull();
          const at = own.indexOf(selected as (typeof own)[number]);
          // An operation whose name the origin does not take still resolves no more than was judged.
          const allowed = new Set(result.operations[at]?.rootFields);
          for (const name of executed(query, operationName ?? undefined)) expect(allowed).toContain(name);
        }
      }),
      { numRuns: 1_500 },
    );
    expect(judged).toBeGreaterThan(300);
  });

  it("are refused by name exactly where graphql finds no operation", () => {
    fc.assert(
      fc.property(documentText, fc.constantFrom(...names), (query, operationName) => {
        const found = getOperationAST(parse(query), operationName) !== null;
        const result = inspectBody({ query, operationName });
        if (!found) expect(result).toMatchObject({ kind: "refused", status: 400 });
      }),
    );
  });

  it("judge alike by POST and GET", () => {
    fc.assert(
      fc.property(documentText, fc.constantFrom("A", null), (query, operationName) => {
        const posted = inspectBody({ query, operationName });
        const search = `query=${encodeURIComponent(query)}${operationName === null ? "" : `&operationName=${operationName}`}`;
        const got = inspect({ method: "GET", query: search });
        if (posted.kind === "judged" && got.kind === "judged") {
          expect(got.operations).toEqual(posted.operations);
          const { query: forwarded } = JSON.parse(posted.body as string) as { query: string };
          expect(got.query).toBe(
            search.replace(/^query=[^&]*/, () => `query=${encodeURIComponent(forwarded)}`),
          );
        } else if (posted.kind === "judged") {
          expect(got).toMatchObject({ status: 405 });
          expect(posted.operations.some(({ type }) => type === "mutation")).toBe(true);
        } else expect(got).toEqual(posted);
      }),
    );
  });
});

describe("what is forwarded", () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?$/);
  const entry = fc.record(
    {
      query: fc.constantFrom("{a}", "query A{a}", 'mutation A{b(s:"é\u2028")}'),
      variables: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
      extensions: fc.option(
        fc.dictionary(fc.oneof(fc.string(), fc.constant("persistedQuery")), fc.jsonValue()),
      ),
      operationName: fc.constantFrom(null),
      unknown: fc.jsonValue(),
    },
    { requiredKeys: ["query"] },
  );

  /** A request as its origin reads it: null members are absent ones, and nothing else is read. */
  function meaning(value: Record<string, unknown>): Record<string, unknown> {
    const { query, variables, operationName } = value;
    const extensions = Object.entries(value.extensions ?? {}).filter(
      ([name]) => name.toLowerCase() !== "persistedquery",
    );
    // `-0` is written `0` by JSON.stringify, once; comparing through JSON makes both sides alike.
    return JSON.parse(
      JSON.stringify({
        query,
        variables: variables ?? null,
        operationName: operationName ?? null,
        extensions: extensions.length === 0 ? null : extensions,
      }),
    );
  }

  it("is what was judged, batches included", () => {
    fc.assert(
      fc.property(
        fc.oneof(entry, fc.array(entry, { minLength: 1, maxLength: 10 })),
        fc.nat(3),
        (body, indent) => {
          const result = inspect({ body: encoder.encode(JSON.stringify(body, null, indent)) });
          if (result.kind !== "judged" || result.body === null) throw new Error(JSON.stringify(result));
          const forwarded = JSON.parse(result.body);
          if (Array.isArray(body)) expect(forwarded.map(meaning)).toEqual(body.map(meaning));
          else {
            expect(meaning(forwarded)).toEqual(meaning(body));
            // Judging is idempotent: the canonical body is its own canonical form, extensions without hash.
            const again = inspect({ body: encoder.encode(result.body) });
            expect(again).toEqual(result);
          }
        },
      ),
    );
  });

  it("keeps numbers digit for digit", () => {
    fc.assert(
      fc.property(digits, digits, (variable, extension) => {
        const body = `{"query":"{a}","variables":{"n":[${variable}]},"extensions":{"n":${extension}}}`;
        expect(inspect({ body: encoder.encode(body) })).toMatchObject({ kind: "judged", body });
      }),
    );
  });
});

describe("never throws", () => {
  const kinds = ["judged", "persisted_query", "refused"];
  const contentType = fc.constantFrom(
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    null,
  );

  it("for random bytes and URLs", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.oneof(fc.string({ unit: "binary" }), fc.webQueryParameters()),
        fc.constantFrom("GET", "POST"),
        contentType,
        (body, query, method, type) => {
          expect(kinds).toContain(inspect({ method, query, contentType: type, body, hasBody: false }).kind);
        },
      ),
    );
  });

  it("for random strings in every member", () => {
    fc.assert(
      fc.property(
        fc.record({
          query: fc.string({ unit: "binary" }),
          operationName: fc.anything(),
          variables: fc.anything(),
        }),
        (body) => {
          const text = JSON.stringify(body, (_, value) =>
            typeof value === "bigint" ? String(value) : value,
          );
          expect(kinds).toContain(inspect({ body: encoder.encode(text) }).kind);
        },
      ),
    );
  });

  it("for mutated documents, and judges those that graphql still parses as graphql does", () => {
    const edit = fc.record({
      at: fc.nat(),
      drop: fc.nat(4),
      add: fc.constantFrom(
        "",
        "{",
        "}",
        "(",
        '"',
        '"""',
        "\\",
        "#",
        "\r",
        "...",
        "on",
        "mutation",
        "@",
        "$",
        "\u0000",
        "\ud800",
      ),
    });
    fc.assert(
      fc.property(documentText, fc.array(edit, { minLength: 1, maxLength: 4 }), (original, edits) => {
        let query = original;
        for (const { at, drop, add } of edits) {
          const start = at % (query.length + 1);
          query = query.slice(0, start) + add + query.slice(start + drop);
        }
        const result = inspectBody({ query });
        expect(kinds).toContain(result.kind);
        if (result.kind === "judged") {
          const own = parse(query).definitions.filter(
            (definition) => definition.kind === Kind.OPERATION_DEFINITION,
          );
          expect(result.operations.map(({ type }) => type)).toEqual(
            own.map((definition) => definition.operation),
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
