import { crc32, deflateSync, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { smallPng } from "../../scripts/screenshots/small-png.ts";

type Colour = [red: number, green: number, blue: number];

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}

/** A picture as PNG with 3 or 4 bytes a pixel; row y goes by filter y modulo 5 (PNG section 9.2). */
function pngOf(pixels: Colour[][], bytes: 3 | 4): Buffer {
  const raw = pixels.map((row) => row.flatMap((colour) => (bytes === 4 ? [...colour, 255] : colour)));
  const rows = raw.map((row, y) => {
    const filtered = row.map((value, i) => {
      const [left, up, corner] = [row[i - bytes] ?? 0, raw[y - 1]?.[i] ?? 0, raw[y - 1]?.[i - bytes] ?? 0];
      const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      return (value - [0, left, up, (left + up) >> 1, paeth][y % 5]!) & 255;
    });
    return Buffer.from([y % 5, ...filtered]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(pixels[0]!.length, 0);
  header.writeUInt32BE(pixels.length, 4);
  header.set([8, bytes === 4 ? 6 : 2], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The colours of a PNG by palette whose rows are not filtered. */
function coloursOf(png: Buffer): Colour[][] {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const end = at + 8 + png.readUInt32BE(at);
    expect(png.readUInt32BE(end)).toBe(crc32(png.subarray(at + 4, end)));
    chunks.set(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, end));
  }
  const [header, palette] = [chunks.get("IHDR")!, chunks.get("PLTE")!];
  const width = header.readUInt32BE(0);
  const rows = inflateSync(chunks.get("IDAT")!);
  return Array.from({ length: header.readUInt32BE(4) }, (_, y) =>
    Array.from({ length: width }, (_, x): Colour => {
      const at = rows[y * (width + 1) + 1 + x]! * 3;
      return [palette[at]!, palette[at + 1]!, palette[at + 2]!];
    }),
  );
}

const INK: Colour[] = [
  [255, 255, 255],
  [23, 26, 33],
  [79, 70, 229],
  [200, 16, 40],
];
const picture = Array.from({ length: 11 }, (_, y) =>
  Array.from({ length: 13 }, (_, x) => INK[(x * x + 3 * y + (x >> 2)) % INK.length]!),
);

test.each([3, 4] as const)("a picture of few colours stays what it is, from %i bytes a pixel", (bytes) => {
  expect(coloursOf(smallPng(pngOf(picture, bytes)))).toEqual(picture);
});

test("of more colours, those that are far from all others and fill much of it stay", () => {
  const shaded = picture.map((row, y) =>
    row.map((colour, x): Colour => (y === 5 ? [250, 250, 240 + x] : colour)),
  );
  const small = coloursOf(smallPng(pngOf(shaded, 3), 4));
  expect(small.filter((_, y) => y !== 5)).toEqual(picture.filter((_, y) => y !== 5));
  expect(new Set(small[5]!.map(String))).toEqual(new Set(["255,255,255"]));
});
