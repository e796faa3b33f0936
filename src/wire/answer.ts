// What an answer says about itself, in each format's own words (answer-*.ts): whether an event is an error, what it used,
// how it ended, which model wrote it, what it says, and how a stream that broke off tells its reader so. A cut stream must
// never look like a whole one (guarantee 4). Who looks at a whole answer uses answer-reader.ts.

import type { AnswerFacts } from "../core/metering/outcome.ts";
import type { Finish } from "../core/metering/outcome.ts";
import type { Problem } from "../core/problem.ts";
import type { JsonObject } from "../core/types.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { Counts } from "./answer-usage.ts";

/** How the pieces of an answer that streams are told apart: server-sent events, the items of one JSON array (Gemini
 * without `alt=sse`), or a binary framing of the provider's own. */
export type Framing = "events" | "array" | "binary";

export function framingOf(contentType: string | null): Framing {
  if (contentType === null || /^text\/event-stream\b/i.test(contentType)) return "events";
  return /^application\/json\b/i.test(contentType) ? "array" : "binary";
}

/** What one event of a stream, or a whole body, says of the answer. */
export type Said = Pick<AnswerFacts, "finish" | "model" | "fingerprint"> & {
  /** How the answer will have ended if it ends well: a tool was called, or the model declines, but another event says
   * that it is over. */
  leaning: Finish | null;
};

export type AnswerRules = {
  /** Is this (one event of a stream, or a whole body) an error? Providers send one as the first event of a 200. */
  isError(value: JsonObject): boolean;
  /** Counts that this event or body reports; null: none. Later reports of a stream are running totals and replace earlier
   * ones; `usageOf` makes the usage out of them. */
  readUsage(value: JsonObject): Counts | null;
  readFacts(value: JsonObject): Said;
  /** What the user gets to read of it: of an event its own piece, of a whole body all; of several choices the first. No
   * thoughts, no calls of tools. */
  readText(value: JsonObject): string;
  /** Does the text begin anew with this event? Of several messages of an answer the last one is it. */
  startsOver?(value: JsonObject): boolean;
  /** Events that say something about the answer look like this; no other one is parsed. A model's own words have their
   * quotes escaped and are not taken for it. */
  telling: RegExp;
  /** Is this the last event of a stream that went well? `data`: the event's text, not parsed. */
  isEnd(data: string): boolean;
  /** What is sent after the last bytes of a stream that broke off; null: the framing has no words for it, and the broken
   * connection has to say it. Begins with a blank line, or a parser would swallow it with half an event before it.
   * `framing` is that of the answer, `framingOf` its content type; "events" unless given. */
  breakOff(value: Problem, requestId: string, framing?: Framing): Uint8Array | null;
};

export function eventBytes(name: string | null, data: string): Uint8Array {
  return encodeUtf8(`\n\n${name === null ? "" : `event: ${name}\n`}data: ${data}\n\n`);
}
