import { describe, expect, it } from "vitest";
import type { Endpoint, EndpointNode } from "../../src/endpoints/endpoint.ts";
import { idOfNode } from "../../src/endpoints/path.ts";
import { match } from "../../src/gateway/match.ts";

/** A lookup over a registry `{ path: id }`, which counts what it is asked. */
function registry(endpoints: Record<string, string>) {
  const asked: string[] = [];
  const at = (path: string) => (endpoints[path] === undefined ? null : ({ id: endpoints[path] } as Endpoint));
  const lookup = async (path: string): Promise<EndpointNode> => {
    asked.push(path);
    const id = idOfNode(path);
    return {
      self: at(path),
      wildcard: at(`${path}/*`),
      below: Object.keys(endpoints).some((other) => other.startsWith(`${path}/`) && other !== `${path}/*`),
      taken: Object.entries(endpoints).some(([other, owner]) => owner === id && other !== path),
    };
  };
  return { asked, lookup };
}

async function find(endpoints: Record<string, string>, path: string): Promise<string | null> {
  const segments = path.split("/").filter((segment) => segment !== "");
  const found = await match(segments, registry(endpoints).lookup);
  if (found === null || found === "unavailable") return found;
  return `${found.endpoint.id} as ${found.id}, ${found.depth} deep${found.wildcard ? ", by wildcard" : ""}`;
}

describe("the longest prefix wins", () => {
  const endpoints = { "/a": "one", "/a/b": "two", "/a/b/c": "three", "/x/y/z": "deep" };
  it.each([
    ["/a", "one as one, 1 deep"],
    ["/a/x/y", "one as one, 1 deep"],
    ["/a/b", "two as two, 2 deep"],
    ["/a/b/x", "two as two, 2 deep"],
    ["/a/b/c/d/e", "three as three, 3 deep"],
    ["/x/y", null],
    ["/x/y/z/z", "deep as deep, 3 deep"],
    ["/b", null],
    ["/", null],
    ["/A", null],
    ["/ab", null],
    ["/a%2Fb", null],
  ])("%s -> %s", async (path, expected) => {
    expect(await find(endpoints, path)).toBe(expected);
  });
});

describe("a longer prefix is not passed by, however its segments are spelled", () => {
  const endpoints = {
    "/p": "outer",
    "/p/secret": "inner",
    "/p/w/*": "any",
    "/q": "alone",
    "/w/*": "all",
    "/w/priv": "private",
  };
  it.each([
    ["/p/secret/x", "inner as inner, 2 deep"],
    ["/p/%73ecret/x", null],
    ["/p/secret%2Fx", null],
    ["/p/secret;a/x", null],
    ["/p/SECRET/x", null],
    ["/p/secret./x", null],
    ["/p/%53ecret%3Ba/x", null],
    ["/p/w/id/x", "any as id, 3 deep, by wildcard"],
    ["/p/w%2Fid/x", null],
    ["/p/w/%69d/x", null],
    ["/p/other/x", "outer as outer, 1 deep"],
    ["/p/a%20b/c", "outer as outer, 1 deep"],
    ["/p/sec%2Fret", "outer as outer, 1 deep"],
    ["/q/%73ecret;a/X", "alone as alone, 1 deep"],
    ["/w/priv/x", "private as private, 2 deep"],
    ["/w/PRIV/x", null],
    ["/w/ALONE/x", null],
    ["/w/Other/x", "all as Other, 2 deep, by wildcard"],
    ["/w/other/X", "all as other, 2 deep, by wildcard"],
  ])("%s -> %s", async (path, expected) => {
    expect(await find(endpoints, path)).toBe(expected);
  });

  it("and where there is none, nothing more is asked", async () => {
    const { asked, lookup } = registry({ "/q": "alone" });
    await match(["q", "%73ecret", "X"], lookup);
    expect(asked).toEqual(["/q"]);
  });
});

describe("a wildcard", () => {
  const endpoints = {
    "/v2/*": "any",
    "/v2/own": "own",
    "/elsewhere": "moved",
    "/v2/below/deep": "deep",
    "/graphql": "graphql",
  };
  it.each([
    ["/v2/x", "any as x, 2 deep, by wildcard"],
    ["/v2/x/run", "any as x, 2 deep, by wildcard"],
    ["/v2/own/run", "own as own, 2 deep"],
    ["/v2/moved/run", null],
    ["/v2/graphql", null],
    ["/v2/any", null],
    ["/v2", null],
    ["/v2/-x", null],
    ["/v2/a.b", null],
    ["/v2/below/run", "any as below, 2 deep, by wildcard"],
    ["/v2/below/deep/run", "deep as deep, 3 deep"],
  ])("%s -> %s", async (path, expected) => {
    expect(await find(endpoints, path)).toBe(expected);
  });

  it("that is taken away by an id's own record leaves no shorter prefix either", async () => {
    expect(await find({ "/v2": "short", "/v2/*": "any", "/else": "moved" }, "/v2/moved/x")).toBeNull();
  });
});

describe("look-ups", () => {
  it("stop where no longer prefix exists: job ids and models are never asked for", async () => {
    const { asked, lookup } = registry({ "/v2/a": "a" });
    await match(["v2", "a", "status"], lookup);
    expect(asked).toEqual(["/v2", "/v2/a"]);
    const none = registry({ "/v2/a": "a" });
    await match(["nothing", "a", "b"], none.lookup);
    expect(none.asked).toEqual(["/nothing"]);
  });

  it("are at most three", async () => {
    const { asked, lookup } = registry({ "/a/b/c": "x" });
    await match(["a", "b", "c", "d", "e"], lookup);
    expect(asked).toEqual(["/a", "/a/b", "/a/b/c"]);
  });

  it("that cannot be trusted make the whole answer unavailable", async () => {
    expect(await match(["a"], async () => "unavailable")).toBe("unavailable");
  });
});
