// An answer that does not stream, read when it is over: as it is up to 64 KB, beyond that as lean JSON. A list of events
// (Gemini's stream, read as one body) is read event by event.

import type { Json } from "../core/types.ts";
import { decodeUtf8 } from "../core/text.ts";
import type { AnswerRules } from "./answer.ts";
import { startReading, type AnswerReading } from "./answer-reading.ts";
import { cutText } from "./answer-text.ts";
import { isObject, objectsIn } from "./answer-usage.ts";
import { joinBytes } from "./json-write.ts";
import { LeanJson } from "./lean-json.ts";

const MOST_BYTES = 64 * 1024;
/** Whoever wants the text has to bear with all of it. */
const MOST_BYTES_WITH_TEXT = 256 * 1024;

export function createWholeReader(
  rules: AnswerRules,
  collectsText: boolean,
): { push(bytes: Uint8Array): void; finish(): AnswerReading } {
  const most = collectsText ? MOST_BYTES_WITH_TEXT : MOST_BYTES;
  let pieces: Uint8Array[] = [];
  let size = 0;
  let lean: LeanJson | null = null;

  function push(bytes: Uint8Array): void {
    if (lean !== null) {
      lean.push(bytes);
      return;
    }
    pieces.push(bytes);
    size += bytes.length;
    if (size <= most) return;
    lean = new LeanJson();
    for (const piece of pieces) lean.push(piece);
    pieces = [];
  }

  function finish(): AnswerReading {
    const text = lean === null ? decodeUtf8(joinBytes(pieces)) : null;
    const value = lean === null ? parse(text) : lean.value();
    const reading = startReading(rules);
    const values = isObject(value) ? [value] : objectsIn(value);
    // Of a list's items only an error's words are of use; lean JSON is not deep.
    for (const each of values)
      reading.addValue(each, rules.isError(each) ? (text ?? JSON.stringify(value)) : "");
    const read = { ...reading.finish(), isEnd: lean === null ? value !== null : lean.isWhole };
    if (!collectsText || lean !== null || values.length === 0) return read;
    return { ...read, ...cutText(values.map((each) => rules.readText(each)).join("")) };
  }

  return { push, finish };
}

function parse(text: string | null): Json {
  try {
    return text === null ? null : (JSON.parse(text) as Json);
  } catch {
    return null;
  }
}
