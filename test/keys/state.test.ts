import fc from "fast-check";
import { expect, test } from "vitest";
import { keyStatus } from "../../src/keys/state.ts";

const NOW = 1_800_000_000_000;

test.each([
  [{ revoked_at: null, expires_at: null, enabled: true }, "active"],
  [{ revoked_at: null, expires_at: NOW + 1, enabled: true }, "active"],
  [{ revoked_at: null, expires_at: NOW, enabled: true }, "expired"],
  [{ revoked_at: null, expires_at: NOW - 1, enabled: false }, "expired"],
  [{ revoked_at: null, expires_at: 0, enabled: true }, "expired"],
  [{ revoked_at: null, expires_at: null, enabled: false }, "disabled"],
  [{ revoked_at: null, expires_at: NOW + 1, enabled: false }, "disabled"],
  [{ revoked_at: NOW, expires_at: NOW - 1, enabled: false }, "revoked"],
  [{ revoked_at: 0, expires_at: null, enabled: true }, "revoked"],
  [{ revoked_at: NOW + 1, expires_at: null, enabled: true }, "revoked"],
] as const)("%j is %s", (key, status) => {
  expect(keyStatus(key, NOW)).toBe(status);
});

test("revoked and expired are for ever: time never reopens a key", () => {
  const time = fc.option(fc.integer({ min: NOW - 5, max: NOW + 5 }));
  const key = fc.record({ revoked_at: time, expires_at: time, enabled: fc.boolean() });
  fc.assert(
    fc.property(key, fc.nat(20), (record, later) => {
      const before = keyStatus(record, NOW);
      const after = keyStatus(record, NOW + later);
      if (before !== "active") expect(after).not.toBe("active");
      if (before === "revoked" || before === "expired") expect(after).toBe(before);
    }),
  );
});
