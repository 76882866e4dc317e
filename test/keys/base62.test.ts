import { afterEach, expect, test, vi } from "vitest";
import { randomBase62, toBase62 } from "../../src/keys/base62.ts";

afterEach(() => vi.restoreAllMocks());

test("each of 248 byte values gives its digit and the last 8 give none, so that no digit is favoured", () => {
  // Random bytes that count: 0, 1, … 255, 0, …
  let next = 0;
  vi.spyOn(crypto, "getRandomValues").mockImplementation((bytes) => {
    for (let at = 0; at < bytes.byteLength; at++) (bytes as Uint8Array)[at] = next++ % 256;
    return bytes;
  });
  const text = randomBase62(248 * 2);
  for (const digit of new Set(text)) expect(text.split(digit)).toHaveLength(8 + 1);
  expect(new Set(text).size).toBe(62);
});

test("numbers are big-endian and padded", () => {
  expect(toBase62(0, 6)).toBe("000000");
  expect(toBase62(61, 6)).toBe("00000z");
  expect(toBase62(62, 6)).toBe("000010");
  // The last tag there is.
  expect(toBase62(2 ** 32 - 1, 6)).toBe("4gfFC3");
});
