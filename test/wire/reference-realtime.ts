// A session of OpenAI's Realtime in the reference, written apart from src/wire.

import type { Json, JsonObject } from "../../src/core/types.ts";
import type { FormatId } from "../../src/wire/wire.ts";
import { joinText, type Placed, type Refused, type Write } from "./reference.ts";

const PLACES: { [name: string]: { now?: string; beta?: string } } = {
  temperature: { beta: "temperature" },
  max_output_tokens: { now: "max_output_tokens", beta: "max_response_output_tokens" },
  reasoning_effort: { now: "reasoning.effort" },
  parallel_tool_calls: { now: "parallel_tool_calls" },
  tool_choice: { now: "tool_choice", beta: "tool_choice" },
};

export function realtimeWrites(name: string, value: Json, format: FormatId): Write[] {
  const path = PLACES[name]?.[format === "openai-realtime" ? "now" : "beta"];
  if (path === undefined) return [];
  const isNamed = name === "tool_choice" && typeof value === "object";
  const sent: Json = isNamed ? { type: "function", ...(value as JsonObject) } : value;
  return [{ path, value: sent, others: [] }];
}

export function realtimeTool({ strict: _strict, ...tool }: JsonObject): JsonObject {
  return { type: "function", ...tool };
}

export function placeInSession(out: JsonObject, version: Placed, own: JsonObject): Refused | null {
  if (version.system === null || Object.hasOwn(own, "instructions")) return null;
  const caller = out["instructions"] ?? undefined;
  if (caller !== undefined && typeof caller !== "string") return { refused: "instructions" };
  out["instructions"] = joinText(caller, version.system, version.placement);
  return null;
}
