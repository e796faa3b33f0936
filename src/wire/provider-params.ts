// `provider_params`: what a version says to one wire format or one provider alone, in its own words. They take the place of
// everything else that would write the same member, and cannot touch the conversation.

import { problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { Json } from "../core/types.ts";
import { isObject } from "./answer-usage.ts";
import { nameIn } from "./gemini-names.ts";
import { jsonBytes } from "./json-write.ts";
import type { Setting, Settings, Spelling } from "./settings.ts";
import type { FormatId, PrepareOptions } from "./wire.ts";

/** Members that carry the conversation or belong to the caller's transport. */
const UNTOUCHABLE = new Set([
  "messages",
  "input",
  "contents",
  "generateContentRequest",
  "prompt",
  "prompt_variables",
  "stream",
]);

/** Objects in which a provider keeps what others keep beside each other: set member by member. */
const BAGS: { [format in FormatId]?: Set<string> } = {
  gemini: new Set(["generationConfig"]),
};

/** What token-count endpoints take of the members that a version may set; they refuse anything else. */
const COUNTED: { [format in FormatId]?: Set<string> } = {
  "openai-responses": new Set(
    "model instructions tools tool_choice parallel_tool_calls reasoning text truncation".split(" "),
  ),
  "anthropic-messages": new Set(
    "model system tools tool_choice thinking output_config cache_control speed".split(" "),
  ),
  "bedrock-converse": new Set(["system", "toolConfig", "additionalModelRequestFields"]),
  gemini: new Set(["systemInstruction", "tools", "cachedContent"]),
};

/** Whose words a format is, as `provider_params` may also call it. */
const SHORT_NAMES: { [format in FormatId]?: string } = {
  "anthropic-messages": "anthropic",
  "bedrock-converse": "bedrock",
  "openai-realtime-beta": "openai-realtime",
};

/** Whether a token-count endpoint takes a member; undefined: the format has no such endpoint. */
export function isCounted(format: FormatId, member: string): boolean | undefined {
  return COUNTED[format]?.has(member);
}

/** Under which names a version speaks to this format at this provider; later ones win. */
export function sourcesOf(format: FormatId, provider: string): ReadonlySet<string> {
  return new Set([SHORT_NAMES[format] ?? format, format, provider]);
}

export function addProviderParams(
  settings: Settings,
  rendered: Rendered,
  format: FormatId,
  { provider, count }: PrepareOptions,
): void {
  for (const source of sourcesOf(format, provider)) {
    const own = Object.hasOwn(rendered.providerParams, source) ? rendered.providerParams[source] : undefined;
    for (const [written, value] of Object.entries(own ?? {})) {
      const member = nameIn(format, written).text;
      const field = `provider_params.${source}.${written}`;
      const isBag = BAGS[format]?.has(member) === true;
      if (UNTOUCHABLE.has(member) || (isBag && !isObject(value))) {
        const message = isBag
          ? `The version's ${field} must be an object.`
          : `The version's provider_params may not set "${written}": it belongs to the caller.`;
        settings.refusal = problem("invalid_request", message, { field });
      } else if (settings.modelInPath && member === "model") {
        if (typeof value === "string") settings.pathModel = value;
      } else if (!count || isCounted(format, member) === true) {
        setMember(settings, format, member, value);
      }
    }
  }
}

function setMember(settings: Settings, format: FormatId, member: string, value: Json): void {
  // A dot in the name is part of it here, and leads nowhere.
  const name = nameIn(format, member);
  if (BAGS[format]?.has(member) === true && isObject(value)) {
    for (const [inner, given] of Object.entries(value))
      setVerbatim(settings, [name, nameIn(format, inner)], given);
    return;
  }
  setVerbatim(settings, [name], value);
  settings.owned.add(member);
}

/** Takes the place of every earlier setting that could write the same member. */
function setVerbatim(settings: Settings, own: Spelling, value: Json): void {
  const isSame = (spelling: Spelling) => own.every(({ text }, index) => spelling[index]?.text === text);
  const touches = ({ spellings }: Setting) => spellings.some(isSame);
  const others = settings.list.filter(touches).flatMap(({ spellings }) => spellings);
  const spellings = [own, ...others.filter((spelling) => !isSame(spelling))];
  const setting: Setting = { spellings, value: jsonBytes(value), mode: "exact" };
  settings.list = [...settings.list.filter((earlier) => !touches(earlier)), setting];
}
