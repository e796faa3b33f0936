// What a version sets beside its text: model, parameters, defaults, response format, provider's own parameters, tools.
// Resolved and encoded once per version, format and provider, whatever the variables are, so that a request only looks
// for its own spellings. Later sources win: params, response_format, provider_params of the format, of the provider.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { nameOf, type Name } from "./json-tree.ts";
import { jsonBytes } from "./json-write.ts";
import { placeParams } from "./params.ts";
import { responseFormatFor, toolFor, toolKey, toolsPlace } from "./tools.ts";
import type { FormatId, PrepareOptions } from "./wire.ts";

/** The way to a member: its own name alone, or the names of the objects around it before it. */
export type Spelling = readonly [Name, ...Name[]];

export type Setting = {
  /** The preferred one first. */
  spellings: Spelling[];
  /** null: it is taken out. */
  value: Uint8Array | null;
  /** `forced`: under the caller's spelling if there is one; `exact`: under the first; `default`: only without any. */
  mode: "forced" | "exact" | "default";
};

export type Settings = {
  /** Why this version cannot be said in this format at all. */
  refusal: Problem | null;
  list: Setting[];
  /** `place`: the list that they stand in. */
  tools: { place: Spelling; items: Uint8Array[]; keys: Name[] };
  /** Members that `provider_params` sets as a whole, so that nothing else may touch them. */
  owned: Set<string>;
  /** The path names the model; what the body says of one counts for nothing. */
  modelInPath: boolean;
  /** The model that goes into the path, where the path names it; null: the caller's own stays. */
  pathModel: string | null;
};

/** Members that carry the conversation or belong to the caller's transport. */
const UNTOUCHABLE = new Set(["messages", "input", "prompt", "prompt_variables", "stream"]);

/** What token-count endpoints take of the members that a version may set; they refuse anything else. */
const COUNTED: { [format in FormatId]?: Set<string> } = {
  "openai-responses": new Set(
    "model instructions tools tool_choice parallel_tool_calls reasoning text truncation".split(" "),
  ),
  "anthropic-messages": new Set(
    "model system tools tool_choice thinking output_config cache_control speed".split(" "),
  ),
  "bedrock-converse": new Set(["system", "toolConfig", "additionalModelRequestFields"]),
};

/** Whose words a format is, as `provider_params` may also call it. */
const SHORT_NAMES: { [format in FormatId]?: string } = {
  "anthropic-messages": "anthropic",
  "bedrock-converse": "bedrock",
};

/** What settings are made of: the rest of a rendered version is text. */
type Source = Pick<Rendered, "defaults" | "tools" | "responseFormat" | "providerParams" | "model">;

const cache = new WeakMap<JsonObject, Map<string, { source: Source; settings: Settings }>>();

/** `rendered.params` and its neighbours are the version's own objects on every request, which is what the cache keys on. */
export function settingsFor(rendered: Rendered, format: FormatId, options: PrepareOptions): Settings {
  const key = `${format}/${options.provider}/${options.count}/${options.modelInPath === true}`;
  let known = cache.get(rendered.params);
  if (known === undefined) {
    known = new Map();
    cache.set(rendered.params, known);
  }
  const entry = known.get(key);
  if (entry !== undefined && isSame(entry.source, rendered)) return entry.settings;
  const settings = resolveSettings(rendered, format, options);
  const { defaults, tools, responseFormat, providerParams, model } = rendered;
  known.set(key, { source: { defaults, tools, responseFormat, providerParams, model }, settings });
  return settings;
}

function isSame(one: Source, other: Source): boolean {
  return (
    one.defaults === other.defaults &&
    one.tools === other.tools &&
    one.responseFormat === other.responseFormat &&
    one.providerParams === other.providerParams &&
    one.model === other.model
  );
}

/** Of a version that says nothing. */
export function emptySettings(format: FormatId, modelInPath: boolean): Settings {
  return {
    refusal: null,
    list: [],
    tools: { place: spellingOf(toolsPlace(format)), items: [], keys: [] },
    owned: new Set(),
    modelInPath,
    pathModel: null,
  };
}

function resolveSettings(rendered: Rendered, format: FormatId, options: PrepareOptions): Settings {
  const settings = emptySettings(format, options.modelInPath === true);
  if (settings.modelInPath) settings.pathModel = rendered.model;
  else if (rendered.model !== null) settings.list.push(settingOf(["model"], rendered.model, "forced"));
  const forced = placeParams(rendered.params, format, options.provider);
  for (const { spellings, value } of forced) settings.list.push(settingOf(spellings, value, "forced"));
  for (const { neutral, spellings, value } of placeParams(rendered.defaults, format, options.provider)) {
    if (forced.some((param) => param.neutral === neutral)) continue;
    settings.list.push(settingOf(spellings, value, "default"));
  }
  addResponseFormat(settings, rendered.responseFormat, format);
  addProviderParams(settings, rendered, format, options);
  const counted = COUNTED[format];
  if (options.count && counted !== undefined) {
    settings.list = settings.list.filter(({ spellings }) => counted.has(spellings[0]![0].text));
  }
  addTools(settings, rendered.tools, format);
  return settings;
}

function addResponseFormat(settings: Settings, given: JsonObject | null, format: FormatId): void {
  if (given === null) return;
  const placed = responseFormatFor(given, format);
  if (isProblem(placed)) settings.refusal = placed;
  else if (placed !== null) settings.list.push(settingOf([placed.place], placed.value, "forced"));
}

function addProviderParams(
  settings: Settings,
  rendered: Rendered,
  format: FormatId,
  { provider, count, modelInPath }: PrepareOptions,
): void {
  for (const source of new Set([SHORT_NAMES[format] ?? format, format, provider])) {
    const own = Object.hasOwn(rendered.providerParams, source) ? rendered.providerParams[source] : undefined;
    for (const [member, value] of Object.entries(own ?? {})) {
      if (UNTOUCHABLE.has(member)) {
        settings.refusal = problem(
          "invalid_request",
          `The version's provider_params may not set "${member}": it belongs to the caller.`,
          { field: `provider_params.${source}.${member}` },
        );
      } else if (modelInPath === true && member === "model") {
        if (typeof value === "string") settings.pathModel = value;
      } else if (!count || COUNTED[format]?.has(member) === true) {
        setVerbatim(settings, member, value);
      }
    }
  }
}

/** Takes the place of every earlier setting that could write the same member. */
function setVerbatim(settings: Settings, member: string, value: Json): void {
  const touches = ({ spellings }: Setting) => spellings.some(([name]) => name.text === member);
  const others = settings.list.filter(touches).flatMap(({ spellings }) => spellings);
  // A dot in the name is part of it here, and leads nowhere.
  const own: Spelling = [nameOf(member)];
  const spellings = [own, ...others.filter(([name]) => name.text !== member)];
  const setting: Setting = { spellings, value: jsonBytes(value), mode: "exact" };
  settings.list = [...settings.list.filter((earlier) => !touches(earlier)), setting];
  settings.owned.add(member);
}

function addTools(settings: Settings, tools: JsonObject[], format: FormatId): void {
  if (settings.owned.has(settings.tools.place[0].text)) return;
  for (const tool of tools) {
    const written = toolFor(tool, format);
    if (isProblem(written)) {
      settings.refusal ??= written;
      continue;
    }
    settings.tools.items.push(jsonBytes(written));
    const key = toolKey(tool);
    if (key !== null) settings.tools.keys.push(nameOf(key));
  }
}

function settingOf(places: readonly string[], value: Json, mode: Setting["mode"]): Setting {
  return { spellings: places.map(spellingOf), value: jsonBytes(value), mode };
}

function spellingOf(place: string): Spelling {
  const [member = "", ...inner] = place.split(".");
  return [nameOf(member), ...inner.map((name) => nameOf(name))];
}
