import { describe, expect, it } from "vitest";
import {
  canMatch,
  defaultPath,
  idOfNode,
  isOwnRoute,
  isWildcard,
  nodesOf,
  OWN_ROUTES,
  pathProblem,
} from "../../src/endpoints/path.ts";

describe("a prefix may be (spec 2.3)", () => {
  it.each([
    "/v2/epA",
    "/v2/*",
    "/graphql",
    "/graphql/x",
    "/a/b/c",
    "/a/b/*",
    "/v1",
    "/v1/chat",
    "/v1/keys",
    "/v1/accounts",
    "/administrator",
    "/a.b/c~d/e_f-g",
    "/_internal",
  ])("%s", (path) => {
    expect(pathProblem(path)).toBeNull();
  });
});

describe("a prefix may not be", () => {
  it.each([
    "",
    "v2/x",
    "/",
    "//x",
    "/v2//x",
    "/v2/x/",
    "/a/b/c/d",
    "/a/b/c/*",
    "/a/*/b",
    "/a*",
    "/v2/**",
    "/v2/.",
    "/v2/..",
    "/v2/.hidden",
    "/v2/%41",
    "/v2/a b",
    "/v2/a?b",
    "/v2/a#b",
    "/v2/caf\u00e9",
    `/v2/${"a".repeat(64)}`,
  ])("%j", (path) => {
    expect(pathProblem(path)?.code).toBe("invalid_request");
  });

  it.each([
    ...OWN_ROUTES,
    "/admin/x",
    "/v1/key/x",
    "/console/a/b",
    "/v1/*",
    "/*",
    "/admin/*",
    "/.well-known/jwks.json",
  ])("%s: it belongs to the gateway", (path) => {
    expect(pathProblem(path)?.code).toBe("path_reserved");
  });
});

describe("the gateway's own routes", () => {
  it.each([
    ["/admin", true],
    ["/admin/accounts/x", true],
    ["/v1/account/api-keys", true],
    ["/v1/key", true],
    ["/v1/accounts", false],
    ["/v1", false],
    ["/Admin", false],
    ["/", false],
    ["/%61dmin", false],
  ])("%s: %s", (path, own) => {
    expect(isOwnRoute(path.split("/").filter((segment) => segment !== ""))).toBe(own);
  });
});

it("the default prefix is /v2/{id} for inference and /graphql or /graphql/{id} for GraphQL", () => {
  expect(defaultPath("inference", "epA")).toBe("/v2/epA");
  expect(defaultPath("graphql", "graphql")).toBe("/graphql");
  expect(defaultPath("graphql", "other")).toBe("/graphql/other");
});

it("a prefix ends in a wildcard or does not", () => {
  expect([isWildcard("/v2/*"), isWildcard("/v2/a"), isWildcard("/v2")]).toEqual([true, false, false]);
});

it("an endpoint shows in the nodes of its path and all above it; a wildcard in its parent's", () => {
  expect(nodesOf("/a/b/c")).toEqual(["/a", "/a/b", "/a/b/c"]);
  expect(nodesOf("/v2/*")).toEqual(["/v2"]);
});

it("the last segment of a node may be an endpoint's id", () => {
  expect([idOfNode("/v2/epA"), idOfNode("/v2"), idOfNode("/v2/a.b"), idOfNode("/_x")]).toEqual([
    "epA",
    "v2",
    null,
    null,
  ]);
});

it("only segments that a prefix could hold are looked up", () => {
  for (const segment of ["epA", "a.b", "_x", "~", "a".repeat(63)]) expect(canMatch(segment)).toBe(true);
  for (const segment of ["", ".", "..", ".a", "%41", "*", "a*", "a:b", "a".repeat(64)])
    expect([segment, canMatch(segment)]).toEqual([segment, false]);
});
