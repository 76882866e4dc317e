import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fields } from "../../src/console/forms.ts";
import { dueHints } from "../../src/console/keys/hints.ts";
import {
  ENDPOINT_FIELD,
  type PermissionValues,
  permissionOf,
  readPermission,
  wantedGrant,
} from "../../src/console/keys/permission-values.ts";
import { permissionsOf } from "../../src/console/keys/words.ts";
import { canonicalPermissions } from "../../src/keys/permissions.ts";
import { renderScopes, type Scopes } from "../../src/keys/scopes.ts";
import { BUILT_IN_TEMPLATES } from "../../src/keys/templates.ts";
import { anyPermissions, ENDPOINTS, OTHER } from "../keys/arbitraries.ts";

const TEMPLATES = BUILT_IN_TEMPLATES.map((template) => ({ ...template, built_in: true }));

/** What a browser posts: every endpoint of the account and of the key is a row of the form. */
function post(values: PermissionValues): Fields {
  const rows = new Set([...ENDPOINTS, OTHER.endpoint, ...values.endpoints.keys()]);
  return new Fields([
    ["permission", values.permission],
    ["graphql", values.graphql],
    ["queries", values.queries],
    ["mutations", values.mutations],
    ["inference", values.inference],
    ...[...rows].map((id) => [ENDPOINT_FIELD + id, values.endpoints.get(id) ?? values.others] as const),
    ["others", values.others],
    ["kubernetes", values.kubernetes],
    ...values.namespaces.map((id) => ["namespace", id] as const),
    ["template", values.template],
    ...values.scopes.map((scope) => ["scope", scope] as const),
    ["more_scopes", values.moreScopes],
  ]);
}

describe("the permission part of a form", () => {
  test("posted as it was shown, asks for what the key has", () => {
    fc.assert(
      fc.property(anyPermissions, (permissions) => {
        const scopes = renderScopes(permissions);
        const wanted = wantedGrant(
          readPermission(post(permissionOf({ scopes, template: null }, [], new Set()))),
        );
        expect("scopes" in wanted && permissionsOf(wanted.scopes)).toEqual(canonicalPermissions(permissions));
      }),
    );
  });

  test.each<Scopes>([
    { all: true },
    { read_only: true },
    { inference: true },
    { kubernetes_exec: { all_namespaces: true } },
    ["graphql:read", "inference:ep1:write", "graphql:mutations:podStop"],
  ])("keeps the shape of %j", (scopes) => {
    const shown = permissionOf({ scopes, template: null }, [], new Set(["graphql:read"]));
    expect(wantedGrant(readPermission(post(shown)))).toEqual({ scopes });
  });

  test("names a template only while the key has what it says", () => {
    const key = { template: "kubectl", scopes: { kubernetes_exec: { all_namespaces: true } } } as const;
    expect(wantedGrant(permissionOf(key, TEMPLATES, new Set()))).toEqual({ template: "kubectl" });
    const changed = TEMPLATES.map((one) => ({ ...one, scopes: { all: true } as const }));
    expect(wantedGrant(permissionOf(key, changed, new Set()))).toEqual({ scopes: key.scopes });
    expect(wantedGrant(permissionOf(key, [], new Set()))).toEqual({ scopes: key.scopes });
  });

  test("of values that no field of ours sends, reads none", () => {
    const form = new Fields([
      ["permission", "everything"],
      ["inference", "endpoints"],
      [`${ENDPOINT_FIELD}ep1`, "admin"],
      ["others", "constructor"],
    ]);
    expect(readPermission(form)).toMatchObject({ permission: "", others: "none" });
    expect(readPermission(form).endpoints.get("ep1")).toBe("none");
    expect(wantedGrant(readPermission(form))).toHaveProperty("field", "permission");
  });

  test("another endpoint is taken by its id", () => {
    const form = new Fields([
      ["permission", "restricted"],
      ["inference", "endpoints"],
      ["other_endpoint", "__proto__"],
      ["other_access", "read"],
    ]);
    const wanted = wantedGrant(readPermission(form));
    expect(JSON.stringify(wanted)).toBe(
      '{"scopes":{"restricted":{"inference":{"endpoints":{"__proto__":"read"}}}}}',
    );
  });
});

describe("what a key is due for", () => {
  const DAY = 24 * 3_600_000;
  const now = Date.parse("2026-11-21T12:00:00Z");
  const ago = (days: number) => new Date(now - days * DAY).toISOString();
  const key = { status: "active" as const, created_at: ago(1), last_used_at: null, expires_at: null };
  test.each([
    [{}, []],
    [{ created_at: ago(90), last_used_at: ago(1) }, []],
    [{ created_at: ago(90.01), last_used_at: ago(1) }, ["old"]],
    [{ created_at: ago(40), last_used_at: ago(30) }, []],
    [{ created_at: ago(40), last_used_at: ago(30.01) }, ["unused"]],
    [{ created_at: ago(30.01) }, ["unused"]],
    [{ expires_at: ago(-7) }, ["expiring"]],
    [{ expires_at: ago(-7.01) }, []],
    [{ created_at: ago(100), expires_at: ago(-0.5) }, ["expiring", "old", "unused"]],
    [{ created_at: ago(100), status: "disabled" as const }, []],
    [{ created_at: ago(100), expires_at: ago(1), status: "expired" as const }, []],
  ])("%j: %j", (change, kinds) => {
    expect(dueHints({ ...key, ...change }, now).map(({ kind }) => kind)).toEqual(kinds);
  });
});
