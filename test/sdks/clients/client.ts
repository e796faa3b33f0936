// What an SDK is to the matrix: a row of calls, each made the same way directly and through the proxy, with nothing but
// the base URL changed. A call that an SDK does not have says why, so that no cell of the table is empty by accident.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Every call of the table, and what it stands for in docs/sdks.md. */
export const CALLS = {
  chat: "chat",
  stream: "stream",
  tools: "tools",
  structured: "structured output",
  imageInput: "image in",
  imageOutput: "image out",
  embeddings: "embeddings",
  upload: "file (multipart)",
  transcribe: "audio in (multipart)",
  speech: "audio out",
  models: "list models",
  count: "count tokens",
} as const;

export type CallName = keyof typeof CALLS;

/** Where the provider seems to be: its origin, or a mount of the proxy; no trailing slash, no `/v1`. */
export type Site = string;

export type Options = {
  /** Attempts after the first. */
  retries: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** The SDK's API key; the one that its stand-in takes unless given. */
  key?: string;
};

/** Resolves with what the application gets, as plain data; rejects with the SDK's own error. */
export type Call = (site: Site, options: Options) => Promise<unknown>;

export type Absent = { absent: string };

export type ProviderName = "openai" | "anthropic" | "gemini" | "bedrock";
export type StandInName = ProviderName | "openaiResponses" | "bedrockInvoke";

/** Where a prompt's system text must be found in a body of this client. */
export type Place = "messages" | "instructions" | "system" | "systemInstruction" | "systemBlocks";

export type Client = {
  /** The row's name. */
  name: string;
  package: string;
  provider: ProviderName;
  standIn: StandInName;
  /** How the application writes the base URL, for the docs. */
  baseUrl: string;
  place: Place;
  calls: Record<CallName, Call | Absent>;
  /** Takes one item of a stream and then waits for ever; calls `seen` in between. */
  readOn: (site: Site, options: Options, seen: () => void) => Promise<unknown>;
  /** The headers of a chat's answer, if the SDK shows them. */
  headersOf: ((site: Site, options: Options) => Promise<Headers>) | Absent;
  /** The class that an error of this status raises (for the docs, and so that the stand-in stays realistic). */
  raises: (status: number) => string;
  /** Where the proxy's own errors, which can say what they are in that SDK's words, raise another. */
  raisesOurs?: { [status: number]: string };
  /** What it makes of the provider's word on retries. `retry-after`: it waits at least that long. */
  obeys: { "retry-after": boolean; "x-should-retry": boolean };
  /** Statuses that it asks again for, whatever the answer says of retrying. */
  insistsOn?: number[];
};

/** What an SDK's own packages are locked to. */
export function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const version = manifest.dependencies[name];
  if (version === undefined) throw new Error(`test/sdks/package.json has no ${name}`);
  return version.replace(/^npm:.*@/, "");
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Reads a stream to its end, and tells of its first item. How many come after that is a matter of time. */
export async function readPastFirst(items: AsyncIterable<unknown>, seen: () => void): Promise<string> {
  let isFirst = true;
  for await (const _ of items) {
    if (isFirst) seen();
    isFirst = false;
  }
  return "ended";
}

export const QUESTION = "hello — wörld";
export const MODEL = {
  openai: "gpt-5.4-mini",
  anthropic: "claude-sonnet-5",
  gemini: "gemini-3.1-flash",
  bedrock: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
};
export const KEY = { openai: "sk-1", anthropic: "sk-ant-1", gemini: "AIza-1", bedrock: "bedrock-api-key-1" };

export const WEATHER = {
  name: "weather",
  description: "Tells the weather.",
  schema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
} as const;
export const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
} as const;

/** 200 KB of every byte, with what looks like a boundary in it. */
export const UPLOAD = Buffer.concat([
  Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) & 0xff)),
  Buffer.from("\r\n--boundary--\r\n\u0000"),
]);
