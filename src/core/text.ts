// UTF-8 for the pure rooms. TextEncoder and TextDecoder are pure functions of every runtime we meet, but they are
// no part of the language's own library, so their types are named here, once.

type Encoder = { encode(text: string): Uint8Array };
type Decoder = { decode(bytes: Uint8Array): string };
type Runtime = {
  TextEncoder: new () => Encoder;
  TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => Decoder;
};

const runtime = globalThis as unknown as Runtime;
const encoder = new runtime.TextEncoder();
const decoder = new runtime.TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text, or null where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
