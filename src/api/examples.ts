import type { KeyView } from "../keys/view.ts";

/** Values that the documentation shows. None of the keys in them is one. */

export const EXAMPLE_REQUEST_ID = "6f2b1c9a-4e0d-4b7f-9c55-0a1d2e3f4a5b";
export const EXAMPLE_NAMESPACE_ID = "0d9a3f9e-5b1e-4f6a-9a57-0c6f2a1b7d11";
const CREATED_AT = "2026-11-20T09:30:00.000Z";

/** A page of one, with more to come. */
export const examplePage = (item: object) => ({
  data: [item],
  next_cursor: "WzE3NjM2MzEwMDAwMDAsImtleV8xVG5XcUdnV0xiMm9aenpSVDB5SjZNIl0",
});

export const EXAMPLE_KEY: KeyView = {
  id: "key_1TnWqGgWLb2oZzzRT0yJ6M",
  name: "Production deploy script",
  prefix: "pst_live_a7Kd0",
  environment: "production",
  status: "active",
  permission: "restricted",
  scopes: { inference: true },
  template: null,
  enabled: true,
  legacy: false,
  created_at: CREATED_AT,
  created_by: "olga@acme.example",
  expires_at: "2030-01-31T12:00:00.000Z",
  revoked_at: null,
  last_used_at: "2026-11-21T01:02:03.000Z",
  rotated_from: null,
};

/** Ends in a tag that no secret makes, and is too short: scanners must not find it. */
export const EXAMPLE_NEW_KEY = {
  ...EXAMPLE_KEY,
  last_used_at: null,
  key: "pst_live_a7Kd0EXAMPLE-NOT-A-KEY",
};

export const EXAMPLE_ADMIN_KEY = { ...EXAMPLE_KEY, account_id: "acme" };

export const EXAMPLE_TIMES = { created_at: CREATED_AT, updated_at: CREATED_AT };

export const EXAMPLE_AUDIT_ENTRY = {
  id: "c0a80101-7f4e-4a8b-9a57-1d2e3f4a5b6c",
  at: CREATED_AT,
  account_id: "acme",
  actor: "olga@acme.example",
  address: "203.0.113.7",
  action: "api_key.update",
  subject: EXAMPLE_KEY.id,
  before: { enabled: true },
  after: { enabled: false },
};
