// Sampling and answer parameters in neutral names, each with the range that at least one provider accepts; what a single
// provider knows goes through `provider_params`, verbatim. Guarantee: a parameter that this file lets through has one
// meaning and one shape, whichever way its author wrote it.

import * as z from "zod";
import type { Json } from "./types.ts";

const probability = z.number().min(0).max(1);
const penalty = z.number().min(-2).max(2);
const stopText = z.string().min(1).max(1_000);

export const paramsSchema = z.strictObject({
  temperature: z.number().min(0).max(2).exactOptional(),
  top_p: probability.exactOptional(),
  top_k: z.int().min(0).exactOptional(),
  max_output_tokens: z.int().min(1).exactOptional(),
  /** One text or several; kept as a list. */
  stop: z
    .union([stopText.transform((text) => [text]), z.array(stopText).min(1).max(64)], {
      error: "must be a text or a list of 1 to 64 texts, none of them empty",
    })
    .exactOptional(),
  seed: z.int().exactOptional(),
  frequency_penalty: penalty.exactOptional(),
  presence_penalty: penalty.exactOptional(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).exactOptional(),
  verbosity: z.enum(["low", "medium", "high"]).exactOptional(),
  parallel_tool_calls: z.boolean().exactOptional(),
  tool_choice: z
    .unknown()
    .transform((value, ctx) => {
      const choice = readToolChoice(value as Json);
      if (choice === null) ctx.addIssue({ code: "custom", message: TOOL_CHOICE_MEND });
      return choice;
    })
    .exactOptional(),
  service_tier: z.string().min(1).max(64).exactOptional(),
  logprobs: z.boolean().exactOptional(),
  top_logprobs: z.int().min(0).max(20).exactOptional(),
});

export const PARAM_NAMES: readonly string[] = Object.keys(paramsSchema.shape);

const TOOL_CHOICE_MEND = 'must be "auto", "none", "required" or {"name": "<tool>"}';

/** `auto`, `none`, `required` or `{name}`, from any of the providers' own ways to say so. */
function readToolChoice(value: Json): Json {
  const word = typeof value === "string" ? value : readMember(value, "type");
  if (word === "any") return "required";
  if (word === "auto" || word === "none" || word === "required") return word;
  const isNamed = word === undefined || word === "function" || word === "tool" || word === "custom";
  const name = isNamed
    ? (readMember(value, "name") ?? readMember(readMember(value, "function"), "name"))
    : null;
  return typeof name === "string" && name !== "" ? { name } : null;
}

function readMember(value: Json | undefined, key: string): Json | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What providers call these, where it is more than another way to write the same word. */
export const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["max_tokens", "max_output_tokens"],
  ["max_completion_tokens", "max_output_tokens"],
  ["max_tokens_to_sample", "max_output_tokens"],
  ["max_new_tokens", "max_output_tokens"],
  ["maxTokens", "max_output_tokens"],
  ["stop_sequences", "stop"],
  ["stopSequences", "stop"],
  ["effort", "reasoning_effort"],
  ["reasoning", "reasoning_effort"],
]);
