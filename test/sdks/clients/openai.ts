// The official OpenAI SDK, in the four majors that are in use: their abort, retry and error classes differ. Each is
// asked through Chat Completions and through Responses.

import * as v4 from "openai-v4";
import * as v5 from "openai-v5";
import * as v6 from "openai-v6";
import * as v7 from "openai-v7";
import { PIXEL } from "../provider/stand-in.ts";
import {
  type Call,
  type CallName,
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

type Sdk = typeof v7;
type OpenAI = InstanceType<Sdk["OpenAI"]>;

/** The majors differ in what is not called here. */
const SDKS = { v4, v5, v6, v7 } as unknown as Record<"v4" | "v5" | "v6" | "v7", Sdk>;

const model = MODEL.openai;
const messages = [{ role: "user" as const, content: QUESTION }];
const chatTool = {
  type: "function" as const,
  function: { name: WEATHER.name, parameters: { ...WEATHER.schema }, strict: true },
};
const responseTool = {
  type: "function" as const,
  name: WEATHER.name,
  parameters: { ...WEATHER.schema },
  strict: true,
};
const chatFormat = {
  type: "json_schema" as const,
  json_schema: { name: "city", schema: { ...CITY_SCHEMA }, strict: true },
};
const image = `data:image/png;base64,${PIXEL}`;

function connect(sdk: Sdk, site: Site, options: Options): OpenAI {
  return new sdk.OpenAI({
    baseURL: `${site}/v1`,
    apiKey: options.key ?? KEY.openai,
    maxRetries: options.retries,
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
    ...(options.headers !== undefined && { defaultHeaders: options.headers }),
  });
}

function withSignal({ signal }: Options): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

type Made = (openai: OpenAI, options: Options) => Promise<unknown>;

const CHAT: Record<"chat" | "stream" | "tools" | "structured" | "imageInput", Made> = {
  chat: (openai, options) => openai.chat.completions.create({ model, messages }, withSignal(options)),
  stream: async (openai) =>
    collect(
      await openai.chat.completions.create({
        model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  async tools(openai) {
    const asked = await openai.chat.completions.create({ model, messages, tools: [chatTool] });
    const [call] = asked.choices[0]!.message.tool_calls!;
    const streaming = helpersOf(openai).stream({ model, messages, tools: [chatTool] });
    const streamed = await streaming.finalChatCompletion();
    const result = { role: "tool" as const, tool_call_id: call!.id, content: "-4" };
    const answered = await openai.chat.completions.create({
      model,
      messages: [...messages, asked.choices[0]!.message, result],
      tools: [chatTool],
    });
    return { asked, streamed, answered };
  },
  structured: (openai) => helpersOf(openai).parse({ model, messages, response_format: chatFormat }),
  imageInput: (openai) => {
    const content = [
      { type: "text" as const, text: QUESTION },
      { type: "image_url" as const, image_url: { url: image } },
    ];
    return openai.chat.completions.create({ model, messages: [{ role: "user", content }] });
  },
};

/** v4 keeps `parse` and `stream` under `beta`. */
function helpersOf(openai: OpenAI): OpenAI["chat"]["completions"] {
  const { beta } = openai as unknown as { beta: { chat?: OpenAI["chat"] } };
  return beta.chat?.completions ?? openai.chat.completions;
}

const RESPONSES: typeof CHAT = {
  chat: (openai, options) => openai.responses.create({ model, input: QUESTION }, withSignal(options)),
  stream: async (openai) => collect(await openai.responses.create({ model, input: QUESTION, stream: true })),
  async tools(openai) {
    const asked = await openai.responses.create({ model, input: QUESTION, tools: [responseTool] });
    const call = asked.output[0] as {
      type: "function_call";
      call_id: string;
      name: string;
      arguments: string;
    };
    const streaming = openai.responses.stream({ model, input: QUESTION, tools: [responseTool] });
    const streamed = await streaming.finalResponse();
    const result = { type: "function_call_output" as const, call_id: call.call_id, output: "-4" };
    const input = [{ role: "user" as const, content: QUESTION }, call, result];
    const answered = await openai.responses.create({ model, input, tools: [responseTool] });
    return { asked, streamed, answered };
  },
  structured: (openai) => {
    const format = { type: "json_schema" as const, name: "city", schema: { ...CITY_SCHEMA }, strict: true };
    return openai.responses.parse({ model, input: QUESTION, text: { format } });
  },
  imageInput: (openai) => {
    const content = [{ type: "input_image" as const, image_url: image, detail: "auto" as const }];
    return openai.responses.create({ model, input: [{ role: "user", content }] });
  },
};

function others(sdk: Sdk): Record<Exclude<CallName, keyof typeof CHAT | "count">, Made> {
  const file = (name: string, type: string) => sdk.toFile(UPLOAD, name, { type });
  return {
    async imageOutput(openai) {
      const drawn = await openai.images.generate({ model: "gpt-image-2", prompt: "a dot" });
      const form = { model: "gpt-image-2", prompt: "a dot", image: await file("dot.png", "image/png") };
      return { drawn, edited: await openai.images.edit(form) };
    },
    embeddings: (openai) =>
      openai.embeddings.create({ model: "text-embedding-3-small", input: ["a", QUESTION] }),
    upload: async (openai) =>
      openai.files.create({
        purpose: "user_data",
        file: await file("d\u00e9.bin", "application/octet-stream"),
      }),
    transcribe: async (openai) =>
      openai.audio.transcriptions.create({
        model: "gpt-4o-transcribe",
        file: await file("a.mp3", "audio/mpeg"),
      }),
    async speech(openai) {
      const said = await openai.audio.speech.create({
        model: "gpt-4o-mini-tts",
        voice: "alloy",
        input: QUESTION,
      });
      return Buffer.from(await said.arrayBuffer()).toString("base64");
    },
    models: (openai) => collect(openai.models.list()),
  };
}

function row(major: keyof typeof SDKS, api: "Chat" | "Responses"): Client {
  const sdk = SDKS[major];
  const isChat = api === "Chat";
  const bind =
    (made: Made): Call =>
    (site, options) =>
      made(connect(sdk, site, options), options);
  const turns = isChat ? CHAT : RESPONSES;
  const countTokens = bind((openai) => openai.responses.inputTokens.count({ model, input: QUESTION }));
  const count = major === "v4" || major === "v5" ? { absent: "not in this version" } : countTokens;
  const calls = Object.fromEntries(
    Object.entries({ ...turns, ...(isChat && others(sdk)) }).map(([name, made]) => [name, bind(made)]),
  ) as Client["calls"];
  for (const name of isChat ? [] : (Object.keys(others(sdk)) as CallName[])) {
    calls[name] = { absent: "as under Chat" };
  }
  const streamed = (openai: OpenAI, options: Options): Promise<AsyncIterable<unknown>> =>
    isChat
      ? openai.chat.completions.create({ model, messages, stream: true }, withSignal(options))
      : openai.responses.create({ model, input: QUESTION, stream: true }, withSignal(options));
  return {
    name: `openai ${major} ${api}`,
    package: `openai-${major}`,
    provider: "openai",
    standIn: isChat ? "openai" : "openaiResponses",
    baseUrl: "`baseURL: …/openai/v1`",
    place: isChat ? "messages" : "instructions",
    calls: { ...calls, count: isChat ? { absent: "no endpoint" } : count },
    readOn: async (site, options, seen) =>
      readPastFirst(await streamed(connect(sdk, site, options), options), seen),
    async headersOf(site, options) {
      const openai = connect(sdk, site, options);
      const asked = isChat
        ? openai.chat.completions.create({ model, messages })
        : openai.responses.create({ model, input: QUESTION });
      const { response } = await (
        asked as { withResponse(): Promise<{ response: { headers: unknown } }> }
      ).withResponse();
      return new Headers([...(response.headers as Iterable<[string, string]>)]);
    },
    obeys: { "retry-after": true, "x-should-retry": true },
    raises: (status) => RAISED[status] ?? (status < 500 ? "APIError" : "InternalServerError"),
  };
}

/** Anthropic's SDK is made from the same template. */
export const RAISED: { [status: number]: string } = {
  400: "BadRequestError",
  401: "AuthenticationError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  409: "ConflictError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
};

export const OPENAI_CLIENTS: Client[] = (Object.keys(SDKS) as (keyof typeof SDKS)[]).flatMap((major) => [
  row(major, "Chat"),
  row(major, "Responses"),
]);
