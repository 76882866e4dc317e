import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scopeCatalogue } from "../../src/keys/catalogue.ts";
import {
  type Access,
  canonicalPermissions,
  FULL,
  graphqlAccess,
  NONE,
  type Permissions,
  READ_ONLY,
} from "../../src/keys/permissions.ts";
import { parseScopes, renderScopes, unknownEndpoint, unknownNamespace } from "../../src/keys/scopes.ts";
import { BUILT_IN_TEMPLATES, builtInTemplate } from "../../src/keys/templates.ts";
import {
  anyAccess,
  anyGraphql,
  anyInference,
  anyNamespaceIds,
  anyPermissions,
  ENDPOINTS,
  FIELDS,
  NAMESPACES,
  OTHER,
  rights,
} from "./arbitraries.ts";

const [NS1, NS2] = NAMESPACES as [string, string, string];

function permissionsOf(scopes: unknown): Permissions {
  const parsed = parseScopes(scopes);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.permissions;
}

function message(scopes: unknown): string | undefined {
  const parsed = parseScopes(scopes);
  return parsed.ok ? undefined : parsed.message;
}

describe("what each shape means", () => {
  test.each<[unknown, Permissions]>([
    [{ all: true }, FULL],
    [{ read_only: true }, READ_ONLY],
    [{ inference: true }, { ...NONE, inference: "read_write" }],
    [
      { kubernetes_exec: { namespace_ids: [NS1.toUpperCase()] } },
      { ...NONE, kubernetes_exec: { namespace_ids: [NS1] } },
    ],
    [{ kubernetes_exec: { all_namespaces: true } }, { ...NONE, kubernetes_exec: "all_namespaces" }],
    [
      { kubernetes_exec: { namespace_ids: [], all_namespaces: true } },
      { ...NONE, kubernetes_exec: "all_namespaces" },
    ],
    [
      { kubernetes_exec: { namespace_ids: [NS1], all_namespaces: true } },
      { ...NONE, kubernetes_exec: "all_namespaces" },
    ],
    [
      { kubernetes_exec: { namespace_ids: [NS1], all_namespaces: false } },
      { ...NONE, kubernetes_exec: { namespace_ids: [NS1] } },
    ],
    [{ restricted: {} }, NONE],
    [{ restricted: { graphql: "read_write" } }, { ...NONE, graphql: "read_write" }],
    [{ restricted: { inference: { endpoints: {} } } }, NONE],
    [
      { restricted: { inference: { endpoints: { ep1: "read", ep2: "none" } } } },
      { ...NONE, inference: { endpoints: { ep1: "read" } } },
    ],
    [
      { restricted: { inference: { endpoints: { ep1: "none" }, others: "read" } } },
      { ...NONE, inference: { endpoints: { ep1: "none" }, others: "read" } },
    ],
    [
      { restricted: { graphql: { queries: "*", mutations: ["podStop", "podResume"] } } },
      { ...NONE, graphql: { queries: "*", mutations: ["podResume", "podStop"] } },
    ],
    [
      { restricted: { graphql: { mutations: ["podStop"] } } },
      { ...NONE, graphql: { queries: [], mutations: ["podStop"] } },
    ],
    [
      { restricted: { graphql: "read", inference: "read", kubernetes_exec: { namespace_ids: [NS1] } } },
      { graphql: "read", inference: "read", kubernetes_exec: { namespace_ids: [NS1] } },
    ],
    [{ restricted: { graphql: "read", inference: "read" } }, READ_ONLY],
    [{ restricted: FULL }, FULL],
    [{ restricted: NONE }, NONE],
    [["inference:read"], { ...NONE, inference: "read" }],
    [["inference:read", "inference:write"], { ...NONE, inference: "read_write" }],
    [
      ["inference:ep1:read", "inference:ep1:write"],
      { ...NONE, inference: { endpoints: { ep1: "read_write" } } },
    ],
    [
      ["inference:read", "inference:ep1:write", "inference:ep2:read"],
      { ...NONE, inference: { endpoints: { ep1: "read_write" }, others: "read" } },
    ],
    [["inference:ep1:read", "inference:write"], { ...NONE, inference: "read_write" }],
    [["inference:read:write"], { ...NONE, inference: { endpoints: { read: "read_write" } } }],
    [["inference:write:read"], { ...NONE, inference: { endpoints: { write: "read" } } }],
    [
      ["inference:constructor:read"],
      { ...NONE, inference: { endpoints: Object.fromEntries([["constructor", "read"]]) } },
    ],
    [["graphql:read"], { ...NONE, graphql: "read" }],
    [["graphql:write", "graphql:read"], { ...NONE, graphql: "read_write" }],
    [
      ["graphql:read", "graphql:mutations:podStop"],
      { ...NONE, graphql: { queries: "*", mutations: ["podStop"] } },
    ],
    [["graphql:queries:pod"], { ...NONE, graphql: { queries: ["pod"], mutations: [] } }],
    [["graphql:queries:*"], { ...NONE, graphql: "read" }],
    [["graphql:mutations:*"], { ...NONE, graphql: { queries: [], mutations: "*" } }],
    [["graphql:mutations:*", "graphql:queries:*"], { ...NONE, graphql: "read_write" }],
    [
      [`kubernetes_exec:${NS2}`, `kubernetes_exec:${NS1.toUpperCase()}`],
      { ...NONE, kubernetes_exec: { namespace_ids: [NS1, NS2] } },
    ],
    [[`kubernetes_exec:${NS2}`, "kubernetes_exec:*"], { ...NONE, kubernetes_exec: "all_namespaces" }],
    [["inference:write", "graphql:write", "kubernetes_exec:*"], FULL],
  ])("%j", (scopes, expected) => {
    expect(permissionsOf(scopes)).toEqual(expected);
  });
});

describe("what is refused", () => {
  const tooMany = Array.from({ length: 201 }, (_, index) => `x${index}`);
  test.each<readonly [scopes: unknown, text: string]>([
    // The spec's exact texts.
    [{}, "At least one explicit scope is required"],
    [[], "At least one explicit scope is required"],
    [
      { inference: true, kubernetes_exec: { all_namespaces: true } },
      "Explicit mixed scopes are not supported",
    ],
    [{ inference: true, kubernetes_exec: {} }, "Explicit mixed scopes are not supported"],
    [{ all: true, inference: true }, "all cannot be combined with other scope fields"],
    [{ all: true, anything: 1 }, "all cannot be combined with other scope fields"],
    [{ all: true, kubernetes_exec: { namespace_ids: [] } }, "all cannot be combined with other scope fields"],
    [
      { kubernetes_exec: { namespace_ids: [] } },
      "At least one namespace ID is required unless all_namespaces is true",
    ],
    [{ kubernetes_exec: {} }, "At least one namespace ID is required unless all_namespaces is true"],
    [
      { kubernetes_exec: { all_namespaces: false } },
      "At least one namespace ID is required unless all_namespaces is true",
    ],
    [
      { restricted: { kubernetes_exec: { namespace_ids: [] } } },
      "At least one namespace ID is required unless all_namespaces is true",
    ],
    [{ kubernetes_exec: { namespace_ids: ["prod"] } }, "Unknown namespace: prod"],
    [[`kubernetes_exec:${NS1}0`], `Unknown namespace: ${NS1}0`],
    [{ restricted: { inference: { endpoints: { "../x": "read" } } } }, "Unknown endpoint: ../x"],
    [["inference:*:read"], "Unknown endpoint: *"],
    [["inference::read"], "Unknown endpoint: "],
    // Everything else names the member.
    [null, "scopes must be an object or a list of scope strings"],
    ["all", "scopes must be an object or a list of scope strings"],
    [true, "scopes must be an object or a list of scope strings"],
    [{ all: "true" }, "scopes.all must be true"],
    [{ all: false }, "scopes.all must be true"],
    [{ all: 1, inference: true }, "scopes.all must be true"],
    [{ read_only: null }, "scopes.read_only must be true"],
    [{ inference: "read" }, "scopes.inference must be true"],
    [{ inference: false, kubernetes_exec: { all_namespaces: true } }, "scopes.inference must be true"],
    [{ foo: true }, "Unknown scope member: foo"],
    [{ graphql: true }, "Unknown scope member: graphql"],
    [{ inference: true, foo: true }, "Unknown scope member: foo"],
    [JSON.parse('{"__proto__": {"all": true}}'), "Unknown scope member: __proto__"],
    [JSON.parse('{"constructor": true}'), "Unknown scope member: constructor"],
    [
      JSON.parse('{"restricted": {"__proto__": {"graphql": "read"}}}'),
      "Unknown scope member: restricted.__proto__",
    ],
    [
      JSON.parse('{"restricted": {"inference": {"endpoints": {"__proto__": "read"}}}}'),
      "Unknown endpoint: __proto__",
    ],
    [{ read_only: true, inference: true }, "read_only cannot be combined with other scope fields"],
    [{ restricted: {}, inference: true }, "restricted cannot be combined with other scope fields"],
    [{ kubernetes_exec: true }, "scopes.kubernetes_exec must be an object"],
    [{ kubernetes_exec: "all_namespaces" }, "scopes.kubernetes_exec must be an object"],
    [{ kubernetes_exec: { namespaces: [NS1] } }, "Unknown scope member: kubernetes_exec.namespaces"],
    [{ kubernetes_exec: { namespace_ids: NS1 } }, "scopes.kubernetes_exec.namespace_ids must be a list"],
    [{ kubernetes_exec: { namespace_ids: [5] } }, "scopes.kubernetes_exec.namespace_ids[0] must be a string"],
    [
      { kubernetes_exec: { all_namespaces: "true" } },
      "scopes.kubernetes_exec.all_namespaces must be true or false",
    ],
    [
      { kubernetes_exec: { namespace_ids: tooMany } },
      "scopes.kubernetes_exec.namespace_ids must list at most 200 namespaces",
    ],
    [{ restricted: [] }, "scopes.restricted must be an object"],
    [{ restricted: true }, "scopes.restricted must be an object"],
    [{ restricted: { foo: "read" } }, "Unknown scope member: restricted.foo"],
    [
      { restricted: { graphql: "write" } },
      "scopes.restricted.graphql must be none, read, read_write or an object",
    ],
    [
      { restricted: { graphql: null } },
      "scopes.restricted.graphql must be none, read, read_write or an object",
    ],
    [{ restricted: { graphql: {} } }, "scopes.restricted.graphql must name queries or mutations"],
    [
      { restricted: { graphql: { subscriptions: "*" } } },
      "Unknown scope member: restricted.graphql.subscriptions",
    ],
    [
      { restricted: { graphql: { queries: "pod" } } },
      'scopes.restricted.graphql.queries must be "*" or a list of root field names',
    ],
    [
      { restricted: { graphql: { queries: "*", mutations: ["podStop", "pod-stop"] } } },
      "scopes.restricted.graphql.mutations[1] must be the name of a root field",
    ],
    [
      { restricted: { graphql: { queries: ["*"] } } },
      "scopes.restricted.graphql.queries[0] must be the name of a root field",
    ],
    [
      { restricted: { graphql: { queries: tooMany } } },
      "scopes.restricted.graphql.queries must list at most 200 fields",
    ],
    [
      { restricted: { inference: true } },
      "scopes.restricted.inference must be none, read, read_write or an object",
    ],
    [{ restricted: { inference: {} } }, "scopes.restricted.inference.endpoints must be an object"],
    [
      { restricted: { inference: { others: "read" } } },
      "scopes.restricted.inference.endpoints must be an object",
    ],
    [
      { restricted: { inference: { endpoints: ["ep1"] } } },
      "scopes.restricted.inference.endpoints must be an object",
    ],
    [
      { restricted: { inference: { endpoints: { ep1: "write" } } } },
      "scopes.restricted.inference.endpoints.ep1 must be none, read or read_write",
    ],
    [
      { restricted: { inference: { endpoints: {}, others: null } } },
      "scopes.restricted.inference.others must be none, read or read_write",
    ],
    [{ restricted: { inference: { ep1: "read" } } }, "Unknown scope member: restricted.inference.ep1"],
    [
      { restricted: { inference: { endpoints: Object.fromEntries(tooMany.map((id) => [id, "read"])) } } },
      "scopes.restricted.inference.endpoints must name at most 200 endpoints",
    ],
    [{ restricted: { kubernetes_exec: "all" } }, "scopes.restricted.kubernetes_exec must be an object"],
    [["inference:read", 5], "scopes[1] must be a string"],
    [[["inference:read"]], "scopes[0] must be a string"],
    [tooMany.map(() => "graphql:read"), "scopes must list at most 200 scopes"],
    ...[
      "",
      "all",
      "inference",
      "inference:",
      "inference:ep1",
      "inference:foo:bar",
      "inference:read_write",
      "inference:ep1:read:read",
      "Inference:read",
      " inference:read",
      "inference:read\n",
      "constructor:read",
      "graphql",
      "graphql:",
      "graphql:ep1:read",
      "graphql:queries",
      "graphql:queries:",
      "graphql:queries:pod-stop",
      "graphql:query:pod",
      "graphql:__proto__:pod",
      `graphql:queries:${"x".repeat(70)}:y`,
      "kubernetes_exec",
      `kubernetes_exec:${NS1}:read`,
    ].map(
      (scope) =>
        [[scope], `Unknown scope: "${scope}". GET /v1/account/scopes lists those there are`] as const,
    ),
  ])("%j", (scopes, text) => {
    expect(message(scopes)).toBe(text);
  });

  test("a message stays short whatever was sent", () => {
    const long = "x".repeat(10_000);
    for (const scopes of [
      { [long]: true },
      { restricted: { [long]: 1 } },
      [long],
      [`inference:${long}:read`],
      [`kubernetes_exec:${long}`],
      { restricted: { inference: { endpoints: { [long]: "read" } } } },
      [`graphql:queries:${long}`],
    ]) {
      expect(message(scopes)?.length).toBeLessThan(200);
    }
  });

  test("arbitrary JSON is refused with a text or parsed, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(fc.string())), (value) => {
        const parsed = parseScopes(value);
        if (!parsed.ok) expect(parsed.message).toMatch(/scope|endpoint|namespace/i);
      }),
      { numRuns: 1000 },
    );
  });

  test("the caller's refusals", () => {
    expect(unknownEndpoint("ep9")).toBe("Unknown endpoint: ep9");
    expect(unknownNamespace(NS1)).toBe(`Unknown namespace: ${NS1}`);
  });
});

describe("names to check", () => {
  test("every name counts, also those without effect", () => {
    const parsed = parseScopes({
      restricted: {
        inference: { endpoints: { b: "none", a: "read" } },
        kubernetes_exec: { all_namespaces: true, namespace_ids: [NS2, NS1.toUpperCase(), NS1] },
      },
    });
    expect(parsed).toMatchObject({
      ok: true,
      names: { endpoint_ids: ["a", "b"], namespace_ids: [NS1, NS2] },
    });
    expect(parseScopes(["inference:write", "inference:ep1:read", `kubernetes_exec:${NS1}`])).toMatchObject({
      ok: true,
      names: { endpoint_ids: ["ep1"], namespace_ids: [NS1] },
    });
    expect(parseScopes({ all: true })).toMatchObject({ names: { endpoint_ids: [], namespace_ids: [] } });
  });
});

describe("against a plain truth table", () => {
  // Written from the table of section 4, without the code's notions: a shape, an API, a name, a level.
  const ROWS: [unknown, Record<string, Access>][] = [
    [{ all: true }, { graphql: "read_write", ep1: "read_write", elsewhere: "read_write" }],
    [{ read_only: true }, { graphql: "read", ep1: "read", elsewhere: "read" }],
    [{ inference: true }, { graphql: "none", ep1: "read_write", elsewhere: "read_write" }],
    [{ kubernetes_exec: { all_namespaces: true } }, { graphql: "none", ep1: "none", elsewhere: "none" }],
    [{ restricted: {} }, { graphql: "none", ep1: "none", elsewhere: "none" }],
    [{ restricted: { graphql: "read" } }, { graphql: "read", ep1: "none", elsewhere: "none" }],
    [{ restricted: { inference: "read" } }, { graphql: "none", ep1: "read", elsewhere: "read" }],
    [
      { restricted: { inference: { endpoints: { ep1: "read_write" } } } },
      { graphql: "none", ep1: "read_write", elsewhere: "none" },
    ],
    [["inference:ep1:read", "graphql:write"], { graphql: "read_write", ep1: "read", elsewhere: "none" }],
    [["inference:read", "inference:ep1:write"], { graphql: "none", ep1: "read_write", elsewhere: "read" }],
  ];
  test.each(ROWS)("%j", (scopes, table) => {
    const held = rights(permissionsOf(scopes));
    for (const id of ["ep1", "elsewhere"]) {
      expect(held.includes(`read ${id}`)).toBe(table[id] !== "none");
      expect(held.includes(`write ${id}`)).toBe(table[id] === "read_write");
    }
    expect(graphqlAccess(permissionsOf(scopes))).toBe(table.graphql);
    expect(held.includes("query other")).toBe(table.graphql !== "none");
    expect(held.includes("subscription other")).toBe(table.graphql !== "none");
    expect(held.includes("mutation other")).toBe(table.graphql === "read_write");
  });

  test("restricted: every choice of every API, judged by a second reading of the spec", () => {
    const shape = fc.record(
      {
        graphql: anyGraphql,
        inference: anyInference,
        kubernetes_exec: fc.oneof(
          fc.record({ namespace_ids: anyNamespaceIds }),
          fc.constant({ all_namespaces: true }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(shape, (restricted) => {
        const plain: string[] = [];
        const { graphql = "none", inference = "none", kubernetes_exec } = restricted;
        for (const id of [...ENDPOINTS, OTHER.endpoint]) {
          let level: unknown = inference;
          if (typeof inference === "object") {
            const pair = Object.entries(inference.endpoints).find(([name]) => name === id);
            level = pair ? pair[1] : "others" in inference ? inference.others : "none";
          }
          if (level === "read" || level === "read_write") plain.push(`read ${id}`);
          if (level === "read_write") plain.push(`write ${id}`);
        }
        for (const kind of ["query", "mutation", "subscription"]) {
          for (const field of [...FIELDS, OTHER.field, "__schema"]) {
            let may: boolean;
            if (typeof graphql === "string") {
              may = kind === "mutation" ? graphql === "read_write" : graphql !== "none";
            } else if (kind === "subscription") {
              may = graphql.queries === "*";
            } else {
              const named = kind === "query" ? graphql.queries : graphql.mutations;
              may = named === "*" || named.some((name) => name === field);
            }
            if (may) plain.push(`${kind} ${field}`);
          }
        }
        for (const id of [...NAMESPACES, OTHER.namespace]) {
          if (kubernetes_exec === undefined) continue;
          if (
            "all_namespaces" in kubernetes_exec ||
            kubernetes_exec.namespace_ids.some((one) => one === id)
          ) {
            plain.push(`exec ${id}`);
          }
        }
        expect(rights(permissionsOf({ restricted }))).toEqual(plain);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("the list of scope strings", () => {
  const level = fc.constantFrom("read", "write");
  const scope = fc.oneof(
    level.map((word) => `inference:${word}`),
    fc.tuple(fc.constantFrom(...ENDPOINTS), level).map(([id, word]) => `inference:${id}:${word}`),
    level.map((word) => `graphql:${word}`),
    fc
      .tuple(fc.constantFrom("queries", "mutations"), fc.constantFrom(...FIELDS, "*"))
      .map(([kind, field]) => `graphql:${kind}:${field}`),
    fc.constantFrom(...NAMESPACES, "*").map((id) => `kubernetes_exec:${id}`),
  );
  const scopes = fc.array(scope, { minLength: 1, maxLength: 8 });

  test("allows what any one scope in it allows, and nothing else", () => {
    fc.assert(
      fc.property(scopes, (list) => {
        const each = new Set(list.flatMap((one) => rights(permissionsOf([one]))));
        expect(new Set(rights(permissionsOf(list)))).toEqual(each);
      }),
      { numRuns: 1000 },
    );
  });

  test("one more scope never takes a right away", () => {
    fc.assert(
      fc.property(scopes, scope, fc.nat(), (list, more, position) => {
        const longer = list.toSpliced(position % (list.length + 1), 0, more);
        const held = rights(permissionsOf(longer));
        for (const right of rights(permissionsOf(list))) expect(held).toContain(right);
      }),
      { numRuns: 1000 },
    );
  });

  test("order and repetition mean nothing", () => {
    fc.assert(
      fc.property(scopes, (list) => {
        const again = [...list.toReversed(), ...list];
        expect(JSON.stringify(permissionsOf(again))).toBe(JSON.stringify(permissionsOf(list)));
      }),
    );
  });

  test("a full list parses quickly", () => {
    const full = Array.from({ length: 200 }, (_, index) => `inference:ep${index}:write`);
    const began = performance.now();
    expect(Object.keys((permissionsOf(full).inference as { endpoints: object }).endpoints)).toHaveLength(200);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("renderScopes", () => {
  test("parses back to the same permissions", () => {
    fc.assert(
      fc.property(anyPermissions, (permissions) => {
        const sent = JSON.parse(JSON.stringify(renderScopes(permissions)));
        expect(permissionsOf(sent)).toEqual(canonicalPermissions(permissions));
      }),
      { numRuns: 1000 },
    );
  });

  test("the canonical form itself is a restricted shape", () => {
    fc.assert(
      fc.property(anyPermissions, (permissions) => {
        const canonical = canonicalPermissions(permissions);
        expect(permissionsOf({ restricted: JSON.parse(JSON.stringify(canonical)) })).toEqual(canonical);
      }),
    );
  });

  test("prefers the short shapes", () => {
    expect(renderScopes(FULL)).toEqual({ all: true });
    expect(renderScopes(READ_ONLY)).toEqual({ read_only: true });
    expect(renderScopes(NONE)).toEqual({ restricted: {} });
    expect(renderScopes({ ...NONE, inference: "read", kubernetes_exec: "all_namespaces" })).toEqual({
      restricted: { inference: "read", kubernetes_exec: { all_namespaces: true } },
    });
  });
});

describe("templates", () => {
  test.each<[string, Permissions]>([
    ["full_access", FULL],
    ["read_only", READ_ONLY],
    ["inference_client", { ...NONE, inference: "read_write" }],
    ["inference_monitor", { ...NONE, inference: "read" }],
    ["kubectl", { ...NONE, kubernetes_exec: "all_namespaces" }],
    ["ci_deploy", { ...NONE, graphql: "read_write" }],
  ])("%s", (name, expected) => {
    expect(permissionsOf(builtInTemplate(name)?.scopes)).toEqual(expected);
  });

  test("are six, each with a sentence", () => {
    expect(BUILT_IN_TEMPLATES).toHaveLength(6);
    for (const { description } of BUILT_IN_TEMPLATES) expect(description).toMatch(/^[A-Z].*\.$/);
    expect(builtInTemplate("constructor")).toBeUndefined();
  });
});

describe("scopeCatalogue", () => {
  const catalogue = scopeCatalogue(
    [
      { id: "ep1", name: "Images" },
      { id: "read", name: "Books" },
    ],
    [{ id: NS1, name: "prod" }],
  );

  test("lists every scope string in its group", () => {
    expect(catalogue.groups.map(({ group, scopes }) => [group, scopes.map(({ scope }) => scope)])).toEqual([
      [
        "inference",
        [
          "inference:read",
          "inference:write",
          "inference:ep1:read",
          "inference:ep1:write",
          "inference:read:read",
          "inference:read:write",
        ],
      ],
      ["graphql", ["graphql:read", "graphql:write", "graphql:queries:*", "graphql:mutations:*"]],
      ["kubernetes_exec", ["kubernetes_exec:*", `kubernetes_exec:${NS1}`]],
    ]);
  });

  test("each parses, grants in its group alone, and has a sentence", () => {
    for (const { group, scopes } of catalogue.groups) {
      for (const { scope, description } of scopes) {
        const permissions = permissionsOf([scope]);
        for (const api of ["inference", "graphql", "kubernetes_exec"] as const) {
          expect(permissions[api] === "none").toBe(api !== group);
        }
        expect(description).toMatch(/^[A-Z].*\.$/);
      }
    }
  });

  test("two calls share nothing that a caller could spoil", () => {
    scopeCatalogue([], []).groups[1]!.scopes.length = 0;
    expect(scopeCatalogue([], []).groups[1]!.scopes).toHaveLength(4);
  });
});

test("levels are read from the words, not the other way round", () => {
  fc.assert(
    fc.property(anyAccess, (access) => {
      expect(permissionsOf({ restricted: { inference: access } }).inference).toBe(access);
    }),
  );
});
