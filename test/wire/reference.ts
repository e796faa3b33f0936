// The injection as anybody would write it who may parse and rebuild the body: what the spliced bytes have to mean. Written
// apart from src/wire, from the contract, with tables of its own.

import type { MediaPart } from "../../src/core/content-parts.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { Json, JsonObject } from "../../src/core/types.ts";
import type { FormatId, Resource } from "../../src/wire/wire.ts";
import { placeInSession, realtimeTool, realtimeWrites } from "./reference-realtime.ts";
import {
  converseMedia,
  converseTool,
  converseWrites,
  isConverseCounted,
  placeInConverse,
} from "./reference-bedrock.ts";
import { injectGemini } from "./reference-gemini.ts";
import { injectRun } from "./reference-workers-ai.ts";

export type Refused = { refused: string };

export type Where = {
  format: FormatId;
  provider: string;
  count: boolean;
  modelInPath: boolean;
  asksUsage?: boolean;
  resource?: Resource | null;
};
/** `exact`: the others say something else, and only go. */
export type Write = { path: string; value: Json; others: string[]; exact?: true };

export function isPlain(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body that the provider should see, or the field that is at fault. `body` is not changed. */
export function injectReference(body: JsonObject, version: Rendered, where: Where): JsonObject | Refused {
  if (where.format === "workers-ai") return injectRun(body, version, where);
  if (where.format === "gemini") return injectGemini(body, version, { resource: null, ...where });
  const out = structuredClone(body);
  if (isPlain(out["prompt"])) delete out["prompt"];
  delete out["prompt_variables"];
  const own = ownParams(version, where);
  for (const member of ["messages", "input", "prompt", "prompt_variables", "stream"]) {
    if (Object.hasOwn(own, member)) return { refused: member };
  }
  const isConverse = where.format === "bedrock-converse";
  const isStrict = where.format === "anthropic-messages" || isConverse;
  const asked = version.responseFormat?.["type"] ?? "text";
  if (isSession(where.format) && asked !== "text") return { refused: "response_format" };
  if (asked === "json_object" && isStrict) return { refused: "response_format" };
  if (where.modelInPath) delete own["model"];
  const model = where.modelInPath ? null : (own["model"] ?? version.model);
  if (
    model === null &&
    !where.modelInPath &&
    typeof body["model"] === "string" &&
    body["model"].startsWith("prompt:")
  )
    return { refused: "model" };
  if (model !== null && !Object.hasOwn(own, "model")) out["model"] = model;
  writeSettings(out, body, version, own, where);
  if (where.asksUsage && where.format === "openai-chat" && !Object.hasOwn(own, "stream_options"))
    askForUsage(out);
  const list = isConverse ? "toolConfig.tools" : "tools";
  if (!Object.hasOwn(own, list.split(".")[0]!) && version.tools.length > 0) {
    if (isConverse && version.tools.some((tool) => tool["type"] !== undefined)) return { refused: "tools" };
    const caller = read(body, list) ?? [];
    if (!Array.isArray(caller)) return { refused: "tools" };
    const names = version.tools.map(nameOfTool);
    const others = caller.filter((tool) => !names.includes(nameOfTool(tool)));
    set(out, list, [...version.tools.map((tool) => writeTool(tool, where.format)), ...others]);
  }
  const examples = version.examples.map(({ role, content }): JsonObject => {
    if (typeof content === "string") return { role, content: isConverse ? [{ text: content }] : content };
    return { role, content: content.map((part) => writePart(part, where.format)) };
  });
  if (JSON.stringify(examples).includes(UNSAYABLE))
    return { refused: isSession(where.format) ? "" : "photo" };
  return placeText(out, body, { ...version, examples }, own, where) ?? out;
}

function askForUsage(out: JsonObject): void {
  const options = out["stream_options"] ?? {};
  const isOpen = isPlain(options) && (options["include_usage"] ?? null) === null;
  if (out["stream"] === true && isOpen) out["stream_options"] = { ...options, include_usage: true };
}

function isSession(format: FormatId): boolean {
  return format.startsWith("openai-realtime");
}

const UNSAYABLE = "(this format has no such part)";

export type Placed = Omit<Rendered, "examples"> & { examples: JsonObject[] };

function writePart(part: Placeable, format: FormatId): JsonObject {
  if (isSession(format)) return { [UNSAYABLE]: true };
  if (format === "bedrock-converse")
    return part.kind === "text" ? { text: part.text } : (converseMedia(part.sent) ?? { [UNSAYABLE]: true });
  if (part.kind === "text")
    return { type: format === "openai-responses" ? "input_text" : "text", text: part.text };
  if (format === "openai-responses") return part.sent;
  return (
    (format === "openai-chat" ? writeChatPart(part.sent) : writeClaudePart(part.sent)) ?? {
      [UNSAYABLE]: true,
    }
  );
}

type Placeable = MediaPart | { kind: "text"; text: string };

/** From what the caller sent, not from what was made of it. */
function writeChatPart(sent: JsonObject): JsonObject | null {
  const { type, image_url: url, detail, file_id: id, file_data: data, filename } = sent;
  if (type === "input_image") {
    if (url === undefined) return null;
    return { type: "image_url", image_url: detail === undefined ? { url } : { url, detail } };
  }
  if (id !== undefined) return { type: "file", file: { file_id: id } };
  if (data === undefined) return null;
  return { type: "file", file: filename === undefined ? { file_data: data } : { filename, file_data: data } };
}

function writeClaudePart(sent: JsonObject): JsonObject | null {
  const { type: kind, image_url: image, file_url: file, file_id: id, file_data: data, filename } = sent;
  const type = kind === "input_image" ? "image" : "document";
  const title = filename === undefined ? {} : { title: filename };
  if (id !== undefined) return { type, source: { type: "file", file_id: id }, ...title };
  const [head = "", base64] = String(image ?? data ?? "").split(";base64,");
  if (base64 !== undefined) {
    if (!["image/png", "application/pdf"].includes(head.slice(5))) return null;
    return { type, source: { type: "base64", media_type: head.slice(5), data: base64 }, ...title };
  }
  const url = image ?? file;
  return url === undefined ? null : { type, source: { type: "url", url }, ...title };
}

function ownParams({ providerParams }: Rendered, { format, provider, count }: Where): JsonObject {
  const short = format.replace(/^(anthropic|bedrock)-.*/, "$1").replace(/-beta$/, "");
  const merged = { ...providerParams[short], ...providerParams[format], ...providerParams[provider] };
  return Object.fromEntries(Object.entries(merged).filter(([name]) => !count || isCounted(name, format)));
}

function isCounted(name: string, format: FormatId): boolean {
  const responses = [
    "model",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "truncation",
  ];
  const anthropic = [
    "model",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
  ];
  if (format === "bedrock-converse") return isConverseCounted(name);
  return (format === "openai-responses" ? responses : anthropic).includes(name);
}

function writeSettings(
  out: JsonObject,
  body: JsonObject,
  version: Rendered,
  own: JsonObject,
  where: Where,
): void {
  const forced = Object.entries(version.params).flatMap(
    ([name, value]) => claudeSampling(name, version.params, where) ?? placesOf(name, value, where),
  );
  const format = version.responseFormat === null ? [] : formatWrites(version.responseFormat, where.format);
  const defaults = Object.entries(version.defaults)
    .filter(
      ([name]) =>
        !Object.hasOwn(version.params, name) || placesOf(name, version.params[name]!, where).length === 0,
    )
    .flatMap(([name, value]) => claudeSampling(name, version.defaults, where) ?? placesOf(name, value, where))
    .filter(({ path }) => !forced.some(({ others }) => others.includes(path)));
  const touched = (write: Write) =>
    [write.path, ...write.others].some((path) => Object.hasOwn(own, path.split(".")[0]!));
  for (const write of [...forced, ...format, ...defaults]) {
    const paths = [write.path, ...write.others];
    if (touched(write)) {
      for (const path of paths) if (!Object.hasOwn(own, path.split(".")[0]!)) remove(out, path);
      continue;
    }
    if (where.count && !isCounted(write.path.split(".")[0]!, where.format)) continue;
    const present = paths.filter((path) => read(body, path) !== undefined);
    if (defaults.includes(write)) {
      const [container = "", inner] = write.path.split(".");
      const isOther =
        inner !== undefined &&
        body[container] !== undefined &&
        body[container] !== null &&
        !isPlain(body[container]);
      if (present.length === 0 && !isOther) set(out, write.path, write.value);
      continue;
    }
    const chosen = write.exact ? write.path : (present[0] ?? write.path);
    for (const path of paths) if (path !== chosen) remove(out, path);
    set(out, chosen, write.value);
  }
  Object.assign(out, own);
}

/** Claude takes a temperature or a top_p: what is said of one alone takes out the other. null: anything else. */
function claudeSampling(name: string, bag: JsonObject, { format }: Where): Write[] | null {
  const rivals: { [name: string]: string } = { temperature: "top_p", top_p: "temperature" };
  const rival = rivals[name];
  if (format !== "anthropic-messages" || rival === undefined || Object.hasOwn(bag, rival)) return null;
  return [{ path: name, value: bag[name]!, others: [rival], exact: true }];
}

/** Where a neutral parameter goes; nothing where the format lacks it. */
function placesOf(name: string, value: Json, { format, provider }: Where): Write[] {
  const to = (path: string, sent: Json = value, ...others: string[]): Write[] => [
    { path, value: sent, others },
  ];
  if (format === "bedrock-converse") return converseWrites(name, value);
  if (isSession(format)) return realtimeWrites(name, value, format);
  const isChat = format === "openai-chat";
  const isClaude = format === "anthropic-messages";
  switch (name) {
    case "temperature":
    case "top_p":
      return to(name);
    case "top_k":
      return isClaude ? to(name) : [];
    case "max_output_tokens":
      if (isClaude) return to("max_tokens");
      if (!isChat) return to(name);
      return ["openai", "azure"].includes(provider)
        ? to("max_completion_tokens", value, "max_tokens")
        : to("max_tokens", value, "max_completion_tokens");
    case "stop":
      return isClaude ? to("stop_sequences") : isChat ? to(name) : [];
    case "seed":
    case "logprobs":
    case "frequency_penalty":
    case "presence_penalty":
      return isChat ? to(name) : [];
    case "top_logprobs":
    case "parallel_tool_calls":
    case "service_tier":
      return isClaude ? [] : to(name);
    case "reasoning_effort":
      if (isChat) return to(name, value, "reasoning.effort");
      if (!isClaude) return to("reasoning.effort");
      return value === "none" ? [] : to("output_config.effort", value === "minimal" ? "low" : value);
    case "verbosity":
      return isClaude ? [] : to(isChat ? name : "text.verbosity");
    case "tool_choice":
      return to(name, writeChoice(value, format));
    default:
      return [];
  }
}

function writeChoice(choice: Json, format: FormatId): Json {
  if (isPlain(choice)) {
    if (format === "openai-chat") return { type: "function", function: choice };
    return { type: format === "anthropic-messages" ? "tool" : "function", ...choice };
  }
  if (format !== "anthropic-messages") return choice;
  return { type: choice === "required" ? "any" : choice };
}

function formatWrites(given: JsonObject, format: FormatId): Write[] {
  const { type, ...rest } = given;
  const isSchema = type === "json_schema";
  if (format === "openai-chat")
    return [{ path: "response_format", value: isSchema ? { type, json_schema: rest } : given, others: [] }];
  if (format === "openai-responses") return [{ path: "text.format", value: given, others: [] }];
  if (!isSchema) return [];
  if (format === "bedrock-converse") {
    const jsonSchema = { name: given["name"]!, schema: JSON.stringify(given["schema"]) };
    return [{ path: "outputConfig.textFormat", value: { type, structure: { jsonSchema } }, others: [] }];
  }
  const value = { type, schema: given["schema"]! };
  return [{ path: "output_config.format", value, others: ["output_format"] }];
}

function writeTool(tool: JsonObject, format: FormatId): JsonObject {
  if (tool["type"] !== undefined) return tool;
  if (format === "openai-chat") return { type: "function", function: tool };
  if (format === "openai-responses") return { type: "function", strict: false, ...tool };
  if (isSession(format)) return realtimeTool(tool);
  if (format === "bedrock-converse") return converseTool(tool);
  const { parameters, ...rest } = tool;
  return { ...rest, input_schema: parameters! };
}

function nameOfTool(tool: Json): Json | undefined {
  if (!isPlain(tool)) return undefined;
  const inner = isPlain(tool["function"])
    ? tool["function"]
    : isPlain(tool["custom"])
      ? tool["custom"]
      : isPlain(tool["toolSpec"])
        ? tool["toolSpec"]
        : tool;
  return inner["name"] ?? tool["name"] ?? tool["type"];
}

function read(body: JsonObject, path: string): Json | undefined {
  const [name = "", inner] = path.split(".");
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (inner === undefined) return value;
  return isPlain(value) && Object.hasOwn(value, inner) ? value[inner] : undefined;
}

function set(body: JsonObject, path: string, value: Json): void {
  const [name = "", inner] = path.split(".");
  if (inner === undefined) body[name] = value;
  else body[name] = { ...(isPlain(body[name]) ? body[name] : {}), [inner]: value };
}

function remove(body: JsonObject, path: string): void {
  const [name = "", inner] = path.split(".");
  if (inner === undefined) delete body[name];
  else if (isPlain(body[name])) delete body[name][inner];
}

function placeText(
  out: JsonObject,
  body: JsonObject,
  version: Placed,
  own: JsonObject,
  where: Where,
): Refused | null {
  switch (where.format) {
    case "openai-chat":
      return placeInMessages(out, version);
    case "openai-responses":
      return placeInInstructions(out, body, version, own);
    case "openai-realtime":
    case "openai-realtime-beta":
      return placeInSession(out, version, own);
    case "bedrock-converse":
      return placeInConverse(out, version, own);
    default:
      return placeInSystem(out, version, own);
  }
}

function isInstruction(message: Json): boolean {
  return isPlain(message) && (message["role"] === "system" || message["role"] === "developer");
}

function leadingCount(messages: Json[]): number {
  const end = messages.findIndex((message) => !isInstruction(message));
  return end < 0 ? messages.length : end;
}

function placeInMessages(out: JsonObject, { system, examples, placement }: Placed): Refused | null {
  if ((out["messages"] ?? null) === null && (system !== null || examples.length > 0)) out["messages"] = [];
  const { messages } = out;
  if (!Array.isArray(messages)) return { refused: "messages" };
  const [first = null] = messages;
  const role = isPlain(first) && first["role"] === "developer" ? "developer" : "system";
  const ours: Json[] = system === null ? [] : [{ role, content: system }];
  const leading = messages.slice(0, leadingCount(messages));
  const rest = messages.slice(leading.length);
  if (system === null || placement === "append")
    out["messages"] = [...leading, ...ours, ...examples, ...rest];
  else if (placement === "prepend") out["messages"] = [...ours, ...leading, ...examples, ...rest];
  else if (placement === "replace")
    out["messages"] = [...ours, ...examples, ...messages.filter((message) => !isInstruction(message))];
  else out["messages"] = [...(messages.some(isInstruction) ? [] : ours), ...leading, ...examples, ...rest];
  return null;
}

export function joinText(caller: string | undefined, ours: string, placement: Rendered["placement"]): string {
  if (caller === undefined || caller === "" || placement === "replace") return ours;
  if (placement === "if_absent") return caller;
  return placement === "prepend" ? `${ours}\n\n${caller}` : `${caller}\n\n${ours}`;
}

function placeInInstructions(
  out: JsonObject,
  body: JsonObject,
  version: Placed,
  own: JsonObject,
): Refused | null {
  const { system, placement } = version;
  const { input = null } = body;
  const items = Array.isArray(input) ? input : [];
  if (
    system !== null &&
    !Object.hasOwn(own, "instructions") &&
    !(placement === "if_absent" && items.some(isInstruction))
  ) {
    const caller = body["instructions"] ?? undefined;
    if (caller !== undefined && typeof caller !== "string") return { refused: "instructions" };
    out["instructions"] = joinText(caller, system, placement);
  }
  const isThreaded = (body["previous_response_id"] ?? body["conversation"] ?? null) !== null;
  const examples = isThreaded ? [] : version.examples;
  if (typeof input === "string") {
    if (examples.length > 0) out["input"] = [...examples, { role: "user", content: input }];
  } else if (input === null) {
    if (examples.length > 0) out["input"] = examples;
  } else if (Array.isArray(input)) {
    const leading = leadingCount(input);
    const placed = [...input.slice(0, leading), ...examples, ...input.slice(leading)];
    out["input"] =
      system !== null && placement === "replace" ? placed.filter((item) => !isInstruction(item)) : placed;
  } else {
    return { refused: "input" };
  }
  return null;
}

function placeInSystem(out: JsonObject, version: Placed, own: JsonObject): Refused | null {
  if ((out["messages"] ?? null) === null && version.examples.length > 0) out["messages"] = [];
  const { messages, system: caller = null } = out;
  const { system, placement, examples } = version;
  if (system !== null && !Object.hasOwn(own, "system")) {
    const block = { type: "text", text: system };
    if (caller === null || typeof caller === "string") {
      out["system"] = joinText(caller ?? undefined, system, placement);
    } else if (!Array.isArray(caller)) return { refused: "system" };
    else if (placement === "replace") out["system"] = [block];
    else if (placement === "append") out["system"] = [...caller, block];
    else if (placement === "prepend" || caller.length === 0) out["system"] = [block, ...caller];
  }
  if (!Array.isArray(messages)) return { refused: "messages" };
  out["messages"] = [...examples, ...messages];
  return null;
}
