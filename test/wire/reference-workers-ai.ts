// The injection into bodies of Workers AI's run endpoint: what the body holds says whose rules it follows.

import type { Rendered } from "../../src/core/rendered.ts";
import type { JsonObject } from "../../src/core/types.ts";
import { injectReference, isPlain, type Refused, type Where } from "./reference.ts";

export function kindOfRun(body: JsonObject): "chat" | "responses" | "text" | null {
  const { messages, input, prompt, prompt_variables: variables = null } = body;
  if (messages !== undefined) return "chat";
  if (typeof input === "string" || Array.isArray(input)) return "responses";
  if (typeof prompt === "string") return "text";
  return isPlain(prompt) || variables !== null ? "chat" : null;
}

export function injectRun(body: JsonObject, version: Rendered, where: Where): JsonObject | Refused {
  const kind = kindOfRun(body);
  if (kind === null) return body;
  if (kind === "text") return { refused: "prompt" };
  if (kind === "responses") return injectReference(body, version, { ...where, format: "openai-responses" });
  const { "workers-ai": own = {}, ...others } = version.providerParams;
  const providerParams = { [where.provider]: others[where.provider] ?? {}, "openai-chat": own };
  const out = injectReference(
    body,
    { ...version, providerParams },
    { ...where, format: "openai-chat", asksUsage: false },
  );
  if ("refused" in out) return out;
  const isOwned = (name: string) =>
    Object.values(providerParams).some((params) => Object.hasOwn(params, name));
  const { top_k: forced, top_k: topK = version.defaults["top_k"] } = version.params;
  const isDue = forced !== undefined || (topK !== undefined && body["top_k"] === undefined);
  if (isDue && !isOwned("top_k")) out["top_k"] = topK!;
  const format = version.responseFormat;
  if (format?.["type"] === "json_schema" && !isOwned("response_format"))
    out["response_format"] = { type: "json_schema", json_schema: format["schema"]! };
  return out;
}
