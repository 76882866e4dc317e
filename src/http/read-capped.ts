/**
 * The bytes of a stream, or `"too_large"` as soon as there are more than `max`; the rest is then cancelled,
 * not read. No stream is no bytes. Rejects when the stream fails (the client went away).
 * @param announced the body's `Content-Length`: with its last byte nothing is left to wait for
 */
export async function readCapped(
  stream: ReadableStream<Uint8Array> | null,
  max: number,
  announced: number | null = null,
): Promise<Uint8Array | "too_large"> {
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > max) {
      // Not awaited: a source that never finishes cancelling must not hold up the answer.
      reader.cancel().catch(() => {});
      return "too_large";
    }
    chunks.push(value);
    if (length === announced) break;
  }
  const only = chunks[0];
  return chunks.length === 1 && only !== undefined ? only : joined(chunks, length);
}

function joined(chunks: Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
