// Random rendered versions, and a plain one to start from.

import type { MediaPart, RenderedPart } from "../../src/core/content-parts.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { Json, JsonObject } from "../../src/core/types.ts";
import type { Random } from "./random.ts";

export function renderedWith(changes: Partial<Rendered> = {}): Rendered {
  return {
    system: null,
    examples: [],
    placement: "prepend",
    model: null,
    params: {},
    defaults: {},
    tools: [],
    responseFormat: null,
    providerParams: {},
    ...changes,
  };
}

const TEXTS = [
  "Be kind.",
  'Say "no".\nThen\\stop.',
  "日本語で答えて。",
  "\u2028\u2029\u0000",
  "half \ud83d",
  "{{not}} a tag",
];

const PARAMS: { [name: string]: Json[] } = {
  temperature: [0, 0.2],
  top_p: [1],
  top_k: [40],
  max_output_tokens: [1, 800],
  stop: [["END"]],
  seed: [7],
  frequency_penalty: [0.5],
  presence_penalty: [-0.5],
  reasoning_effort: ["none", "minimal", "high"],
  verbosity: ["low"],
  parallel_tool_calls: [false],
  tool_choice: ["auto", "required", "none", { name: "find" }],
  service_tier: ["flex"],
  logprobs: [true],
  top_logprobs: [3],
};

const TOOLS: JsonObject[] = [
  { name: "find", description: "Finds.", parameters: { type: "object", properties: {} } },
  { name: "send", parameters: { type: "object", properties: {} }, strict: true },
  { type: "web_search", filters: {} },
  { type: "googleSearch" },
];

const FORMATS: (JsonObject | null)[] = [
  null,
  null,
  { type: "json_schema", name: "answer", schema: { type: "object" }, strict: true },
  { type: "text" },
];

const OWN: JsonObject[] = [
  { temperature: 1, next_month: { deep: [1] } },
  { stream_options: { include_obfuscation: false } },
  { max_tokens: 5 },
  { max_completion_tokens: 6 },
  { reasoning: { effort: "max" } },
  { reasoning_effort: "max" },
  { text: { verbosity: "high" } },
  { output_config: { effort: "max" } },
  { system: [{ type: "text", text: "own" }] },
  { instructions: "own" },
  { tools: [{ type: "own" }] },
  { model: "anthropic.own" },
  { thinking: { type: "adaptive" } },
  { toolConfig: { tools: [] } },
  { inferenceConfig: { topK: 5 }, additionalModelRequestFields: { top_k: 5 } },
  { generation_config: { top_p: 0.1, thinkingConfig: { thinkingBudget: 5 } }, labels: { a: "b" } },
  { generationConfig: { responseSchema: { type: "STRING" } } },
  { system_instruction: { parts: [{ text: "own" }] } },
  { toolConfig: { functionCallingConfig: { mode: "NONE" } } },
  { cachedContent: "cachedContents/own" },
  { cached_content: null },
];

/** What variables put into a user's message, each with the part that it came as. */
export const MEDIA: { [name: string]: MediaPart } = {
  image: medium("image", { from: "url", url: "https://x.test/a.png" }, { image_url: "https://x.test/a.png" }),
  detailed: medium(
    "image",
    { from: "data", mediaType: "image/png", base64: "iVBOR" },
    { image_url: "data:image/png;base64,iVBOR", detail: "low" },
  ),
  imageId: medium("image", { from: "id", id: "file-1" }, { file_id: "file-1" }),
  pdf: medium(
    "file",
    { from: "data", mediaType: "application/pdf", base64: "JVBER" },
    { file_data: "data:application/pdf;base64,JVBER", filename: "a.pdf" },
  ),
  sheet: medium(
    "file",
    { from: "data", mediaType: "text/csv", base64: "YSxi" },
    { file_data: "data:text/csv;base64,YSxi", filename: "a.csv" },
  ),
  bare: medium("file", { from: "data", mediaType: null, base64: "YSxi" }, { file_data: "YSxi" }),
  fileUrl: medium("file", { from: "url", url: "https://x.test/a.pdf" }, { file_url: "https://x.test/a.pdf" }),
  fileId: medium("file", { from: "id", id: "file-2" }, { file_id: "file-2" }),
};

function medium(kind: "image" | "file", source: MediaPart["source"], sent: JsonObject): MediaPart {
  const { filename = null, detail = null } = sent;
  return {
    kind,
    variable: "photo",
    source,
    filename: filename as string | null,
    detail: detail as string | null,
    sent: { type: `input_${kind}`, ...sent },
  };
}

function randomContent(random: Random): string | RenderedPart[] {
  if (random.chance(0.8)) return random.pick(TEXTS);
  const texts = [{ kind: "text" as const, text: random.pick(TEXTS) }];
  const media = [MEDIA[random.pick(Object.keys(MEDIA))]!];
  return random.pick([media, [...texts, ...media], [...media, ...texts, ...media]]);
}

/** Versions repeat in a real isolate; the pool makes the settings cache part of what is tested. */
export function randomVersions(random: Random, count: number): Rendered[] {
  return Array.from({ length: count }, () => randomVersion(random));
}

function randomVersion(random: Random): Rendered {
  return {
    system: random.chance(0.8) ? random.pick(TEXTS) : null,
    examples: Array.from({ length: random.pick([0, 0, 1, 2]) }, (_, index) =>
      index % 2 === 0
        ? { role: "user" as const, content: randomContent(random) }
        : { role: "assistant" as const, content: random.pick(TEXTS) },
    ),
    placement: random.pick(["prepend", "append", "replace", "if_absent"]),
    model: random.chance(0.3) ? "anthropic.forced" : null,
    params: randomParams(random),
    defaults: randomParams(random),
    tools: random.chance(0.3) ? TOOLS.filter(() => random.chance(0.6)) : [],
    responseFormat: random.pick(FORMATS),
    providerParams: random.chance(0.4)
      ? {
          [random.pick([
            "openai",
            "anthropic",
            "openai-chat",
            "openai-responses",
            "anthropic-messages",
            "groq",
            "bedrock",
            "bedrock-converse",
            "gemini",
            "workers-ai",
          ])]: random.pick(OWN),
        }
      : {},
  };
}

function randomParams(random: Random): JsonObject {
  const params: JsonObject = {};
  for (const [name, values] of Object.entries(PARAMS)) {
    if (random.chance(0.15)) params[name] = random.pick(values);
  }
  return params;
}
