// The official Anthropic SDK.

import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { PIXEL } from "../provider/stand-in.ts";
import {
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
import { RAISED } from "./openai.ts";

const turn = {
  model: MODEL.anthropic,
  max_tokens: 64,
  messages: [{ role: "user" as const, content: QUESTION }],
};
const tools = [{ name: WEATHER.name, input_schema: { ...WEATHER.schema, required: ["city"] } }];

function connect(site: Site, options: Options): Anthropic {
  return new Anthropic({
    baseURL: site,
    apiKey: options.key ?? KEY.anthropic,
    maxRetries: options.retries,
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
    ...(options.headers !== undefined && { defaultHeaders: options.headers }),
  });
}

function withSignal({ signal }: Options): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

const ANTHROPIC_RAISED: { [status: number]: string } = { ...RAISED, 529: "OverloadedError" };

const ANTHROPIC: Client = {
  name: "Anthropic",
  package: "@anthropic-ai/sdk",
  provider: "anthropic",
  standIn: "anthropic",
  baseUrl: "`baseURL: …/anthropic` (no `/v1`)",
  place: "system",
  calls: {
    chat: (site, options) => connect(site, options).messages.create(turn, withSignal(options)),
    stream: async (site, options) =>
      collect(await connect(site, options).messages.create({ ...turn, stream: true })),
    async tools(site, options) {
      const client = connect(site, options);
      const asked = await client.messages.create({ ...turn, tools });
      const streamed = await client.messages.stream({ ...turn, tools }).finalMessage();
      const [use] = asked.content as Anthropic.ToolUseBlock[];
      const result = { type: "tool_result" as const, tool_use_id: use!.id, content: "-4" };
      const answered = await client.messages.create({
        ...turn,
        tools,
        messages: [
          ...turn.messages,
          { role: "assistant", content: asked.content },
          { role: "user", content: [result] },
        ],
      });
      return { asked, streamed, answered };
    },
    structured: (site, options) =>
      connect(site, options).messages.parse({
        ...turn,
        output_config: { format: { type: "json_schema", schema: { ...CITY_SCHEMA } } },
      }),
    imageInput(site, options) {
      const source = { type: "base64" as const, media_type: "image/png" as const, data: PIXEL };
      const content = [
        { type: "image" as const, source },
        { type: "text" as const, text: QUESTION },
      ];
      return connect(site, options).messages.create({ ...turn, messages: [{ role: "user", content }] });
    },
    imageOutput: { absent: "no endpoint" },
    embeddings: { absent: "no endpoint" },
    upload: async (site, options) =>
      connect(site, options).beta.files.upload({
        file: await toFile(UPLOAD, "d.pdf", { type: "application/pdf" }),
        betas: ["files-api-2025-04-14"],
      }),
    transcribe: { absent: "no endpoint" },
    speech: { absent: "no endpoint" },
    models: async (site, options) => collect(connect(site, options).models.list()),
    count: (site, options) =>
      connect(site, options).messages.countTokens({ model: turn.model, messages: turn.messages }),
  },
  readOn: async (site, options, seen) =>
    readPastFirst(
      await connect(site, options).messages.create({ ...turn, stream: true }, withSignal(options)),
      seen,
    ),
  async headersOf(site, options) {
    const { response } = await connect(site, options).messages.create(turn).withResponse();
    return response.headers;
  },
  obeys: { "retry-after": true, "x-should-retry": true },
  raises: (status) => ANTHROPIC_RAISED[status] ?? (status < 500 ? "APIError" : "InternalServerError"),
};

export const ANTHROPIC_CLIENTS: Client[] = [ANTHROPIC];
