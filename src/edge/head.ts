// A look at the first bytes of an answer that goes by: only until what is looked for is found, byte for byte and without
// waiting; then the runtime's own pipe takes over. (Two identity streams behind one another would be simpler to put
// anywhere, but workerd 1.20261023.1 hangs on them.) What a look costs: bench/chains.ts.

/** How far to look: OpenAI's first event repeats the request's instructions, but behind the id. */
const MOST_HEAD_BYTES = 64 * 1024;

/** Gets the text so far and says whether it has seen enough. */
export type Look = (head: string) => boolean;

/** Takes one piece after the other; true: that was enough. */
export function lookThrough(look: Look): (bytes: Uint8Array) => boolean {
  const decoder = new TextDecoder();
  let head = "";
  let isEnough = false;
  return (bytes) => {
    if (isEnough) return true;
    head += decoder.decode(bytes, { stream: true });
    isEnough = look(head) || head.length > MOST_HEAD_BYTES;
    return isEnough;
  };
}
