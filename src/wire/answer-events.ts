// The events that stand in a part of a stream, each as its text: server-sent ones, the items of a JSON array, AWS's frames.
// The part begins where an event or a line of one begins; it may be cut at its end, and then its last event counts only
// where it is there whole. What is no event at all, a bare JSON text at the end of a stream for one, is taken for one too:
// Gemini ends so when it runs out of room.

import { decodeUtf8 } from "../core/text.ts";
import type { Framing } from "./answer.ts";
import { eventText } from "./answer-bedrock.ts";
import { readFrame } from "./event-stream.ts";

export function eventsIn(bytes: Uint8Array, framing: Framing): string[] {
  if (framing === "binary") return framesIn(bytes);
  const text = decodeLoosely(bytes);
  return framing === "array" ? itemsIn(text) : dataIn(text);
}

/** The last character may be cut. */
function decodeLoosely(bytes: Uint8Array): string {
  for (let cut = 0; cut < 4; cut += 1) {
    const text = decodeUtf8(bytes.subarray(0, bytes.length - cut));
    if (text !== null) return text;
  }
  return "";
}

function framesIn(bytes: Uint8Array): string[] {
  const events: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const read = readFrame(bytes, at);
    if (read === "short" || read === "damaged") break;
    events.push(eventText(read.frame));
    at = read.to;
  }
  return events;
}

/** Lines with data, joined where an event has several. */
export function dataIn(text: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  let bare: string[] = [];
  // Most streams have the one line end that is cheap to find.
  for (const line of text.split(text.includes("\r") ? /\r\n|\n|\r/ : "\n")) {
    if (line === "") {
      if (data.length > 0 || bare.length > 0) events.push((data.length > 0 ? data : bare).join("\n"));
      data = [];
      bare = [];
    } else if (line.startsWith("data:")) {
      data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    } else if (/^[\s{}[\]"]/.test(line)) {
      bare.push(line);
    }
  }
  if (data.length > 0 || bare.length > 0) events.push((data.length > 0 ? data : bare).join("\n"));
  return events;
}

/** Objects at the top of an array, or one after the other. */
export function itemsIn(text: string): string[] {
  const items: string[] = [];
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/gs;
  let depth = 0;
  let from = -1;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [sign] = match;
    if (sign === "{") {
      if (from < 0) {
        from = match.index;
        depth = 0;
      }
      depth += 1;
    } else if (from >= 0 && sign === "[") {
      depth += 1;
    } else if (from >= 0 && (sign === "}" || sign === "]")) {
      depth -= 1;
      if (depth === 0) {
        items.push(text.slice(from, match.index + 1));
        from = -1;
      }
    }
  }
  return items;
}
