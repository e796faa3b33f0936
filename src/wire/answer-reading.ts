// What the events of one answer, or its one body, say together: later counts replace earlier ones, the worst of several
// ends is told, and of errors the first.

import type { AnswerFacts, ErrorClass, Finish } from "../core/metering/outcome.ts";
import type { JsonObject } from "../core/types.ts";
import type { AnswerRules } from "./answer.ts";
import { graver } from "./answer-finish.ts";
import { usageOf, type Counts } from "./answer-usage.ts";
import { classifyError } from "./error-class.ts";
import { parseObject } from "./facts.ts";

export type AnswerReading = {
  /** What the answer says. `isSchemaFailure` is null: answer-schema.ts judges that. */
  facts: AnswerFacts;
  /** The answer is an error, or an error stands in its stream. */
  isError: boolean;
  /** A stream: its end was said, and nothing is missing of the event that says so. A whole body: it is one JSON text to its
   * end. Providers are known that never say it; where the connection ended well and `facts.finish` is known, it was one. */
  isEnd: boolean;
  /** Of the error, as far as its own words tell: `classifyError` with the answer's status knows more. null: no error. */
  errorClass: ErrorClass | null;
  /** The error's own words, at most 16 KB, to be classified and for nothing else; null: no error. */
  errorText: string | null;
  /** What the user got to read, at most 64 KB; null unless it was asked for, or where it cannot be told. */
  text: string | null;
  isTextCut: boolean;
};

export type Reading = {
  addEvent(event: string): void;
  addValue(value: JsonObject, text: string): void;
  finish(): AnswerReading;
};

const LONGEST_ERROR = 16 * 1024;
/** Names longer than this are none. */
const LONGEST_NAME = 200;

export function startReading(rules: AnswerRules): Reading {
  let counts: Counts | null = null;
  let finish: Finish | null = null;
  let leaning: Finish | null = null;
  let model: string | null = null;
  let fingerprint: string | null = null;
  let errorText: string | null = null;
  let isEnd = false;

  function addEvent(event: string): void {
    const value = parseObject(event);
    if (value !== null) addValue(value, event);
    // An end that is no JSON, as Chat's. What looks like JSON and is none is half an event.
    else if (!event.trimStart().startsWith("{") && rules.isEnd(event)) isEnd = true;
  }

  function addValue(value: JsonObject, text: string): void {
    if (rules.isError(value)) errorText ??= text.slice(0, LONGEST_ERROR);
    if (rules.isEnd(text)) isEnd = true;
    const found = rules.readUsage(value);
    if (found !== null) counts = { ...counts, ...found };
    const said = rules.readFacts(value);
    finish = graver(finish, said.finish);
    leaning = graver(leaning, said.leaning);
    model = said.model?.slice(0, LONGEST_NAME) ?? model;
    fingerprint = said.fingerprint?.slice(0, LONGEST_NAME) ?? fingerprint;
  }

  function finished(): AnswerReading {
    return {
      facts: {
        usage: usageOf(counts),
        // What an answer leans to counts once it has ended.
        finish: finish === null ? null : graver(finish, leaning),
        model,
        fingerprint,
        isSchemaFailure: null,
      },
      isError: errorText !== null,
      isEnd,
      errorClass: errorText === null ? null : classifyError(null, errorText, null),
      errorText,
      text: null,
      isTextCut: false,
    };
  }

  return { addEvent, addValue, finish: finished };
}
