import { describe, expect, it } from "vitest";
import { type Operation, permits } from "../../src/gateway/graphql/index.ts";
import type { GraphqlPermission } from "../../src/keys/permissions.ts";

const query = (...rootFields: string[]): Operation => ({ type: "query", rootFields });
const mutation = (...rootFields: string[]): Operation => ({ type: "mutation", rootFields });
const subscription = (...rootFields: string[]): Operation => ({ type: "subscription", rootFields });

const operator: GraphqlPermission = { queries: "*", mutations: ["podStop", "podResume"] };
const reader: GraphqlPermission = { queries: ["myself"], mutations: [] };
const writer: GraphqlPermission = { queries: [], mutations: "*" };

describe("permits", () => {
  const rows: [GraphqlPermission, Operation[], string][] = [
    ["none", [query("a")], "needs read"],
    ["none", [mutation("a")], "needs read_write"],
    ["read", [query("a"), subscription("s")], "read"],
    ["read", [query("a"), mutation("b")], "needs read_write"],
    ["read_write", [query("a")], "read"],
    ["read_write", [query("a"), mutation("b")], "read_write"],
    [operator, [query("anything", "__schema")], "read"],
    [operator, [subscription("s")], "read"],
    [operator, [mutation("podStop")], "read_write"],
    [operator, [mutation("podStop", "podResume", "__typename")], "read_write"],
    [operator, [mutation("podStop", "podTerminate")], "needs mutation podTerminate"],
    [operator, [query("a"), mutation("podTerminate")], "needs mutation podTerminate"],
    [operator, [mutation("podstop")], "needs mutation podstop"],
    [operator, [mutation("constructor")], "needs mutation constructor"],
    [reader, [query("myself", "__typename")], "read"],
    [reader, [query("__typename")], "read"],
    [reader, [query("myself", "__schema")], "needs query __schema"],
    [reader, [subscription("myself")], "needs subscription"],
    [reader, [mutation("__typename")], "needs mutation"],
    [writer, [query("__typename")], "needs query"],
    [writer, [mutation("x")], "read_write"],
  ];
  it.each(rows)("%j and %j: %s", (permission, operations, expected) => {
    const verdict = permits(permission, operations);
    expect(verdict.ok ? verdict.access : `needs ${verdict.needed}`).toBe(expected);
  });
});
