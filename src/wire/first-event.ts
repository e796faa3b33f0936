// The first event of a server-sent stream, looked for in its first bytes: is it there yet, and what does it carry? Any
// line end, any framing; a comment or an event without data is a sign of life, which is all that there is to know.

import type { JsonObject } from "../core/types.ts";
import { eventText } from "./answer-bedrock.ts";
import { readFrame } from "./event-stream.ts";
import { parseObject } from "./facts.ts";

export type FirstEvent =
  /** Not there yet: what has come is the beginning of one. */
  | { state: "more" }
  /** The stream lives, and its first words are no event with data. */
  | { state: "alive" }
  /** `value`: null where its data are no JSON object. */
  | { state: "event"; value: JsonObject | null };

const MORE: FirstEvent = { state: "more" };
const ALIVE: FirstEvent = { state: "alive" };

export function findFirstEvent(text: string): FirstEvent {
  const data: string[] = [];
  let isNamed = false;
  const lines = text.split(/\r\n|\n|\r/);
  // What stands behind the last line end is half a line.
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data.length > 0) return { state: "event", value: parseObject(data.join("\n")) };
      if (isNamed) return ALIVE;
    } else if (line.startsWith(":")) {
      return ALIVE;
    } else if (line === "data" || line.startsWith("data:")) {
      data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    } else {
      isNamed = true;
    }
  }
  return MORE;
}

/** The same of AWS's binary frames. What is none is not ours to judge. */
export function findFirstFrame(bytes: Uint8Array): FirstEvent {
  const read = readFrame(bytes, 0);
  if (read === "short") return MORE;
  return read === "damaged" ? ALIVE : { state: "event", value: parseObject(eventText(read.frame)) };
}
