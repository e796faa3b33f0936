// LangChain's OpenAI (both APIs) and Anthropic integrations. They retry by themselves, with pauses of their own, and
// never let the SDK below do so.

import { ChatAnthropic } from "@langchain/anthropic";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, DallEAPIWrapper, OpenAIEmbeddings } from "@langchain/openai";
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
  WEATHER,
} from "./client.ts";
import { RAISED } from "./openai.ts";

type Model = ChatOpenAI | ChatAnthropic;
type Connect = (site: Site, options: Options) => Model;

function openai(useResponsesApi: boolean): Connect {
  return (site, options) =>
    new ChatOpenAI({ ...openaiFields(site, options), model: MODEL.openai, useResponsesApi });
}

function openaiFields(site: Site, { key, retries, timeoutMs, headers }: Options) {
  return {
    apiKey: key ?? KEY.openai,
    maxRetries: retries,
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    configuration: { baseURL: `${site}/v1`, ...(headers !== undefined && { defaultHeaders: headers }) },
  };
}

function anthropic(site: Site, { key, retries, timeoutMs, headers }: Options): Model {
  return new ChatAnthropic({
    model: MODEL.anthropic,
    apiKey: key ?? KEY.anthropic,
    maxTokens: 64,
    maxRetries: retries,
    anthropicApiUrl: site,
    clientOptions: {
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      ...(headers !== undefined && { defaultHeaders: headers }),
    },
  });
}

/** An id of LangChain's own is made up anew for every run. */
function plain({ content, tool_calls, usage_metadata, response_metadata, id }: AIMessage): unknown {
  return { content, tool_calls, usage_metadata, response_metadata, id: id?.replace(/^run-.*/, "run") };
}

const weather = {
  type: "function" as const,
  function: { name: WEATHER.name, description: WEATHER.description, parameters: { ...WEATHER.schema } },
};

function calls(connect: Connect) {
  const question = new HumanMessage(QUESTION);
  return {
    async chat(site, options) {
      const { signal } = options;
      const limits = signal === undefined ? {} : { signal };
      return plain((await connect(site, options).invoke([question], limits)) as AIMessage);
    },
    async stream(site, options) {
      const chunks = await collect(await connect(site, options).stream([question]));
      return chunks.map((chunk) => plain(chunk as unknown as AIMessage));
    },
    async tools(site, options) {
      const model = connect(site, options).bindTools!([weather]);
      const asked = (await model.invoke([question])) as AIMessage;
      const [call] = asked.tool_calls!;
      const result = new ToolMessage({ content: "-4", tool_call_id: call!.id! });
      const answered = (await model.invoke([question, asked, result])) as AIMessage;
      return { asked: plain(asked), answered: plain(answered) };
    },
    structured: (site, options) =>
      connect(site, options)
        .withStructuredOutput({ title: "city", ...CITY_SCHEMA }, { method: "jsonSchema" })
        .invoke([question]),
    async imageInput(site, options) {
      const url = `data:image/png;base64,${PIXEL}`;
      const content = [
        { type: "text", text: QUESTION },
        { type: "image_url", image_url: { url } },
      ];
      return plain((await connect(site, options).invoke([new HumanMessage({ content })])) as AIMessage);
    },
  } satisfies Partial<Client["calls"]>;
}

const NONE: Absent = { absent: "not in this SDK" };
const ELSEWHERE: Absent = { absent: "as under LangChain OpenAI" };
const others = { upload: NONE, transcribe: NONE, speech: NONE, models: NONE, count: NONE };

function row(connect: Connect, parts: Omit<Client, "readOn" | "headersOf" | "obeys" | "raises">): Client {
  return {
    ...parts,
    async readOn(site, options, seen) {
      const { signal } = options;
      const limits = signal === undefined ? {} : { signal };
      return readPastFirst(await connect(site, options).stream(QUESTION, limits), seen);
    },
    headersOf: { absent: "the SDK shows none" },
    obeys: { "retry-after": true, "x-should-retry": false },
    raises: (status) => RAISED[status] ?? (status < 500 ? "APIError" : "InternalServerError"),
    insistsOn: [410],
  };
}

const OPENAI = row(openai(false), {
  name: "LangChain OpenAI",
  package: "@langchain/openai",
  provider: "openai",
  standIn: "openai",
  baseUrl: "`configuration: { baseURL: …/openai/v1 }`",
  place: "messages",
  calls: {
    ...others,
    ...calls(openai(false)),
    imageOutput: (site) => new DallEAPIWrapper({ apiKey: KEY.openai, baseUrl: `${site}/v1` }).invoke("a dot"),
    embeddings: (site, options) =>
      new OpenAIEmbeddings({
        ...openaiFields(site, options),
        model: "text-embedding-3-small",
      }).embedDocuments(["a", QUESTION]),
  },
});

const RESPONSES = row(openai(true), {
  name: "LangChain OpenAI Responses",
  package: "@langchain/openai",
  provider: "openai",
  standIn: "openaiResponses",
  baseUrl: "the same, with `useResponsesApi: true`",
  place: "instructions",
  calls: { ...others, ...calls(openai(true)), imageOutput: ELSEWHERE, embeddings: ELSEWHERE },
});

const ANTHROPIC = row(anthropic, {
  name: "LangChain Anthropic",
  package: "@langchain/anthropic",
  provider: "anthropic",
  standIn: "anthropic",
  baseUrl: "`anthropicApiUrl: …/anthropic` (no `/v1`)",
  place: "system",
  calls: { ...others, ...calls(anthropic), imageOutput: NONE, embeddings: NONE },
});

export const LANGCHAIN_CLIENTS: Client[] = [OPENAI, RESPONSES, ANTHROPIC];
