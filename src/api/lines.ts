/** One line of a body: its text, or why it has none. Numbered from 1; empty lines count. */
export interface Line {
  number: number;
  text: string | null;
  problem: "too_long" | "not_utf8" | null;
}

const NEWLINE = 0x0a;

/**
 * Reads a stream line by line, never holding more than one line and one chunk. A line that is longer than
 * `max` bytes is skipped to its end. A byte order mark, with which exports of Windows begin, is no part of a
 * line. Lines of white space alone are left out.
 */
export async function* readLines(stream: ReadableStream<Uint8Array>, max: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let number = 0;
  let held: Uint8Array[] = [];
  let length = 0;

  const finish = (): Line | null => {
    number += 1;
    const [bytes, tooLong] = [joined(held, Math.min(length, max)), length > max];
    held = [];
    length = 0;
    if (tooLong) return { number, text: null, problem: "too_long" };
    try {
      const text = decoder.decode(bytes);
      return text.trim() === "" ? null : { number, text, problem: null };
    } catch {
      return { number, text: null, problem: "not_utf8" };
    }
  };
  const hold = (piece: Uint8Array) => {
    length += piece.byteLength;
    if (length <= max) held.push(piece);
    else held = [];
  };

  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      const line = finish();
      if (line !== null) yield line;
      start = end + 1;
    }
    if (start < chunk.byteLength) hold(chunk.slice(start));
  }
  const last = length > 0 ? finish() : null;
  if (last !== null) yield last;
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
