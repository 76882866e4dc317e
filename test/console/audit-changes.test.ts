import { expect, test } from "vitest";
import { changesBetween } from "../../src/console/settings/audit-changes.tsx";

test("only what differs is a change, in words", () => {
  const before = { name: "One", enabled: true, expires_at: null, scopes: { all: true }, same: [1] };
  const after = {
    name: "Two",
    enabled: false,
    expires_at: "2030-01-01T00:00:00.000Z",
    scopes: ["a:read"],
    same: [1],
  };
  expect(changesBetween(before, after)).toEqual([
    { name: "name", before: "One", after: "Two" },
    { name: "enabled", before: "yes", after: "no" },
    { name: "expires at", before: "none", after: "2030-01-01T00:00:00.000Z" },
    { name: "scopes", before: '{"all":true}', after: '["a:read"]' },
  ]);
});

test("a record that begins has no before, one that ends no after; what it never had is left out", () => {
  const record = { name: "One", limit: 0, description: "", path: null };
  expect(changesBetween(null, record)).toEqual([
    { name: "name", before: null, after: "One" },
    { name: "limit", before: null, after: "0" },
    { name: "description", before: null, after: "(empty)" },
  ]);
  expect(changesBetween(record, null).map(({ before, after }) => [before, after])).toEqual([
    ["One", null],
    ["0", null],
    ["(empty)", null],
  ]);
  expect(changesBetween(null, null)).toEqual([]);
});
