// Neutral parameter names and where each wire format puts them. A version says `max_output_tokens`; here stands that
// Chat Completions spells it in two ways and Anthropic in a third. Several places for one parameter are spellings of
// it: a caller's own spelling is the one that is set and the others are taken out, so that no provider gets two.
//
// | neutral              | openai-chat                        | openai-responses    | anthropic-messages   |
// |----------------------|------------------------------------|---------------------|----------------------|
// | temperature, top_p   | same                               | same                | same                 |
// | top_k                | –                                  | –                   | top_k                |
// | max_output_tokens ¹  | max_completion_tokens, max_tokens ²| max_output_tokens   | max_tokens           |
// | stop ³               | stop                               | –                   | stop_sequences       |
// | seed, n, logit_bias, logprobs, frequency_penalty, presence_penalty: Chat Completions only             |
// | top_logprobs         | same                               | same                | –                    |
// | reasoning_effort     | reasoning_effort, reasoning.effort | reasoning.effort    | output_config.effort ⁴|
// | verbosity            | verbosity                          | text.verbosity      | –                    |
// | tool_choice ⁵        | same                               | same                | same                 |
// | parallel_tool_calls  | same                               | same                | –                    |
// | service_tier, store  | same                               | same                | –                    |
// | truncation, max_tool_calls | –                            | same                | –                    |
//
// –: the format has no such thing, the parameter is left out; `provider_params` says what has no neutral name.
// ¹ also read as max_tokens, max_completion_tokens. ² the other way round for providers other than openai and azure.
// ³ also read as stop_sequences; a single text becomes a list for Anthropic. ⁴ `minimal` becomes `low`; `none` is left
// out. ⁵ in each format's own form (tools.ts). Anthropic's newest models refuse sampling parameters: the version says so.

import type { Json, JsonObject } from "../core/types.ts";
import { toolChoiceFor } from "./tools.ts";
import type { FormatId } from "./wire.ts";

/** Per format the spellings, the preferred one first; a dot leads into an object. */
export type ParamRule = {
  aliases?: readonly string[];
  places: { readonly [format in FormatId]?: readonly string[] };
};

function everywhere(name: string): ParamRule["places"] {
  return { "openai-chat": [name], "openai-responses": [name], "anthropic-messages": [name] };
}

function openai(name: string): ParamRule["places"] {
  return { "openai-chat": [name], "openai-responses": [name] };
}

export const PARAM_TABLE: { readonly [neutral: string]: ParamRule } = {
  temperature: { places: everywhere("temperature") },
  top_p: { places: everywhere("top_p") },
  top_k: { places: { "anthropic-messages": ["top_k"] } },
  max_output_tokens: {
    aliases: ["max_tokens", "max_completion_tokens"],
    places: {
      "openai-chat": ["max_completion_tokens", "max_tokens"],
      "openai-responses": ["max_output_tokens"],
      "anthropic-messages": ["max_tokens"],
    },
  },
  stop: {
    aliases: ["stop_sequences"],
    places: { "openai-chat": ["stop"], "anthropic-messages": ["stop_sequences"] },
  },
  seed: { places: { "openai-chat": ["seed"] } },
  n: { places: { "openai-chat": ["n"] } },
  logit_bias: { places: { "openai-chat": ["logit_bias"] } },
  logprobs: { places: { "openai-chat": ["logprobs"] } },
  frequency_penalty: { places: { "openai-chat": ["frequency_penalty"] } },
  presence_penalty: { places: { "openai-chat": ["presence_penalty"] } },
  top_logprobs: { places: openai("top_logprobs") },
  reasoning_effort: {
    places: {
      "openai-chat": ["reasoning_effort", "reasoning.effort"],
      "openai-responses": ["reasoning.effort"],
      "anthropic-messages": ["output_config.effort"],
    },
  },
  verbosity: { places: { "openai-chat": ["verbosity"], "openai-responses": ["text.verbosity"] } },
  tool_choice: { places: everywhere("tool_choice") },
  parallel_tool_calls: { places: openai("parallel_tool_calls") },
  service_tier: { places: openai("service_tier") },
  store: { places: openai("store") },
  truncation: { places: { "openai-responses": ["truncation"] } },
  max_tool_calls: { places: { "openai-responses": ["max_tool_calls"] } },
};

const ALIASES = new Map(
  Object.entries(PARAM_TABLE).flatMap(([neutral, rule]) =>
    (rule.aliases ?? []).map((alias) => [alias, neutral]),
  ),
);

/** Providers whose chat models take `max_completion_tokens`; elsewhere `max_tokens` is the name that is understood. */
const COMPLETION_TOKENS = new Set(["openai", "azure"]);

export type Placed = { neutral: string; spellings: readonly string[]; value: Json };

/** The parameters of one bag that have a place in the format; a parameter's own name beats an alias of it. */
export function placeParams(params: JsonObject, format: FormatId, provider: string): Placed[] {
  const placed = new Map<string, Placed>();
  for (const [name, given] of Object.entries(params)) {
    const neutral = ALIASES.get(name) ?? name;
    const places = Object.hasOwn(PARAM_TABLE, neutral) ? PARAM_TABLE[neutral]?.places[format] : undefined;
    const value = valueFor(neutral, given, format);
    if (places === undefined || value === undefined) continue;
    if (name !== neutral && placed.has(neutral)) continue;
    const isReversed =
      format === "openai-chat" && neutral === "max_output_tokens" && !COMPLETION_TOKENS.has(provider);
    placed.set(neutral, { neutral, spellings: isReversed ? places.toReversed() : places, value });
  }
  return [...placed.values()];
}

/** The value in the format's own form; undefined: it has none. */
function valueFor(neutral: string, value: Json, format: FormatId): Json | undefined {
  if (neutral === "tool_choice") return toolChoiceFor(value, format);
  if (format !== "anthropic-messages") return value;
  if (neutral === "stop" && typeof value === "string") return [value];
  if (neutral === "reasoning_effort" && value === "none") return undefined;
  if (neutral === "reasoning_effort" && value === "minimal") return "low";
  return value;
}
