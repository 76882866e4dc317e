import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256Hex } from "../../src/keys/hash.ts";

const platform = (text: string) => createHash("sha256").update(text, "utf8").digest("hex");

it("is the platform's SHA-256 at every length around the ends of its blocks", () => {
  for (let length = 0; length <= 300; length += 1) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 7 + length) % 94))).join("");
    expect(sha256Hex(text), `${length} characters`).toBe(platform(text));
  }
});

it("is the platform's SHA-256 of any text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 140 })), (text) => {
      expect(sha256Hex(text)).toBe(platform(text));
    }),
    { numRuns: 2000 },
  );
});

it("gives each of many in a row its own", () => {
  for (let i = 0; i < 5000; i += 1) expect(sha256Hex(`key-${i}`)).toBe(platform(`key-${i}`));
});
