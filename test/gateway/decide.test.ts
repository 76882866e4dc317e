import { expect, it } from "vitest";
import type { Endpoint } from "../../src/endpoints/endpoint.ts";
import { decide } from "../../src/gateway/decide.ts";
import type { InferencePermission } from "../../src/keys/permissions.ts";
import type { KeyRecord } from "../../src/keys/record.ts";

// Who may do what is `test/keys/decide-table.test.ts`; this is what wildcards add to it.

const verdict = (inference: InferencePermission, id: string, wildcard: boolean) => {
  const permissions = { graphql: "none", inference, kubernetes_exec: "none" };
  const record = { environment: "production", permissions } as unknown as KeyRecord;
  const endpoint = { api: "inference", origin: "https://origin.test" } as Endpoint;
  const decision = decide(record, { endpoint, id, depth: 2, wildcard }, "write", null);
  return "code" in decision ? decision.code : "allow";
};

it("under a wildcard an id that the key names has no more rights in other capitals", () => {
  const denied: InferencePermission = { endpoints: { foo: "none", Bar: "read" }, others: "read_write" };
  for (const id of ["foo", "FOO", "Foo", "Bar", "bar"]) {
    expect([id, verdict(denied, id, true)]).toEqual([id, "insufficient_scope"]);
  }
  expect(verdict(denied, "food", true)).toBe("allow");
  // Where each id has a record of its own, two that differ in capitals are two endpoints.
  expect(verdict(denied, "FOO", false)).toBe("allow");
  const granted: InferencePermission = { endpoints: { foo: "read_write" } };
  expect(verdict(granted, "foo", true)).toBe("allow");
  expect(verdict(granted, "FOO", true)).toBe("insufficient_scope");
});
