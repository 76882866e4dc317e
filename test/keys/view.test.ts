import { expect, test } from "vitest";
import { legacyPermissions, READ_ONLY } from "../../src/keys/permissions.ts";
import { type KeyRow, keyView } from "../../src/keys/view.ts";

const NOW = Date.UTC(2026, 0, 1);

const row: KeyRow = {
  id: "key_1",
  name: "CI",
  prefix: "pst_live_aAbCd",
  environment: "production",
  permissions: READ_ONLY,
  scopes: { read_only: true },
  template: "read_only",
  enabled: true,
  legacy: false,
  created_at: Date.UTC(2025, 0, 1),
  created_by: "ada@example.com",
  expires_at: NOW,
  revoked_at: null,
  last_used_at: Date.UTC(2025, 5, 1, 12, 30, 15, 250),
  rotated_from: "key_0",
  rotated_to: null,
};

test("shows exactly the Key of the account API", () => {
  expect(keyView(row, NOW - 1)).toEqual({
    id: "key_1",
    name: "CI",
    prefix: "pst_live_aAbCd",
    environment: "production",
    status: "active",
    permission: "read_only",
    scopes: { read_only: true },
    template: "read_only",
    enabled: true,
    legacy: false,
    created_at: "2025-01-01T00:00:00.000Z",
    created_by: "ada@example.com",
    expires_at: "2026-01-01T00:00:00.000Z",
    revoked_at: null,
    last_used_at: "2025-06-01T12:30:15.250Z",
    rotated_from: "key_0",
  });
  expect(keyView(row, NOW).status).toBe("expired");
});

test("a row that carries more shows no more", () => {
  const whole = { ...row, hash: "secret hash", account_id: "acc", key: "secret key" };
  expect(JSON.stringify(keyView(whole, NOW))).not.toMatch(/secret|acc/);
});

test("a legacy key shows what it may do as scopes", () => {
  const legacy: KeyRow = {
    ...row,
    legacy: true,
    permissions: legacyPermissions("read_write"),
    scopes: null,
    template: null,
    expires_at: null,
  };
  expect(keyView(legacy, NOW)).toMatchObject({
    status: "active",
    permission: "legacy",
    scopes: { restricted: { graphql: "read_write", inference: "read_write" } },
    expires_at: null,
  });
});
