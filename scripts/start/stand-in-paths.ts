// What the stand-in's library does not know of the providers' APIs: counts of tokens, and Workers AI's run endpoint. The
// counts are no tokenizer's, but they grow with what is asked, so that one sees the prompt in them.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mountable } from "@copilotkit/aimock";

type Body = { [name: string]: unknown };
type Answer = { body: unknown } | { events: unknown[] };

/** Characters that a token has on average, or so. */
const TOKEN_CHARACTERS = 4;

const COUNTS: readonly { path: RegExp; answer(count: number): unknown }[] = [
  { path: /\/v1\/messages\/count_tokens$/, answer: (count) => ({ input_tokens: count }) },
  {
    path: /\/v1\/responses\/input_tokens$/,
    answer: (count) => ({ object: "response.input_tokens", input_tokens: count }),
  },
  { path: /\/models\/[^/]+:countTokens$/, answer: (count) => ({ totalTokens: count }) },
  { path: /\/model\/.+\/count-tokens$/, answer: (count) => ({ inputTokens: count }) },
];
const RUN = /\/run\/@?[^/]+\/.+$/;

/** `compose`: the words of an answer to messages. */
export function createMissingPaths(compose: (messages: never[]) => string): Mountable {
  return {
    async handleRequest(request, response, pathname) {
      const count = COUNTS.find(({ path }) => path.test(pathname));
      if (request.method !== "POST" || (count === undefined && !RUN.test(pathname))) return false;
      const text = await readText(request);
      const answer: Answer =
        count === undefined
          ? run(text, compose)
          : { body: count.answer(Math.ceil(sizeOf(text) / TOKEN_CHARACTERS)) };
      send(response, answer);
      return true;
    },
  };
}

/** Of all that is said, whatever it is called; a packed body (Bedrock's) counts unpacked. */
function sizeOf(text: string): number {
  const packed = /"invokeModel"\s*:\s*\{\s*"body"\s*:\s*"([^"]*)"/.exec(text)?.[1];
  const told = packed === undefined ? text : Buffer.from(packed, "base64").toString("utf8");
  return [
    ...told.matchAll(/"(?:text|content|system|instructions|input|description)"\s*:\s*"((?:[^"\\]|\\.)*)"/g),
  ]
    .map(([, said = ""]) => said.length)
    .reduce((sum, length) => sum + length, 0);
}

function run(text: string, compose: (messages: never[]) => string): Answer {
  const { messages, stream } = parse(text);
  const answer = compose((Array.isArray(messages) ? messages : []) as never[]);
  if (stream === true)
    return { events: [...(answer.match(/\S+\s*/g) ?? []), ""].map((response) => ({ response })) };
  return { body: { result: { response: answer }, success: true, errors: [], messages: [] } };
}

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return {};
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, answer: Answer): void {
  if ("body" in answer) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer.body));
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  for (const event of answer.events) response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end("data: [DONE]\n\n");
}
