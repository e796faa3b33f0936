// Vercel's `ai` with its OpenAI, OpenAI-compatible, Anthropic and Google providers. What they call `baseURL` includes
// the API's version for every one of them, Anthropic and Google too.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  embedMany,
  generateImage,
  generateSpeech,
  generateText,
  jsonSchema,
  type LanguageModel,
  Output,
  stepCountIs,
  streamText,
  type TextStreamPart,
  tool,
  type ToolSet,
  transcribe,
  uploadFile,
} from "ai";
import { PIXEL } from "../provider/stand-in.ts";
import {
  type Absent,
  CITY_SCHEMA,
  type Client,
  collect,
  KEY,
  MODEL,
  type Options,
  QUESTION,
  readPastFirst,
  type Site,
  UPLOAD,
  WEATHER,
} from "./client.ts";

type Connect = (site: Site, options: Options) => LanguageModel;
type Settings = { baseURL: string; apiKey: string; headers?: Record<string, string> };

function settings(baseURL: string, provider: keyof typeof KEY, { key, headers }: Options): Settings {
  return { baseURL, apiKey: key ?? KEY[provider], ...(headers !== undefined && { headers }) };
}

const openai = (site: Site, options: Options) => createOpenAI(settings(`${site}/v1`, "openai", options));
const anthropic = (site: Site, options: Options) =>
  createAnthropic(settings(`${site}/v1`, "anthropic", options));
const google = (site: Site, options: Options) =>
  createGoogleGenerativeAI(settings(`${site}/v1beta`, "gemini", options));
const compatible = (site: Site, options: Options) =>
  createOpenAICompatible({
    ...settings(`${site}/v1`, "openai", options),
    name: "acme",
    includeUsage: true,
    supportsStructuredOutputs: true,
  });

const weather = tool({
  inputSchema: jsonSchema<{ city: string }>(WEATHER.schema as never),
  execute: () => "-4",
});

function limits({ retries, signal, timeoutMs }: Options) {
  return {
    maxRetries: retries,
    ...(signal !== undefined && { abortSignal: signal }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  };
}

/** What is read of an answer, whatever tools it was asked with. */
type Said = Pick<
  Awaited<ReturnType<typeof generateText>>,
  "text" | "finishReason" | "usage" | "providerMetadata" | "warnings"
> & {
  toolCalls: { toolName: string; input: unknown }[];
  toolResults: { output: unknown }[];
  response: { id: string; modelId: string };
};

function plain({
  text,
  finishReason,
  usage,
  toolCalls,
  toolResults,
  providerMetadata,
  warnings,
  response,
}: Said) {
  const { id, modelId } = response;
  const calls = toolCalls.map(({ toolName, input }) => ({ toolName, input }));
  const results = toolResults.map(({ output }) => output);
  return { text, finishReason, usage, calls, results, providerMetadata, warnings, id, modelId };
}

type Answer = { fullStream: AsyncIterable<TextStreamPart<ToolSet>> };

/** Yields the parts of a stream; an error among them is thrown, as an application would. */
async function* partsOf({ fullStream }: Answer): AsyncGenerator<unknown> {
  for await (const part of fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") yield part.text;
    else if (part.type === "tool-call") yield part.input;
    else if (part.type === "finish") yield { ended: part.finishReason, usage: part.totalUsage };
  }
}

const quiet = { onError: () => undefined };

function turns(connect: Connect) {
  const ask = (site: Site, options: Options) => ({ model: connect(site, options), ...limits(options) });
  return {
    async chat(site, options) {
      return plain(await generateText({ ...ask(site, options), prompt: QUESTION }));
    },
    stream: (site, options) =>
      collect(partsOf(streamText({ ...ask(site, options), ...quiet, prompt: QUESTION }))),
    async tools(site, options) {
      const loop = { tools: { weather }, stopWhen: stepCountIs(2), prompt: QUESTION };
      const said = await generateText({ ...ask(site, options), ...loop });
      const streamed = await collect(partsOf(streamText({ ...ask(site, options), ...loop, ...quiet })));
      return { steps: said.steps.map((step) => step.text), said: plain(said), streamed };
    },
    async structured(site, options) {
      const output = Output.object({ schema: jsonSchema<{ city: string }>(CITY_SCHEMA as never) });
      return (await generateText({ ...ask(site, options), output, prompt: QUESTION })).output;
    },
    async imageInput(site, options) {
      const content = [
        { type: "text" as const, text: QUESTION },
        { type: "file" as const, data: Buffer.from(PIXEL, "base64"), mediaType: "image/png" },
      ];
      return plain(await generateText({ ...ask(site, options), messages: [{ role: "user", content }] }));
    },
  } satisfies Partial<Client["calls"]>;
}

const NONE: Absent = { absent: "not in this SDK" };
const ELSEWHERE: Absent = { absent: "as under ai openai" };

function row(
  parts: Pick<Client, "name" | "package" | "provider" | "standIn" | "baseUrl" | "place"> & {
    connect: Connect;
  },
  calls: Partial<Client["calls"]>,
): Client {
  const { connect, ...rest } = parts;
  const none = { imageOutput: NONE, embeddings: NONE, upload: NONE, transcribe: NONE, speech: NONE };
  return {
    ...rest,
    calls: { ...none, models: NONE, count: NONE, ...turns(connect), ...calls },
    readOn: (site, options, seen) =>
      readPastFirst(
        partsOf(
          streamText({ model: connect(site, options), ...limits(options), ...quiet, prompt: QUESTION }),
        ),
        seen,
      ),
    async headersOf(site, options) {
      const { response } = await generateText({
        model: connect(site, options),
        ...limits(options),
        prompt: QUESTION,
      });
      return new Headers(response.headers);
    },
    obeys: { "retry-after": true, "x-should-retry": false },
    raises: () => "APICallError",
  };
}

const OPENAI = row(
  {
    name: "ai openai",
    package: "@ai-sdk/openai",
    provider: "openai",
    standIn: "openaiResponses",
    baseUrl: "`createOpenAI({ baseURL: …/openai/v1 })`: Responses",
    place: "instructions",
    connect: (site, options) => openai(site, options)(MODEL.openai),
  },
  {
    async imageOutput(site, options) {
      const drawn = await generateImage({
        model: openai(site, options).image("gpt-image-2"),
        prompt: "a dot",
        ...limits(options),
      });
      return drawn.images.map(({ base64 }) => base64);
    },
    async embeddings(site, options) {
      const model = openai(site, options).embedding("text-embedding-3-small");
      return (await embedMany({ model, values: ["a", QUESTION], ...limits(options) })).embeddings;
    },
    async upload(site, options) {
      const api = openai(site, options).files();
      return (await uploadFile({ api, data: UPLOAD, mediaType: "application/pdf" })).providerReference;
    },
    async transcribe(site, options) {
      const model = openai(site, options).transcription("gpt-4o-transcribe");
      return (await transcribe({ model, audio: UPLOAD, ...limits(options) })).text;
    },
    async speech(site, options) {
      const model = openai(site, options).speech("gpt-4o-mini-tts");
      return (await generateSpeech({ model, text: QUESTION, ...limits(options) })).audio.base64;
    },
  },
);

const OPENAI_CHAT = row(
  {
    name: "ai openai.chat",
    package: "@ai-sdk/openai",
    provider: "openai",
    standIn: "openai",
    baseUrl: "`createOpenAI({ baseURL: …/openai/v1 }).chat(…)`",
    place: "messages",
    connect: (site, options) => openai(site, options).chat(MODEL.openai),
  },
  {
    imageOutput: ELSEWHERE,
    embeddings: ELSEWHERE,
    upload: ELSEWHERE,
    transcribe: ELSEWHERE,
    speech: ELSEWHERE,
  },
);

const COMPATIBLE = row(
  {
    name: "ai openai-compatible",
    package: "@ai-sdk/openai-compatible",
    provider: "openai",
    standIn: "openai",
    baseUrl: "`createOpenAICompatible({ baseURL: …/{provider}/v1 })`",
    place: "messages",
    connect: (site, options) => compatible(site, options).chatModel(MODEL.openai),
  },
  {
    async imageOutput(site, options) {
      const model = compatible(site, options).imageModel("any");
      return (await generateImage({ model, prompt: "a dot", ...limits(options) })).image.base64;
    },
    async embeddings(site, options) {
      const model = compatible(site, options).embeddingModel("any");
      return (await embedMany({ model, values: ["a", QUESTION], ...limits(options) })).embeddings;
    },
  },
);

const ANTHROPIC = row(
  {
    name: "ai anthropic",
    package: "@ai-sdk/anthropic",
    provider: "anthropic",
    standIn: "anthropic",
    baseUrl: "`createAnthropic({ baseURL: …/anthropic/v1 })` (with `/v1`)",
    place: "system",
    connect: (site, options) => anthropic(site, options)(MODEL.anthropic),
  },
  {
    async upload(site, options) {
      const api = anthropic(site, options).files();
      return (await uploadFile({ api, data: UPLOAD, mediaType: "application/pdf" })).providerReference;
    },
  },
);

const GOOGLE = row(
  {
    name: "ai google",
    package: "@ai-sdk/google",
    provider: "gemini",
    standIn: "gemini",
    baseUrl: "`createGoogleGenerativeAI({ baseURL: …/gemini/v1beta })` (with the version)",
    place: "systemInstruction",
    connect: (site, options) => google(site, options)(MODEL.gemini),
  },
  {
    async imageOutput(site, options) {
      const model = google(site, options).image("gemini-3.1-flash-image");
      return (await generateImage({ model, prompt: "a dot", ...limits(options) })).image.base64;
    },
    async embeddings(site, options) {
      const model = google(site, options).embedding("gemini-embedding-001");
      return (await embedMany({ model, values: ["a", QUESTION], ...limits(options) })).embeddings;
    },
    async upload(site, options) {
      const api = google(site, options).files();
      return (await uploadFile({ api, data: UPLOAD, mediaType: "application/pdf" })).providerReference;
    },
  },
);

export const AI_CLIENTS: Client[] = [OPENAI, OPENAI_CHAT, COMPATIBLE, ANTHROPIC, GOOGLE];
