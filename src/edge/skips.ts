// The runtime's own searches, for the strings of large bodies (wire/string-flow.ts has what they save). A search for a
// text of one letter runs at memory speed; a search for a byte does not.

import { Buffer, isUtf8 } from "node:buffer";
import type { Skips } from "../wire/string-flow.ts";

export const SKIPS: Skips = {
  findQuote: (bytes, from) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('"', from),
  isUtf8,
};
