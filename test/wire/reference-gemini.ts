// The injection into Gemini's bodies as anybody would write it who may parse and rebuild them, from Google's reference and
// the contract, with tables of its own. Every name may stand in camelCase or in snake_case.

import type { MediaPart } from "../../src/core/content-parts.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { Json, JsonObject } from "../../src/core/types.ts";
import type { Resource } from "../../src/wire/wire.ts";
import { isPlain, type Refused } from "./reference.ts";

export type GeminiWhere = { provider: string; count: boolean; resource: Resource | null };
type Write = { paths: string[]; value: Json | undefined; isExact: boolean };

const NESTED = "generateContentRequest";

export function injectGemini(body: JsonObject, version: Rendered, where: GeminiWhere): JsonObject | Refused {
  const out = structuredClone(body);
  const own = ownParams(version, where);
  if ("refused" in own) return own as Refused;
  if (
    version.examples.some(
      ({ content }) => typeof content !== "string" && content.some((part) => isUnsayable(part)),
    )
  )
    return { refused: "photo" };
  if (isPlain(out["prompt"])) delete out["prompt"];
  delete out["prompt_variables"];
  const nestedKey = where.count ? keysOf(body, NESTED)[0] : undefined;
  const nested = nestedKey === undefined ? null : body[nestedKey]!;
  if (nested !== null && !isPlain(nested)) return { refused: NESTED };
  const caller = nested ?? body;
  const request = nested === null ? out : (out[nestedKey!] as JsonObject);
  const wrongCache = checkCache(caller, version, own, where);
  writeSettings(request, caller, version, own, where.count);
  const wrong =
    wrongCache ??
    placeSystem(request, caller, version, own) ??
    placeTools(request, caller, version, own) ??
    placeContents(request, caller, version);
  if (wrong !== null) return wrong;
  return where.count ? frame(out, request, version, own, where, nestedKey) : out;
}

/** A count needs the model's name inside, and a list alone becomes a request where more than examples was added. */
function frame(
  out: JsonObject,
  request: JsonObject,
  version: Rendered,
  own: Own,
  { resource }: GeminiWhere,
  nestedKey: string | undefined,
): JsonObject {
  const addsMore =
    version.system !== null ||
    (version.tools.length > 0 && !("tools" in own.whole)) ||
    Object.keys(own.whole).length > 0;
  const isWrapped = request === out && resource !== null && !resource.isVertex && addsMore;
  if (resource === null || (request === out && !isWrapped)) return out;
  if (isWrapped && nestedKey !== undefined) delete out[nestedKey];
  const forced = own.model ?? version.model;
  if (forced !== null || request["model"] === undefined) {
    const names = (forced ?? resource.model).split("/");
    const id = names.pop()!;
    request["model"] = `${names.pop() ?? resource.collection}/${id}`;
  }
  return isWrapped ? { [NESTED]: request } : out;
}

type Own = { whole: JsonObject; config: JsonObject; model: string | null };

function ownParams({ providerParams }: Rendered, { provider, count }: GeminiWhere): Own | Refused {
  const own: Own = { whole: {}, config: {}, model: null };
  for (const source of new Set(["gemini", provider])) {
    for (const [written, value] of Object.entries(providerParams[source] ?? {})) {
      const name = camel(written);
      if (["messages", "input", "contents", NESTED, "prompt", "stream"].includes(name))
        return { refused: written };
      if (name === "model") own.model = value as string;
      else if (name === "generationConfig") {
        if (!isPlain(value)) return { refused: written };
        for (const [inner, given] of Object.entries(value)) if (!count) own.config[camel(inner)] = given;
      } else if (!count || ["systemInstruction", "tools", "cachedContent"].includes(name))
        own.whole[name] = value;
    }
  }
  return own;
}

function camel(text: string): string {
  return text.replace(/([a-z0-9])_([a-z0-9])/g, (_, one: string, other: string) => one + other.toUpperCase());
}

function snake(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Under which keys an object has `name`. */
function keysOf(object: Json | undefined, name: string): string[] {
  return isPlain(object) ? [...new Set([name, snake(name)])].filter((key) => Object.hasOwn(object, key)) : [];
}

function get(object: JsonObject, name: string): Json | undefined {
  const key = keysOf(object, name).at(-1);
  return key === undefined ? undefined : object[key];
}

function isThere(object: Json | undefined, [name = "", ...rest]: string[]): boolean {
  const keys = keysOf(object, name);
  if (rest.length === 0) return keys.length > 0;
  return keys.some((key) => isThere((object as JsonObject)[key], rest));
}

function put(object: JsonObject, [name = "", ...rest]: string[], value: Json, isDefault: boolean): void {
  const keys = keysOf(object, name);
  for (const key of keys.length === 0 ? [name] : keys) {
    if (rest.length === 0) {
      if (!isDefault || keys.length === 0) object[key] = value;
      continue;
    }
    const inner = object[key];
    if (!isPlain(inner) && inner !== undefined && inner !== null && isDefault) continue;
    if (!isPlain(inner)) object[key] = {};
    put(object[key] as JsonObject, rest, value, isDefault);
  }
}

/** Something stands in the place of an object on the way: no default is worth taking it out. */
function isBlocked(object: JsonObject, [name = "", ...rest]: string[]): boolean {
  if (rest.length === 0) return false;
  return keysOf(object, name).some((key) => {
    const inner = object[key]!;
    return isPlain(inner) ? isBlocked(inner, rest) : inner !== null;
  });
}

function remove(object: Json | undefined, [name = "", ...rest]: string[]): void {
  for (const key of keysOf(object, name)) {
    if (rest.length === 0) delete (object as JsonObject)[key];
    else remove((object as JsonObject)[key], rest);
  }
}

function writeSettings(
  out: JsonObject,
  caller: JsonObject,
  version: Rendered,
  own: Own,
  count: boolean,
): void {
  const forced = Object.entries(version.params).flatMap(([name, value]) => writesOf(name, value));
  const left = Object.entries(version.defaults).filter(
    ([name]) => !Object.hasOwn(version.params, name) || writesOf(name, version.params[name]!).length === 0,
  );
  const defaults = left.flatMap(([name, value]) => writesOf(name, value));
  const isOwned = (path: string) => {
    const [member = "", inner = ""] = path.split(".");
    return (
      Object.hasOwn(own.whole, member) || (member === "generationConfig" && Object.hasOwn(own.config, inner))
    );
  };
  for (const write of count ? [] : [...forced, ...formatWrites(version.responseFormat), ...defaults]) {
    const { paths, value, isExact } = write;
    const present = paths.filter((path) => isThere(caller, path.split(".")));
    const first = paths[0]!;
    if (paths.some(isOwned)) {
      for (const path of paths) if (!isOwned(path)) remove(out, path.split("."));
    } else if (defaults.includes(write)) {
      if (present.length === 0 && !isBlocked(caller, first.split(".")))
        put(out, first.split("."), value!, true);
    } else {
      const chosen = value === undefined ? null : isExact ? first : (present[0] ?? first);
      for (const path of present) if (path !== chosen) remove(out, path.split("."));
      if (chosen !== null) put(out, chosen.split("."), value!, false);
    }
  }
  for (const [name, value] of Object.entries(own.whole)) put(out, [name], value, false);
  for (const [name, value] of Object.entries(own.config)) put(out, ["generationConfig", name], value, false);
}

const CONFIG_NAMES: { [neutral: string]: string } = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  max_output_tokens: "maxOutputTokens",
  stop: "stopSequences",
  seed: "seed",
  frequency_penalty: "frequencyPenalty",
  presence_penalty: "presencePenalty",
  logprobs: "responseLogprobs",
  top_logprobs: "logprobs",
};

function writesOf(name: string, value: Json): Write[] {
  const config = CONFIG_NAMES[name];
  if (config !== undefined) return [{ paths: [`generationConfig.${config}`], value, isExact: false }];
  if (name === "tool_choice") {
    const choice = isPlain(value)
      ? { mode: "ANY", allowedFunctionNames: [value["name"]!] }
      : { mode: ({ auto: "AUTO", none: "NONE", required: "ANY" } as JsonObject)[String(value)]! };
    return [{ paths: ["toolConfig.functionCallingConfig"], value: choice, isExact: false }];
  }
  if (name !== "reasoning_effort" || value === "none") return [];
  const level = { minimal: "low", xhigh: "high", max: "high" }[String(value)] ?? value;
  const thinking = "generationConfig.thinkingConfig";
  return [
    { paths: [`${thinking}.thinkingLevel`, `${thinking}.thinkingBudget`], value: level, isExact: true },
  ];
}

function formatWrites(given: JsonObject | null): Write[] {
  if (given === null) return [];
  const type = given["type"] === "text" ? "text/plain" : "application/json";
  const schema = given["type"] === "json_schema" ? given["schema"] : undefined;
  const [mime, json, open] = ["responseMimeType", "responseJsonSchema", "responseSchema"].map(
    (name) => `generationConfig.${name}`,
  ) as [string, string, string];
  return [
    { paths: [mime], value: type, isExact: false },
    { paths: [json, open], value: schema, isExact: true },
  ];
}

function checkCache(caller: JsonObject, version: Rendered, own: Own, where: GeminiWhere): Refused | null {
  const cache = "cachedContent" in own.whole ? own.whole["cachedContent"] : get(caller, "cachedContent");
  if (typeof cache !== "string" || cache === "") return null;
  const forced = own.model ?? version.model;
  const clashes =
    version.system !== null ||
    version.tools.length > 0 ||
    ["systemInstruction", "tools", "toolConfig"].some((name) => name in own.whole) ||
    (!where.count && [version.params, version.defaults].some((params) => "tool_choice" in params)) ||
    (forced !== null && where.resource !== null && forced !== where.resource.model);
  return clashes ? { refused: "cachedContent" } : null;
}

function placeSystem(out: JsonObject, caller: JsonObject, version: Rendered, own: Own): Refused | null {
  const { system, placement } = version;
  if (system === null || "systemInstruction" in own.whole) return null;
  const keys = keysOf(caller, "systemInstruction");
  for (const key of keys.length === 0 ? ["systemInstruction"] : keys) {
    const given = caller[key] ?? null;
    if (given === null || given === "") out[key] = { parts: [{ text: system }] };
    else if (typeof given === "string") {
      const parts = placeParts([{ text: given }], { text: system }, placement);
      if (placement !== "if_absent") out[key] = { parts };
    } else if (isPlain(given)) {
      const { parts = null } = given;
      if (parts !== null && typeof parts !== "object") return { refused: "systemInstruction" };
      const isEmpty = parts === null || (Array.isArray(parts) && parts.length === 0);
      if (!isEmpty && placement === "if_absent") continue;
      const before = parts === null ? [] : Array.isArray(parts) ? parts : [parts];
      out[key] = { ...given, parts: placeParts(before, { text: system }, placement) };
    } else return { refused: "systemInstruction" };
  }
  return null;
}

function placeParts(caller: Json[], ours: JsonObject, placement: Rendered["placement"]): Json[] {
  if (placement === "replace") return [ours];
  return placement === "append" ? [...caller, ours] : [ours, ...caller];
}

function placeTools(out: JsonObject, caller: JsonObject, version: Rendered, own: Own): Refused | null {
  if (version.tools.length === 0 || "tools" in own.whole) return null;
  const given = caller["tools"] ?? [];
  if (typeof given !== "object") return { refused: "tools" };
  const functions = version.tools.filter(({ type }) => type === undefined);
  const declarations = functions.map(({ name, description, parameters }): JsonObject => ({
    name: name!,
    ...(description === undefined ? {} : { description }),
    parametersJsonSchema: parameters!,
  }));
  const typed = version.tools.filter(({ type }) => type !== undefined);
  const callers = structuredClone(Array.isArray(given) ? given : [given]);
  const host = declarations.length === 0 ? undefined : callers.find((tool) => listKeys(tool).length > 0);
  const names = functions.map(({ name }) => name);
  const kept = callers.filter((tool) => {
    if (!isPlain(tool)) return true;
    const dropped = typed.flatMap(({ type }) => keysOf(tool, camel(String(type))));
    for (const key of listKeys(tool)) {
      const list = tool[key] as Json[] | JsonObject;
      const all = Array.isArray(list) ? list : [list];
      const others = all.filter((one) => !isPlain(one) || !names.includes(one["name"]));
      if (tool === host) tool[key] = [...declarations, ...others];
      else if (all.length > 0 && others.length === 0) dropped.push(key);
      else if (Array.isArray(list)) tool[key] = others;
    }
    const isLeft = dropped.length === 0 || Object.keys(tool).length > dropped.length;
    for (const key of dropped) delete tool[key];
    return isLeft;
  });
  const declare =
    declarations.length > 0 && host === undefined ? [{ functionDeclarations: declarations }] : [];
  const ours = [...declare, ...typed.map(({ type, ...about }) => ({ [String(type)]: about }))];
  const isAlone = !Array.isArray(given) && ours.length === 0;
  out["tools"] = isAlone ? kept[0]! : [...ours, ...kept];
  return null;
}

function listKeys(tool: Json): string[] {
  if (!isPlain(tool)) return [];
  return keysOf(tool, "functionDeclarations").filter(
    (key) => typeof tool[key] === "object" && tool[key] !== null,
  );
}

function placeContents(out: JsonObject, caller: JsonObject, { examples }: Rendered): Refused | null {
  const contents = caller["contents"] ?? null;
  const ours = examples.map(({ role, content }) => ({
    role: role === "user" ? "user" : "model",
    parts: typeof content === "string" ? [{ text: content }] : content.map(writePart),
  }));
  if (contents === null && ours.length === 0) return { refused: "contents" };
  if (contents !== null && typeof contents !== "object") return { refused: "contents" };
  if (ours.length > 0)
    out["contents"] = [
      ...ours,
      ...(contents === null ? [] : Array.isArray(contents) ? contents : [contents]),
    ];
  return null;
}

type Part = MediaPart | { kind: "text"; text: string };

function isUnsayable(part: Part): boolean {
  return part.kind !== "text" && writeMedia(part.sent) === null;
}

function writePart(part: Part): JsonObject {
  return part.kind === "text" ? { text: part.text } : writeMedia(part.sent)!;
}

function writeMedia({ image_url: image, file_url: file, file_data: data }: JsonObject): JsonObject | null {
  const url = image ?? file;
  const [head = "", base64] = String(image ?? data ?? "").split(";base64,");
  if (base64 !== undefined) return { inlineData: { mimeType: head.slice(5), data: base64 } };
  return url === undefined ? null : { fileData: { fileUri: url } };
}
