// What a version sets beside its text: model, parameters, defaults, response format, provider's own parameters, tools.
// Resolved and encoded once per version, format and provider, whatever the variables are, so that a request only looks
// for its own spellings. Later sources win: params, response_format, provider_params of the format, of the provider.

import { isProblem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { nameIn } from "./gemini-names.ts";
import { nameOf, type Name } from "./json-tree.ts";
import { jsonBytes } from "./json-write.ts";
import { checkPathModel } from "./model-path.ts";
import { placeParams, type Placed } from "./params.ts";
import { addProviderParams, isCounted } from "./provider-params.ts";
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
  /** `place`: the list that they stand in. `declarations` and `declared`: functions and their names, where the format lists
   * them apart from other tools. */
  tools: {
    place: Spelling;
    items: Uint8Array[];
    keys: Name[];
    declarations: Uint8Array[];
    declared: Name[];
  };
  /** Members that `provider_params` sets as a whole, so that nothing else may touch them. */
  owned: Set<string>;
  /** Usage of a stream is to be asked for where the caller leaves it open (stream-usage.ts). */
  asksUsage: boolean;
  /** The path names the model; what the body says of one counts for nothing. */
  modelInPath: boolean;
  /** The model that goes into the path, where the path names it; null: the caller's own stays. */
  pathModel: string | null;
};

/** What settings are made of: the rest of a rendered version is text. */
type Source = Pick<Rendered, "defaults" | "tools" | "responseFormat" | "providerParams" | "model">;

const cache = new WeakMap<JsonObject, Map<string, { source: Source; settings: Settings }>>();

/** `rendered.params` and its neighbours are the version's own objects on every request, which is what the cache keys on. */
export function settingsFor(rendered: Rendered, format: FormatId, options: PrepareOptions): Settings {
  const { provider, count, modelInPath, asksUsage } = options;
  const key = `${format}/${provider}/${count}/${modelInPath === true}/${asksUsage === true}`;
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
    tools: {
      place: spellingOf(toolsPlace(format), format),
      items: [],
      keys: [],
      declarations: [],
      declared: [],
    },
    owned: new Set(),
    asksUsage: false,
    modelInPath,
    pathModel: null,
  };
}

function resolveSettings(rendered: Rendered, format: FormatId, options: PrepareOptions): Settings {
  const settings = emptySettings(format, options.modelInPath === true);
  if (settings.modelInPath) settings.pathModel = rendered.model;
  else if (rendered.model !== null)
    settings.list.push(settingOf(["model"], rendered.model, "forced", format));
  const forced = placeParams(rendered.params, format, options.provider);
  for (const { spellings, value, mode } of forced) {
    settings.list.push(settingOf(spellings, value, mode, format));
  }
  for (const { neutral, spellings, value } of placeParams(rendered.defaults, format, options.provider)) {
    const isSaid = (param: Placed) => param.neutral === neutral || param.spellings.includes(spellings[0]!);
    if (forced.some(isSaid)) continue;
    settings.list.push(settingOf(spellings, value, "default", format));
  }
  addResponseFormat(settings, rendered.responseFormat, format);
  addProviderParams(settings, rendered, format, options);
  // A version that sets the options itself has said all there is to say.
  const isOpen = format === "openai-chat" && !settings.owned.has("stream_options");
  settings.asksUsage = isOpen && options.asksUsage === true;
  if (options.count) {
    settings.list = settings.list.filter(
      ({ spellings }) => isCounted(format, spellings[0]![0].text) !== false,
    );
  }
  addTools(settings, rendered.tools, format);
  settings.refusal ??= checkPathModel(settings.pathModel);
  return settings;
}

function addResponseFormat(settings: Settings, given: JsonObject | null, format: FormatId): void {
  if (given === null) return;
  const placed = responseFormatFor(given, format);
  if (isProblem(placed)) settings.refusal = placed;
  else
    for (const { places, value, mode } of placed) settings.list.push(settingOf(places, value, mode, format));
}

function addTools(settings: Settings, tools: JsonObject[], format: FormatId): void {
  const { place, items, keys, declarations, declared } = settings.tools;
  if (settings.owned.has(place[0].text)) return;
  for (const tool of tools) {
    const written = toolFor(tool, format);
    if (isProblem(written)) {
      settings.refusal ??= written;
      continue;
    }
    const isDeclared = format === "gemini" && tool["type"] === undefined;
    (isDeclared ? declarations : items).push(jsonBytes(written));
    const key = toolKey(tool);
    if (key !== null) (isDeclared ? declared : keys).push(isDeclared ? nameOf(key) : nameIn(format, key));
  }
}

function settingOf(
  places: readonly string[],
  value: Json | undefined,
  mode: Setting["mode"],
  format: FormatId,
): Setting {
  const spellings = places.map((place) => spellingOf(place, format));
  return { spellings, value: value === undefined ? null : jsonBytes(value), mode };
}

function spellingOf(place: string, format: FormatId): Spelling {
  const [member = "", ...inner] = place.split(".");
  return [nameIn(format, member), ...inner.map((name) => nameIn(format, name))];
}
