import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Access,
  accessAtLeast,
  canonicalPermissions,
  FULL,
  graphqlAccess,
  graphqlAllows,
  inferenceAccess,
  isAccess,
  legacyPermissions,
  mayExecInNamespace,
  NONE,
  type Permissions,
  permissionLabel,
  READ_ONLY,
} from "../../src/keys/permissions.ts";
import { anyPermissions, ENDPOINTS, NAMESPACES, rights } from "./arbitraries.ts";

const [NS1, NS2] = NAMESPACES as [string, string, string];

describe("accessAtLeast", () => {
  const order: Access[] = ["none", "read", "read_write"];
  test.each(order.flatMap((held, i) => order.map((needed, j) => [held, needed, i >= j] as const)))(
    "%s for %s: %s",
    (held, needed, expected) => expect(accessAtLeast(held, needed)).toBe(expected),
  );

  test("isAccess knows these three words alone", () => {
    expect(order.every(isAccess)).toBe(true);
    for (const other of ["write", "", "READ", null, undefined, 1, ["read"], { read: true }]) {
      expect(isAccess(other)).toBe(false);
    }
  });
});

describe("inferenceAccess", () => {
  test("one level for every endpoint", () => {
    expect(inferenceAccess(FULL, "anything")).toBe("read_write");
    expect(inferenceAccess(READ_ONLY, "anything")).toBe("read");
    expect(inferenceAccess(NONE, "anything")).toBe("none");
  });

  test("a level per endpoint, and one for the others", () => {
    const inference = { endpoints: { ep1: "read_write", ep2: "none" }, others: "read" } as const;
    expect(inferenceAccess({ ...NONE, inference }, "ep1")).toBe("read_write");
    expect(inferenceAccess({ ...NONE, inference }, "ep2")).toBe("none");
    expect(inferenceAccess({ ...NONE, inference }, "ep3")).toBe("read");
    expect(inferenceAccess({ ...NONE, inference }, "EP1")).toBe("read");
    expect(inferenceAccess({ ...NONE, inference: { endpoints: { ep1: "read" } } }, "ep3")).toBe("none");
  });

  test.each(["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", ""])(
    "%s is no endpoint unless it is named",
    (id) => {
      const permissions: Permissions = { ...NONE, inference: { endpoints: { ep1: "read" } } };
      expect(inferenceAccess(permissions, id)).toBe("none");
      const named = JSON.parse(`{ "endpoints": { ${JSON.stringify(id)}: "read" } }`);
      expect(inferenceAccess({ ...NONE, inference: named }, id)).toBe("read");
      const kept = canonicalPermissions({ ...NONE, inference: named });
      expect(inferenceAccess(kept, id)).toBe("read");
      expect(({} as { read?: unknown }).read).toBeUndefined();
    },
  );
});

describe("graphqlAllows", () => {
  const pods: Permissions = { ...NONE, graphql: { queries: ["pod", "pods"], mutations: ["podStop"] } };
  const stop: Permissions = { ...NONE, graphql: { queries: "*", mutations: ["podStop"] } };
  test.each([
    [FULL, "mutation", ["anything"], true],
    [FULL, "subscription", ["anything"], true],
    [READ_ONLY, "query", ["anything"], true],
    [READ_ONLY, "query", ["__schema"], true],
    [READ_ONLY, "subscription", ["anything"], true],
    [READ_ONLY, "mutation", ["anything"], false],
    [READ_ONLY, "mutation", ["__typename"], false],
    [NONE, "query", ["__typename"], false],
    [NONE, "subscription", ["a"], false],
    [pods, "query", ["pod"], true],
    [pods, "query", ["pod", "pods", "__typename"], true],
    [pods, "query", ["__typename"], true],
    [pods, "query", ["pod", "myself"], false],
    [pods, "query", ["podStop"], false],
    [pods, "query", ["__schema"], false],
    [pods, "query", ["Pod"], false],
    [pods, "query", ["constructor"], false],
    [pods, "query", ["*"], false],
    [pods, "query", [], false],
    [pods, "subscription", ["pod"], false],
    [pods, "mutation", ["podStop"], true],
    [pods, "mutation", ["podStop", "podTerminate"], false],
    [pods, "mutation", ["pod"], false],
    [stop, "query", ["anything"], true],
    [stop, "subscription", ["anything"], true],
    [stop, "mutation", ["podStop"], true],
    [stop, "mutation", ["podResume"], false],
    [{ ...NONE, graphql: { queries: [], mutations: "*" } }, "mutation", ["anything"], true],
    [{ ...NONE, graphql: { queries: [], mutations: "*" } }, "query", ["anything"], false],
  ] as const)("%j %s %j: %s", (permissions, kind, rootFields, expected) => {
    expect(graphqlAllows((permissions as Permissions).graphql, { type: kind, rootFields })).toBe(expected);
  });

  test("graphqlAccess tells what needs inspection", () => {
    expect(graphqlAccess(FULL)).toBe("read_write");
    expect(graphqlAccess(READ_ONLY)).toBe("read");
    expect(graphqlAccess(NONE)).toBe("none");
    expect(graphqlAccess(pods)).toBe("root_fields");
    expect(graphqlAccess({ ...NONE, graphql: { queries: "*", mutations: "*" } })).toBe("read_write");
    expect(graphqlAccess({ ...NONE, graphql: { queries: "*", mutations: [] } })).toBe("read");
    expect(graphqlAccess({ ...NONE, graphql: { queries: [], mutations: [] } })).toBe("none");
  });
});

describe("mayExecInNamespace", () => {
  const one: Permissions = { ...NONE, kubernetes_exec: { namespace_ids: [NS1] } };
  test.each([
    [FULL, "production", NS1, true],
    [FULL, "test", NS1, false],
    [one, "production", NS1, true],
    [one, "production", NS1.toUpperCase(), true],
    [one, "production", NS2, false],
    [one, "test", NS1, false],
    [READ_ONLY, "production", NS1, false],
    [NONE, "production", NS1, false],
    [{ ...FULL, kubernetes_exec: "none" }, "production", NS1, false],
    [legacyPermissions("read_write"), "production", NS1, false],
  ] as const)("%j %s %s: %s", (permissions, environment, id, expected) => {
    expect(mayExecInNamespace(permissions as Permissions, environment, id)).toBe(expected);
  });
});

describe("permissionLabel", () => {
  test.each([
    [FULL, false, "read_write"],
    [READ_ONLY, false, "read_only"],
    [NONE, false, "restricted"],
    [FULL, true, "legacy"],
    [legacyPermissions("read"), true, "legacy"],
    [legacyPermissions("read_write"), false, "restricted"],
    [{ ...FULL, kubernetes_exec: "none" }, false, "restricted"],
    [{ ...READ_ONLY, kubernetes_exec: { namespace_ids: [NS1] } }, false, "restricted"],
    [{ ...READ_ONLY, inference: { endpoints: { a: "read" }, others: "read" } }, false, "read_only"],
    [{ ...READ_ONLY, graphql: { queries: "*", mutations: [] } }, false, "read_only"],
  ] as const)("%j legacy %s: %s", (permissions, legacy, label) => {
    expect(permissionLabel(permissions as Permissions, legacy)).toBe(label);
  });
});

describe("canonicalPermissions", () => {
  test("drops what says nothing, sorts, and names each thing once", () => {
    const canonical = canonicalPermissions({
      graphql: { queries: ["b", "a", "b"], mutations: [] },
      inference: { endpoints: { z: "read", y: "none", a: "read_write" } },
      kubernetes_exec: { namespace_ids: [NS2, NS1.toUpperCase(), NS2] },
    });
    expect(JSON.stringify(canonical)).toBe(
      JSON.stringify({
        graphql: { queries: ["a", "b"], mutations: [] },
        inference: { endpoints: { a: "read_write", z: "read" } },
        kubernetes_exec: { namespace_ids: [NS1, NS2].sort() },
      }),
    );
  });

  test("keeps a none that takes an endpoint out of the others", () => {
    const inference = { endpoints: { a: "none", b: "read" }, others: "read" } as const;
    expect(canonicalPermissions({ ...NONE, inference }).inference).toEqual({
      endpoints: { a: "none" },
      others: "read",
    });
  });

  test("does not change its argument, changes no right, and is its own canonical form", () => {
    fc.assert(
      fc.property(anyPermissions, (permissions) => {
        const before = structuredClone(permissions);
        const canonical = canonicalPermissions(permissions);
        expect(permissions).toEqual(before);
        expect(rights(canonical)).toEqual(rights(permissions));
        expect(JSON.stringify(canonicalPermissions(canonical))).toBe(JSON.stringify(canonical));
      }),
    );
  });

  test("equal rights have equal canonical forms", () => {
    fc.assert(
      fc.property(anyPermissions, anyPermissions, (one, other) => {
        const same = JSON.stringify(rights(one)) === JSON.stringify(rights(other));
        const equal =
          JSON.stringify(canonicalPermissions(one)) === JSON.stringify(canonicalPermissions(other));
        expect(equal).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  test("survives JSON, as D1 and KV keep it", () => {
    fc.assert(
      fc.property(anyPermissions, (permissions) => {
        const canonical = canonicalPermissions(permissions);
        const kept = JSON.parse(JSON.stringify(canonical));
        expect(kept).toEqual(canonical);
        for (const id of ENDPOINTS) {
          expect(inferenceAccess(kept, id)).toBe(inferenceAccess(permissions, id));
        }
      }),
    );
  });
});
