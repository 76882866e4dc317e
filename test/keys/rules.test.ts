import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkExpiry,
  checkName,
  EXPIRY_FAR,
  EXPIRY_FORMAT,
  EXPIRY_PAST,
  modifiable,
  modificationRefusal,
  NAME_CHARACTERS,
  NAME_LENGTH,
  parseExpiry,
} from "../../src/keys/rules.ts";
import { formatInstant, LATEST_INSTANT, parseInstant } from "../../src/keys/time.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("checkName", () => {
  test.each([
    ["a", "a"],
    ["Production deploy script", "Production deploy script"],
    ["  trimmed\u00A0", "trimmed"],
    ["x".repeat(64), "x".repeat(64)],
    ["👩‍👩‍👧 family", "👩‍👩‍👧 family"],
    ["😀".repeat(64), "😀".repeat(64)],
    ["مفتاح", "مفتاح"],
    ["<script>", "<script>"],
  ])("%j is stored as %j", (sent, stored) => {
    expect(checkName(sent)).toEqual({ ok: true, value: stored });
  });

  test.each([
    ["", NAME_LENGTH],
    ["   ", NAME_LENGTH],
    ["\u200B\u200D", NAME_LENGTH],
    ["\u3000", NAME_LENGTH],
    ["x".repeat(65), NAME_LENGTH],
    ["😀".repeat(65), NAME_LENGTH],
    [5, NAME_LENGTH],
    [null, NAME_LENGTH],
    [undefined, NAME_LENGTH],
    [["a"], NAME_LENGTH],
    ["a\ud800b", NAME_CHARACTERS],
    ["\udc00", NAME_CHARACTERS],
    ["a\n", NAME_CHARACTERS],
  ])("%j is refused: %s", (sent, message) => {
    expect(checkName(sent)).toEqual({ ok: false, message });
  });

  test("no control or direction-changing character passes, wherever it stands", () => {
    const ranges = [
      [0, 0x1f],
      [0x7f, 0x9f],
      [0x202a, 0x202e],
      [0x2066, 0x2069],
      [0x200e, 0x200f],
      [0x61c, 0x61c],
      [0x2028, 0x2029],
    ] as const;
    for (const [first, last] of ranges) {
      for (let code = first; code <= last; code++) {
        const character = String.fromCodePoint(code);
        for (const name of [`a${character}b`, `${character}a`, `a${character}`]) {
          expect(checkName(name)).toEqual({ ok: false, message: NAME_CHARACTERS });
        }
      }
    }
  });

  test("what is accepted is accepted again, unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const checked = checkName(text);
        if (checked.ok) expect(checkName(checked.value)).toEqual(checked);
      }),
    );
  });
});

describe("parseExpiry", () => {
  test.each([
    ["2026-01-01T00:00:00.001Z", NOW + 1],
    ["2026-01-01T00:00:01Z", NOW + 1000],
    ["2026-01-01t02:00:01+02:00", NOW + 1000],
    ["2026-01-01T00:00:00.0019999z", NOW + 1],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["9999-12-31T23:59:59.999Z", LATEST_INSTANT],
    [null, null],
  ])("%j", (sent, value) => {
    expect(parseExpiry(sent, NOW)).toEqual({ ok: true, value });
  });

  test.each([
    ["2026-01-01T00:00:00Z", EXPIRY_PAST],
    ["2026-01-01T00:00:00.0009Z", EXPIRY_PAST],
    ["2025-12-31T23:59:59Z", EXPIRY_PAST],
    ["0000-01-01T00:00:00Z", EXPIRY_PAST],
    ["9999-12-31T23:59:59-00:01", EXPIRY_FORMAT],
    ["+012026-01-01T00:00:00Z", EXPIRY_FORMAT],
    ["10000-01-01T00:00:00Z", EXPIRY_FORMAT],
    ["2027-02-30T00:00:00Z", EXPIRY_FORMAT],
    ["2027-02-29T00:00:00Z", EXPIRY_FORMAT],
    ["2027-13-01T00:00:00Z", EXPIRY_FORMAT],
    ["2027-01-01T24:00:00Z", EXPIRY_FORMAT],
    ["2027-01-01T23:59:60Z", EXPIRY_FORMAT],
    ["2027-01-01T00:00:00", EXPIRY_FORMAT],
    ["2027-01-01 00:00:00Z", EXPIRY_FORMAT],
    ["2027-01-01T00:00Z", EXPIRY_FORMAT],
    ["2027-01-01", EXPIRY_FORMAT],
    ["2027-01-01T00:00:00Z\n", EXPIRY_FORMAT],
    ["2027-01-01T00:00:00.Z", EXPIRY_FORMAT],
    ["tomorrow", EXPIRY_FORMAT],
    ["", EXPIRY_FORMAT],
    [0, EXPIRY_FORMAT],
    [1e99, EXPIRY_FORMAT],
    [NOW + 1, EXPIRY_FORMAT],
    [undefined, EXPIRY_FORMAT],
    [true, EXPIRY_FORMAT],
    [[], EXPIRY_FORMAT],
  ])("%j is refused: %s", (sent, message) => {
    expect(parseExpiry(sent, NOW)).toEqual({ ok: false, message });
  });

  test("checkExpiry takes milliseconds", () => {
    expect(checkExpiry(NOW + 1, NOW)).toEqual({ ok: true, value: NOW + 1 });
    expect(checkExpiry(NOW, NOW)).toEqual({ ok: false, message: EXPIRY_PAST });
    expect(checkExpiry(LATEST_INSTANT + 1, NOW)).toEqual({ ok: false, message: EXPIRY_FAR });
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, NOW + 0.5, 1e99]) {
      expect(checkExpiry(wrong, NOW)).toEqual({ ok: false, message: EXPIRY_FORMAT });
    }
  });

  test("instants survive being written and read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LATEST_INSTANT }), (instant) => {
        expect(parseInstant(formatInstant(instant))).toBe(instant);
      }),
    );
    expect(formatInstant(null)).toBeNull();
  });
});

describe("modifiable", () => {
  test.each([
    ["active", true, null],
    ["disabled", true, null],
    ["expired", false, { code: "key_expired", detail: "Revoked or expired keys cannot be modified" }],
    ["revoked", false, { code: "key_revoked", detail: "Revoked or expired keys cannot be modified" }],
  ] as const)("%s: %s", (status, expected, refusal) => {
    expect(modifiable(status)).toBe(expected);
    expect(modificationRefusal(status)).toEqual(refusal);
  });
});
