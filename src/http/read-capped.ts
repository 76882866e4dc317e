/**
 * The bytes of a stream, or `"too_large"` as soon as there are more than `max`; the rest is then cancelled,
 * not read. No stream is no bytes. Rejects when the stream fails (the client went away).
 */
export async function readCapped(
  stream: ReadableStream<Uint8Array> | null,
  max: number,
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
  }
  const only = chunks[0];
  return chunks.length === 1 && only !== undefined ? only : joined(chunks, length);
}

/**
 * The same of a request's body. Where its length is announced, the platform reads it in one go, at a fraction
 * of the cost: HTTP's framing ends it there (RFC 9112 section 6.3), and an earlier end rejects.
 * @param announced `Content-Length` as sent; null where there is none
 */
export async function readBody(
  request: Request,
  max: number,
  announced: string | null,
): Promise<Uint8Array | "too_large"> {
  if (announced === null || !/^\d{1,15}$/.test(announced)) return readCapped(request.body, max);
  if (Number(announced) > max) return "too_large";
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.byteLength > max ? "too_large" : bytes;
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
