// Neutral parameter names (core/content-params.ts says which there are) and where each wire format puts them. Several
// places for one parameter are spellings of it: a caller's own spelling is the one that is set and the others are taken
// out, so that no provider gets two.
//
// | neutral             | openai-chat                         | openai-responses | anthropic-messages     | gemini ⁵          |
// |---------------------|-------------------------------------|------------------|------------------------|-------------------|
// | temperature, top_p  | same                                | same             | same ¹                 | temperature, topP |
// | top_k               | –                                   | –                | top_k ¹                | topK              |
// | max_output_tokens   | max_completion_tokens, max_tokens ² | same             | max_tokens             | maxOutputTokens   |
// | stop                | stop                                | –                | stop_sequences         | stopSequences     |
// | seed                | same, at mistral random_seed        | –                | –                      | seed              |
// | frequency_penalty, presence_penalty | same                | –                | –                      | same in camelCase |
// | logprobs            | same                                | –                | –                      | responseLogprobs  |
// | top_logprobs        | same                                | same             | –                      | logprobs          |
// | reasoning_effort    | reasoning_effort, reasoning.effort  | reasoning.effort | output_config.effort ³ | thinkingConfig ⁶  |
// | verbosity           | verbosity                           | text.verbosity   | –                      | –                 |
// | tool_choice ⁴       | same                                | same             | same                   | toolConfig ⁷      |
// | parallel_tool_calls | same                                | same             | –                      | –                 |
// | service_tier        | same                                | same             | –                      | –                 |
//
// Bedrock's Converse: temperature, top_p, max_output_tokens and stop in `inferenceConfig` (`topP`, `maxTokens`,
// `stopSequences`), tool_choice in `toolConfig` (`none` is left out), service_tier in `serviceTier.type` (`auto` is left
// out). All else is a model's own there (`additionalModelRequestFields`). A session of OpenAI's Realtime:
// max_output_tokens, reasoning_effort, tool_choice and parallel_tool_calls as in Responses; its beta has temperature,
// `max_response_output_tokens` and tool_choice.
//
// Workers AI's run endpoint: as openai-chat, and top_k.
//
// – the format has no such thing and the parameter is left out; what one provider alone has is said in
// `provider_params`. ¹ One of temperature and top_p: most of Anthropic's models refuse both together, so what a version says
// of one takes out the caller's other one, unless it says both; the newest refuse any sampling parameter, and say so.
// ² The other way round for providers other than openai and azure. ³ `minimal` becomes `low`, `none` is left out. ⁴ In each format's own form.
// ⁵ In `generationConfig`, in camelCase or snake_case, whichever the caller has. ⁶ `.thinkingLevel`, which Gemini 3 brought:
// `minimal` becomes `low`, what lies above `high` becomes `high`, `none` is left out; it takes the place of a
// `thinkingBudget`. ⁷ `.functionCallingConfig`.

import { makerOf } from "../core/providers.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { toolChoiceFor } from "./tools.ts";
import type { FormatId } from "./wire.ts";

/** Per format the spellings, the preferred one first; a dot leads into an object. */
export type ParamPlaces = { readonly [format in FormatId]?: readonly string[] };

/** As dots cannot be read where there are none: where Gemini keeps most of them. */
const CONFIG = "generationConfig";

export const PARAM_TABLE: { readonly [neutral: string]: ParamPlaces } = {
  temperature: {
    ...everywhere("temperature"),
    "bedrock-converse": ["inferenceConfig.temperature"],
    gemini: [`${CONFIG}.temperature`],
    "openai-realtime-beta": ["temperature"],
  },
  top_p: {
    ...everywhere("top_p"),
    "bedrock-converse": ["inferenceConfig.topP"],
    gemini: [`${CONFIG}.topP`],
  },
  top_k: { "anthropic-messages": ["top_k"], gemini: [`${CONFIG}.topK`], "workers-ai": ["top_k"] },
  max_output_tokens: {
    "openai-chat": ["max_completion_tokens", "max_tokens"],
    "openai-responses": ["max_output_tokens"],
    "anthropic-messages": ["max_tokens"],
    "bedrock-converse": ["inferenceConfig.maxTokens"],
    gemini: [`${CONFIG}.maxOutputTokens`],
    "openai-realtime": ["max_output_tokens"],
    "openai-realtime-beta": ["max_response_output_tokens"],
  },
  stop: {
    "openai-chat": ["stop"],
    "anthropic-messages": ["stop_sequences"],
    "bedrock-converse": ["inferenceConfig.stopSequences"],
    gemini: [`${CONFIG}.stopSequences`],
  },
  seed: { "openai-chat": ["seed"], gemini: [`${CONFIG}.seed`] },
  logprobs: { "openai-chat": ["logprobs"], gemini: [`${CONFIG}.responseLogprobs`] },
  frequency_penalty: { "openai-chat": ["frequency_penalty"], gemini: [`${CONFIG}.frequencyPenalty`] },
  presence_penalty: { "openai-chat": ["presence_penalty"], gemini: [`${CONFIG}.presencePenalty`] },
  top_logprobs: {
    "openai-chat": ["top_logprobs"],
    "openai-responses": ["top_logprobs"],
    gemini: [`${CONFIG}.logprobs`],
  },
  reasoning_effort: {
    "openai-chat": ["reasoning_effort", "reasoning.effort"],
    "openai-responses": ["reasoning.effort"],
    "openai-realtime": ["reasoning.effort"],
    "anthropic-messages": ["output_config.effort"],
    gemini: [`${CONFIG}.thinkingConfig.thinkingLevel`, `${CONFIG}.thinkingConfig.thinkingBudget`],
  },
  verbosity: { "openai-chat": ["verbosity"], "openai-responses": ["text.verbosity"] },
  tool_choice: {
    ...everywhere("tool_choice"),
    "bedrock-converse": ["toolConfig.toolChoice"],
    gemini: ["toolConfig.functionCallingConfig"],
    "openai-realtime": ["tool_choice"],
    "openai-realtime-beta": ["tool_choice"],
  },
  parallel_tool_calls: {
    "openai-chat": ["parallel_tool_calls"],
    "openai-responses": ["parallel_tool_calls"],
    "openai-realtime": ["parallel_tool_calls"],
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

/** Mistral refuses members that it does not know, and calls this one otherwise. */
const OWN_NAMES: { readonly [provider: string]: { readonly [neutral: string]: readonly string[] } } = {
  mistral: { seed: ["random_seed", "seed"] },
};

/** Of the two a request takes one. */
const RIVALS: { readonly [format in FormatId]?: { readonly [neutral: string]: string } } = {
  "anthropic-messages": { temperature: "top_p", top_p: "temperature" },
};

export type Placed = {
  neutral: string;
  spellings: readonly string[];
  value: Json;
  /** `exact`: the spellings are not ways to say the same, so only the first is written. */
  mode: "forced" | "exact";
};

/** Workers AI's run endpoint takes a chat as OpenAI does, and samples as most of its models can. */
function placesIn(neutral: string, format: FormatId, provider: string): readonly string[] | undefined {
  if (!Object.hasOwn(PARAM_TABLE, neutral)) return undefined;
  const own = format === "openai-chat" ? OWN_NAMES[provider]?.[neutral] : undefined;
  if (own !== undefined) return own;
  const row = PARAM_TABLE[neutral]!;
  return row[format] ?? (format === "workers-ai" ? row["openai-chat"] : undefined);
}

/** The parameters of one bag that have a place in the format. */
export function placeParams(params: JsonObject, format: FormatId, provider: string): Placed[] {
  return Object.entries(params).flatMap(([neutral, given]) => {
    const places = placesIn(neutral, format, provider);
    const value = valueFor(neutral, given, format);
    if (places === undefined || value === undefined) return [];
    const rival = RIVALS[format]?.[neutral];
    if (rival !== undefined && !Object.hasOwn(params, rival))
      return [{ neutral, spellings: [...places, rival], value, mode: "exact" }];
    const isReversed = neutral === "max_output_tokens" && !COMPLETION_TOKENS.has(makerOf(provider));
    const isExact = (neutral === "reasoning_effort" && format === "gemini") || places[0] === "random_seed";
    const spellings = isReversed ? places.toReversed() : places;
    return [{ neutral, spellings, value, mode: isExact ? "exact" : "forced" }];
  });
}

/** The value in the format's own form; undefined: it has none. */
function valueFor(neutral: string, value: Json, format: FormatId): Json | undefined {
  if (neutral === "tool_choice") return toolChoiceFor(value, format);
  if (neutral === "reasoning_effort" && (format === "anthropic-messages" || format === "gemini")) {
    if (value === "none") return undefined;
    if (format === "gemini" && (value === "xhigh" || value === "max")) return "high";
    return value === "minimal" ? "low" : value;
  }
  // What Bedrock does where nothing is said.
  if (neutral === "service_tier" && format === "bedrock-converse" && value === "auto") return undefined;
  return value;
}
