/**
 * Bytes of the answer that may wait for their reader. Many clients read only when they have sent
 * everything: with less room, each side of a large upload would wait for the other.
 */
const ROOM = 16 * 1024 * 1024;

/** A stream of JSON lines, made as it is read; at most `ROOM` bytes ahead. */
export function streamLines(values: AsyncIterator<unknown>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await values.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      async cancel() {
        await values.return?.();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: ROOM }),
  );
}
