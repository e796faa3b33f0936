// A look at the first bytes of an answer that goes by: only until what is looked for is found, byte for byte and without
// waiting; then the runtime's own pipe takes over. (Two identity streams behind one another would be simpler to put
// anywhere, but workerd 1.20261023.1 hangs on them.) What a look costs: bench/chains.ts.

/** How far to look: OpenAI's first event repeats the request's instructions, but behind the id. */
const MOST_HEAD_BYTES = 64 * 1024;

/** Gets the text so far and says whether it has seen enough. */
export type Look = (head: string) => boolean;

/** Encoded bytes tell nothing. */
export function isReadable(headers: Headers): boolean {
  const encoding = headers.get("content-encoding");
  return encoding === null || encoding === "identity";
}

/** `pipeTo`, its first bytes seen by `look`. Rejects when either side breaks, and lets the other hear of it. */
export async function pipeWithLook(
  body: ReadableStream,
  writable: WritableStream,
  look: Look,
  signal: AbortSignal,
): Promise<void> {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const writer = writable.getWriter();
  try {
    const decoder = new TextDecoder();
    let head = "";
    let isEnough = false;
    while (!isEnough) {
      const { done, value } = await reader.read();
      if (done) return await writer.close();
      head += decoder.decode(value, { stream: true });
      isEnough = look(head) || head.length > MOST_HEAD_BYTES;
      await writer.write(value);
    }
  } catch (error) {
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
    throw error;
  }
  reader.releaseLock();
  writer.releaseLock();
  await body.pipeTo(writable, { signal });
}
