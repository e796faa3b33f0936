// Google's @google/genai, which asks `/v1` unless told otherwise, and told `v1beta`.

import { ApiError, GoogleGenAI } from "@google/genai";
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

const model = MODEL.gemini;
const ask = { model, contents: QUESTION };
const tools = [
  { functionDeclarations: [{ name: WEATHER.name, parametersJsonSchema: { ...WEATHER.schema } }] },
];

function connect(apiVersion: string | null, site: Site, options: Options): GoogleGenAI {
  return new GoogleGenAI({
    apiKey: options.key ?? KEY.gemini,
    ...(apiVersion !== null && { apiVersion }),
    httpOptions: {
      baseUrl: site,
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      ...(options.headers !== undefined && { headers: options.headers }),
      // It retries nothing by itself.
      ...(options.retries > 0 && {
        retryOptions: { attempts: options.retries + 1, initialDelay: 0.1, jitter: 0 },
      }),
    },
  });
}

function withSignal({ signal }: Options): { config?: { abortSignal: AbortSignal } } {
  return signal === undefined ? {} : { config: { abortSignal: signal } };
}

function row(name: string, apiVersion: string | null): Client {
  const models = (site: Site, options: Options) => connect(apiVersion, site, options).models;
  return {
    name,
    package: "@google/genai",
    provider: "gemini",
    standIn: "gemini",
    baseUrl: "`httpOptions: { baseUrl: …/gemini }` (no version)",
    place: "systemInstruction",
    calls: {
      chat: async (site, options) =>
        plain(await models(site, options).generateContent({ ...ask, ...withSignal(options) })),
      stream: async (site, options) =>
        (await collect(await models(site, options).generateContentStream(ask))).map(plain),
      async tools(site, options) {
        const asked = await models(site, options).generateContent({ ...ask, config: { tools } });
        const call = asked.functionCalls![0]!;
        const result = { functionResponse: { name: call.name!, response: { degrees: -4 } } };
        const answered = await models(site, options).generateContent({
          model,
          contents: [
            { role: "user", parts: [{ text: QUESTION }] },
            asked.candidates![0]!.content!,
            { role: "user", parts: [result] },
          ],
          config: { tools },
        });
        return { asked: plain(asked), answered: plain(answered) };
      },
      async structured(site, options) {
        const config = { responseMimeType: "application/json", responseJsonSchema: { ...CITY_SCHEMA } };
        return JSON.parse((await models(site, options).generateContent({ ...ask, config })).text ?? "");
      },
      async imageInput(site, options) {
        const parts = [{ inlineData: { mimeType: "image/png", data: PIXEL } }, { text: QUESTION }];
        const contents = [{ role: "user", parts }];
        return plain(await models(site, options).generateContent({ model, contents }));
      },
      async imageOutput(site, options) {
        const config = { responseModalities: ["IMAGE"] };
        return plain(await models(site, options).generateContent({ ...ask, config }));
      },
      embeddings: async (site, options) =>
        plain(
          await models(site, options).embedContent({
            model: "gemini-embedding-001",
            contents: ["a", QUESTION],
          }),
        ),
      upload: (site, options) =>
        connect(apiVersion, site, options).files.upload({
          file: new Blob([UPLOAD]),
          config: { mimeType: "text/plain" },
        }),
      transcribe: { absent: "no endpoint" },
      speech: { absent: "no endpoint" },
      models: async (site, options) => collect(await models(site, options).list()),
      count: async (site, options) => plain(await models(site, options).countTokens(ask)),
    },
    readOn: async (site, options, seen) =>
      readPastFirst(
        await models(site, options).generateContentStream({ ...ask, ...withSignal(options) }),
        seen,
      ),
    async headersOf(site, options) {
      const answer = await models(site, options).generateContent(ask);
      return new Headers(answer.sdkHttpResponse?.headers);
    },
    obeys: { "retry-after": false, "x-should-retry": false },
    raises: () => ApiError.name,
  };
}

/** Its answers carry the HTTP headers that they came with, which are judged at the taps. */
function plain(answer: { sdkHttpResponse?: unknown }): unknown {
  return { ...answer, sdkHttpResponse: undefined };
}

export const GEMINI_CLIENTS: Client[] = [row("Google GenAI", null), row("Google GenAI v1beta", "v1beta")];
