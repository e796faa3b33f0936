// How an answer ended, in one word for all formats. The providers' words never contradict each other, so one table reads
// them all, Google's capitals too; what it does not know is `other`, for providers invent words.

import type { Finish } from "../core/metering/outcome.ts";
import type { Json } from "../core/types.ts";

const WORDS: { readonly [finish in Exclude<Finish, "other">]: string } = {
  stop: "stop end_turn stop_sequence eos complete completed",
  // `model_length` is Mistral's; Anthropic and Bedrock tell the model's window from the caller's limit.
  length: "length max_tokens max_output_tokens model_length model_context_window_exceeded",
  refusal:
    "refusal content_filter content_filtered guardrail_intervened sensitive safety recitation blocklist prohibited_content spii model_armor image_safety image_prohibited_content image_recitation",
  tool: "tool_calls function_call tool_use tool_call",
};

const FINISHES = new Map<string, Finish>(
  Object.entries(WORDS).flatMap(([finish, words]) =>
    words.split(" ").map((word) => [word, finish as Finish] as const),
  ),
);

/** null: the answer has not ended yet, or nobody says how. */
export function finishOf(word: Json | undefined): Finish | null {
  if (typeof word !== "string" || word === "" || word.endsWith("_UNSPECIFIED")) return null;
  return FINISHES.get(word.toLowerCase()) ?? "other";
}

/** What says more about an answer stands further behind: of several choices the worst one is told. */
const GRAVITY: readonly Finish[] = ["stop", "other", "tool", "length", "refusal"];

export function graver(one: Finish | null, other: Finish | null): Finish | null {
  if (one === null || other === null) return one ?? other;
  return GRAVITY.indexOf(one) >= GRAVITY.indexOf(other) ? one : other;
}

export function gravest(finishes: (Finish | null)[]): Finish | null {
  return finishes.reduce<Finish | null>(graver, null);
}
