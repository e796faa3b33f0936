// Neutral parameter names (core/content-params.ts says which there are) and where each wire format puts them. Several
// places for one parameter are spellings of it: a caller's own spelling is the one that is set and the others are taken
// out, so that no provider gets two.
//
// | neutral             | openai-chat                         | openai-responses | anthropic-messages     |
// |---------------------|-------------------------------------|------------------|------------------------|
// | temperature, top_p  | same                                | same             | same ¹                 |
// | top_k               | –                                   | –                | top_k ¹                |
// | max_output_tokens   | max_completion_tokens, max_tokens ² | same             | max_tokens             |
// | stop                | stop                                | –                | stop_sequences         |
// | seed, logprobs, frequency_penalty, presence_penalty: Chat Completions only, under the same name      |
// | top_logprobs        | same                                | same             | –                      |
// | reasoning_effort    | reasoning_effort, reasoning.effort  | reasoning.effort | output_config.effort ³ |
// | verbosity           | verbosity                           | text.verbosity   | –                      |
// | tool_choice ⁴       | same                                | same             | same                   |
// | parallel_tool_calls | same                                | same             | –                      |
// | service_tier        | same                                | same             | –                      |
//
// Bedrock's Converse: temperature, top_p, max_output_tokens and stop in `inferenceConfig` (`topP`, `maxTokens`,
// `stopSequences`), tool_choice in `toolConfig` (`none` is left out), service_tier in `serviceTier.type` (`auto` is left
// out). All else is a model's own there (`additionalModelRequestFields`).
//
// – the format has no such thing and the parameter is left out; what one provider alone has is said in
// `provider_params`. ¹ Anthropic's newest models refuse sampling parameters, and say so. ² The other way round for
// providers other than openai and azure. ³ `minimal` becomes `low`, `none` is left out. ⁴ In each format's own form.

import type { Json, JsonObject } from "../core/types.ts";
import { toolChoiceFor } from "./tools.ts";
import type { FormatId } from "./wire.ts";

/** Per format the spellings, the preferred one first; a dot leads into an object. */
export type ParamPlaces = { readonly [format in FormatId]?: readonly string[] };

export const PARAM_TABLE: { readonly [neutral: string]: ParamPlaces } = {
  temperature: { ...everywhere("temperature"), "bedrock-converse": ["inferenceConfig.temperature"] },
  top_p: { ...everywhere("top_p"), "bedrock-converse": ["inferenceConfig.topP"] },
  top_k: { "anthropic-messages": ["top_k"] },
  max_output_tokens: {
    "openai-chat": ["max_completion_tokens", "max_tokens"],
    "openai-responses": ["max_output_tokens"],
    "anthropic-messages": ["max_tokens"],
    "bedrock-converse": ["inferenceConfig.maxTokens"],
  },
  stop: {
    "openai-chat": ["stop"],
    "anthropic-messages": ["stop_sequences"],
    "bedrock-converse": ["inferenceConfig.stopSequences"],
  },
  seed: { "openai-chat": ["seed"] },
  logprobs: { "openai-chat": ["logprobs"] },
  frequency_penalty: { "openai-chat": ["frequency_penalty"] },
  presence_penalty: { "openai-chat": ["presence_penalty"] },
  top_logprobs: { "openai-chat": ["top_logprobs"], "openai-responses": ["top_logprobs"] },
  reasoning_effort: {
    "openai-chat": ["reasoning_effort", "reasoning.effort"],
    "openai-responses": ["reasoning.effort"],
    "anthropic-messages": ["output_config.effort"],
  },
  verbosity: { "openai-chat": ["verbosity"], "openai-responses": ["text.verbosity"] },
  tool_choice: { ...everywhere("tool_choice"), "bedrock-converse": ["toolConfig.toolChoice"] },
  parallel_tool_calls: {
    "openai-chat": ["parallel_tool_calls"],
    "openai-responses": ["parallel_tool_calls"],
  },
  service_tier: {
    "openai-chat": ["service_tier"],
    "openai-responses": ["service_tier"],
    "bedrock-converse": ["serviceTier.type"],
  },
};

function everywhere(name: string): ParamPlaces {
  return { "openai-chat": [name], "openai-responses": [name], "anthropic-messages": [name] };
}

/** Providers whose chat models take `max_completion_tokens`; elsewhere `max_tokens` is the name that is understood. */
const COMPLETION_TOKENS = new Set(["openai", "azure"]);

export type Placed = { neutral: string; spellings: readonly string[]; value: Json };

/** The parameters of one bag that have a place in the format. */
export function placeParams(params: JsonObject, format: FormatId, provider: string): Placed[] {
  return Object.entries(params).flatMap(([neutral, given]) => {
    const places = Object.hasOwn(PARAM_TABLE, neutral) ? PARAM_TABLE[neutral]?.[format] : undefined;
    const value = valueFor(neutral, given, format);
    if (places === undefined || value === undefined) return [];
    const isReversed = neutral === "max_output_tokens" && !COMPLETION_TOKENS.has(provider);
    return [{ neutral, spellings: isReversed ? places.toReversed() : places, value }];
  });
}

/** The value in the format's own form; undefined: it has none. */
function valueFor(neutral: string, value: Json, format: FormatId): Json | undefined {
  if (neutral === "tool_choice") return toolChoiceFor(value, format);
  if (neutral === "reasoning_effort" && format === "anthropic-messages") {
    if (value === "none") return undefined;
    return value === "minimal" ? "low" : value;
  }
  // What Bedrock does where nothing is said.
  if (neutral === "service_tier" && format === "bedrock-converse" && value === "auto") return undefined;
  return value;
}
