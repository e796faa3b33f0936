// The runtime's own searches, for the strings of large bodies (wire/string-flow.ts has what they save) and for the UTF-8
// of all. A search for a text of one letter runs at memory speed; a search for a byte does not.

import { Buffer, isUtf8 } from "node:buffer";
import type { Skips } from "../wire/string-flow.ts";
import { lendUtf8 } from "../wire/utf8.ts";

export const SKIPS: Skips = {
  findQuote: (bytes, from) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('"', from),
  isUtf8,
};

lendUtf8(isUtf8);
