// The judge of live answers, as far as it is arithmetic: which share of each arm's answers it gets, how much it gets of one,
// and which number its own answer gives. Whether an answer is judged never depends on the answer: the draw is made before
// there is one, and what is too long is cut.

import type { Arm, Release } from "./types.ts";

/** Share of a version's answers that are judged, 0 to 1: of the smaller arm `sample`, and of the other one as many. With
 * several canaries the baseline gives as many as the largest pair needs. */
export function judgeRate(
  { judge, arms, baseline }: Pick<Release, "judge" | "arms" | "baseline">,
  version: number,
): number {
  if (judge === undefined) return 0;
  const weightOf = (wanted: (arm: Arm) => boolean) => arms.filter(wanted).map(({ weight }) => weight);
  const [ofBaseline = 0] = weightOf((arm) => arm.version === baseline);
  const canaries = weightOf((arm) => arm.version !== baseline && arm.weight > 0);
  if (ofBaseline <= 0 || canaries.length === 0) return 0;
  if (version === baseline) {
    const needed = Math.max(...canaries.map((weight) => Math.min(weight, ofBaseline)));
    return judge.sample * (needed / ofBaseline);
  }
  const [own = 0] = weightOf((arm) => arm.version === version);
  return own <= 0 ? 0 : judge.sample * Math.min(1, ofBaseline / own);
}

/** The question as a scan has it: a text that is longer than it looks at ends in a NUL and its length, one that begins with
 * a NUL stands for something that is no text. null: nothing to judge an answer by. */
export function readQuestion(firstUserText: string | null): string | null {
  const text = firstUserText?.split("\u0000", 1)[0] ?? "";
  return text.trim() === "" ? null : text;
}

/** The beginning of a text that takes so many bytes in UTF-8, and no half of a character. */
export function cutToBytes(text: string, most: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > most) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** Judges think aloud at times; more than this is no score. */
const MOST_CHARACTERS = 20_000;
const FENCE = /^\s*```[a-z]*\s*([^]*?)\s*```\s*$/;

/** The score of the one JSON object that has one, alone or among other words; null: there is none, there are several that
 * differ (the answer that is judged may hold one of its own), or it is no number from 0 to 1. */
export function readScore(text: string): number | null {
  if (text.length > MOST_CHARACTERS) return null;
  const whole = scoreIn(FENCE.exec(text)?.[1] ?? text);
  if (whole !== "none") return whole;
  const scores = new Set(objectsIn(text).map(scoreIn));
  scores.delete("none");
  const [only] = scores;
  return scores.size === 1 && only !== "none" ? (only ?? null) : null;
}

/** "none": it is no JSON object, or has no `score`. null: its score is no good. */
function scoreIn(text: string): number | null | "none" {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "none";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || !("score" in value))
    return "none";
  const { score } = value;
  return typeof score === "number" && score >= 0 && score <= 1 ? score : null;
}

/** What stands between braces that match, the outermost ones; braces in strings do not count. */
function objectsIn(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isInString) {
      if (character === "\\") at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"' && depth > 0) {
      isInString = true;
    } else if (character === "{") {
      if (depth === 0) from = at;
      depth += 1;
    } else if (character === "}" && depth > 0) {
      depth -= 1;
      if (depth === 0) found.push(text.slice(from, at + 1));
    }
  }
  return found;
}
