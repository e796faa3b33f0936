// What the data plane would send upstream, without sending it: the same scan, render and splice, over a body that the
// caller gives or a minimal one. The formats are those of the wire room, so that this cannot show something else.

import type { ControlPort } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { makerOf } from "../core/providers.ts";
import { renderVersion } from "../core/render.ts";
import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import type { JsonObject } from "../core/types.ts";
import { matchEndpoint } from "../wire/formats.ts";
import { replaceModel } from "../wire/model-path.ts";
import type { Endpoint, Scan } from "../wire/wire.ts";

export type RenderInput = {
  version?: number | undefined;
  variables: Record<string, unknown>;
  provider: string;
  path?: string | undefined;
  body?: Record<string, unknown> | undefined;
  environment: string;
  /** Whether the data plane asks for the usage of a stream. */
  asksUsage: boolean;
};

export type Rendering = {
  prompt: string;
  version: number;
  provider: string;
  path: string;
  /** What would be sent, parsed, and byte for byte. */
  body: unknown;
  text: string;
};

/** Stands for the caller's own model and question where the caller sent no body. */
const CALLER_MODEL = "the-callers-model";
const CALLER_TEXT = "Hello";

export async function renderRequest(control: ControlPort, input: RenderInput): Promise<Rendering | Problem> {
  const { provider, environment, asksUsage } = input;
  const path = input.path ?? defaultPath(provider, input.body);
  const endpoint = matchEndpoint(provider, path.replace(/\?.*$/s, ""));
  if (endpoint === null) {
    const detail = `No prompt is put into ${path} of ${provider}; give the path of an endpoint that creates turns.`;
    return problem("invalid_request", detail, { field: "path" });
  }
  const scan = endpoint.format.scan(
    encodeUtf8(JSON.stringify(input.body ?? minimalBody(endpoint))),
    endpoint.resource,
  );
  if (isProblem(scan)) return scan;
  if (scan.passes === true) {
    return problem("invalid_request", "This body is no conversation: no prompt is put into it.", {
      field: "body",
    });
  }
  const version = input.version ?? scan.promptField?.version ?? (await readBaseline(control, environment));
  if (isProblem(version)) return version;
  const found = await control.readCompiled(version);
  if (isProblem(found)) return found;
  const rendered = renderVersion(found.compiled, mergeVariables(scan, input.variables as JsonObject));
  if (isProblem(rendered)) return rendered;
  const options = { provider, count: endpoint.count, modelInPath: endpoint.modelAt !== null, asksUsage };
  const prepared = endpoint.format.prepare(rendered, options);
  const bytes = endpoint.format.inject(scan, prepared);
  if (isProblem(bytes)) return bytes;
  const text = decodeUtf8(bytes) ?? "";
  const { pathModel } = prepared.settings;
  const sentTo = pathModel === null ? path : replaceModel(path, endpoint, pathModel);
  return { prompt: found.prompt, version, provider, path: sentTo, body: JSON.parse(text), text };
}

async function readBaseline(control: ControlPort, environment: string): Promise<number | Problem> {
  const release = await control.readRouting(environment);
  return isProblem(release) ? release : release.baseline;
}

/** In the data plane's order (contract §2.2), with ours in the header's place: later wins. */
function mergeVariables(scan: Scan, variables: JsonObject): JsonObject {
  return { ...scan.promptField?.variables, ...scan.promptVariables, ...variables };
}

/** Where a provider has its OpenAI-compatible endpoints, if not below `/v1`. */
const BASES: { readonly [provider: string]: string } = {
  azure: "/openai/v1",
  "workers-ai": "/accounts/the-account/ai/v1",
};

/** Every other provider speaks OpenAI's paths, by itself or through a compatible endpoint. */
function defaultPath(provider: string, body: RenderInput["body"]): string {
  const maker = makerOf(provider);
  if (maker === "anthropic") return "/v1/messages";
  if (maker === "bedrock") return `/model/${CALLER_MODEL}/converse`;
  if (maker === "gemini") return geminiPath(body);
  const base = BASES[maker] ?? "/v1";
  return body !== undefined && "input" in body ? `${base}/responses` : `${base}/chat/completions`;
}

function geminiPath(body: RenderInput["body"]): string {
  if (body !== undefined && "messages" in body) return "/v1beta/openai/chat/completions";
  const isCount = body !== undefined && "generateContentRequest" in body;
  return `/v1beta/models/${CALLER_MODEL}:${isCount ? "countTokens" : "generateContent"}`;
}

function minimalBody({ format, count, modelAt }: Endpoint): JsonObject {
  const model = modelAt === null ? { model: CALLER_MODEL } : {};
  const messages = [{ role: "user", content: CALLER_TEXT }];
  switch (format.id) {
    case "openai-responses":
      return { ...model, input: CALLER_TEXT };
    case "openai-chat":
    case "workers-ai":
      return { ...model, messages };
    case "anthropic-messages": {
      const version = format.family === "bedrock" ? { anthropic_version: "bedrock-2023-05-31" } : {};
      return { ...version, ...model, max_tokens: 1024, messages };
    }
    case "gemini":
      return { contents: [{ role: "user", parts: [{ text: CALLER_TEXT }] }] };
    case "openai-realtime":
    case "openai-realtime-beta":
      return { type: "realtime" };
    case "bedrock-converse": {
      const converse = { messages: [{ role: "user", content: [{ text: CALLER_TEXT }] }] };
      return count ? { input: { converse } } : converse;
    }
  }
}
