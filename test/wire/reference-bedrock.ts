// Bedrock's Converse in the reference: its places, written apart from src/wire, after the service's own description.

import type { Json, JsonObject } from "../../src/core/types.ts";
import { isPlain, type Placed, type Refused, type Write } from "./reference.ts";

export function isConverseCounted(name: string): boolean {
  return name === "system" || name === "toolConfig" || name === "additionalModelRequestFields";
}

const INFERENCE: { [name: string]: string } = {
  temperature: "temperature",
  top_p: "topP",
  max_output_tokens: "maxTokens",
  stop: "stopSequences",
};

function at(path: string, value: Json): Write[] {
  return [{ path, value, others: [] }];
}

export function converseWrites(name: string, value: Json): Write[] {
  if (INFERENCE[name] !== undefined) return at(`inferenceConfig.${INFERENCE[name]}`, value);
  if (name === "service_tier" && value !== "auto") return at("serviceTier.type", value);
  if (name !== "tool_choice" || value === "none") return [];
  return at(
    "toolConfig.toolChoice",
    isPlain(value) ? { tool: value } : { [value === "auto" ? "auto" : "any"]: {} },
  );
}

export function converseTool({ name, description, parameters, strict }: JsonObject): JsonObject {
  const toolSpec: JsonObject = { name: name!, inputSchema: { json: parameters! } };
  if (description !== undefined) toolSpec["description"] = description;
  if (strict !== undefined) toolSpec["strict"] = strict;
  return { toolSpec };
}

/** From what the caller sent; null: only what comes as data of a known type can be said. */
export function converseMedia({
  type,
  image_url: image,
  file_data: file,
  filename,
}: JsonObject): JsonObject | null {
  const [head = "", bytes] = String(image ?? file ?? "").split(";base64,");
  if (bytes === undefined) return null;
  const [, format = ""] = head.slice("data:".length).split("/");
  const source = { bytes };
  if (type === "input_image") return format === "png" ? { image: { format, source } } : null;
  if (format !== "pdf" && format !== "csv") return null;
  const name = String(filename ?? "photo").replace(".", "-");
  return { document: { format, name, source } };
}

export function placeInConverse(out: JsonObject, version: Placed, own: JsonObject): Refused | null {
  const { system, placement, examples } = version;
  if (system !== null && !Object.hasOwn(own, "system")) {
    const caller = out["system"] ?? [];
    if (!Array.isArray(caller)) return { refused: "system" };
    const ours = { text: system };
    if (placement === "replace" || caller.length === 0) out["system"] = [ours];
    else if (placement === "append") out["system"] = [...caller, ours];
    else if (placement === "prepend") out["system"] = [ours, ...caller];
  }
  const messages = out["messages"] ?? (examples.length > 0 ? [] : null);
  if (!Array.isArray(messages)) return { refused: "messages" };
  out["messages"] = [...examples, ...messages];
  return null;
}
