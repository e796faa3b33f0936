// Workers AI's run endpoint, whose one path takes whatever the model in it takes: a chat (`messages`), a Responses request
// (`input`, `instructions`), a bare text (`prompt`), or what is no conversation at all: texts to embed, bytes to hear. So
// here alone the body says what it is. Nothing can be put into a bare text; what is no conversation passes as it is.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { workersAiAnswers } from "./answer-workers-ai.ts";
import { defineFormat } from "./define-format.ts";
import { findMember, kindOf, nameOf, NONE, ROOT, type Tree } from "./json-tree.ts";
import { openaiChat, prepareChat, type ChatPieces } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { Settings } from "./settings.ts";
import { noShapes, shapesIn } from "./shapes.ts";
import type { Patch } from "./splice.ts";
import type { FormatId, PrepareOptions, Scan, WireFormat } from "./wire.ts";

type Kind = "chat" | "responses" | "text";
type Spans = { kind: Kind; scan: Scan<Tree> } | null;
type Pieces = {
  settings: Settings;
  chat: ChatPieces;
  responses: ReturnType<typeof openaiResponses.prepare>;
};

const MESSAGES = nameOf("messages");
const INPUT = nameOf("input");
const PROMPT = nameOf("prompt");
/** Whose names a body of each kind has. */
const FORMS: { readonly [kind in Kind]: FormatId } = {
  chat: "workers-ai",
  responses: "openai-responses",
  text: "workers-ai",
};
const OPEN_BRACE = 0x7b;

function scan(body: Uint8Array): Scan<Spans> | Problem {
  if (!isObject(body)) return { ...NOTHING, body };
  const chat = openaiChat.scan(body);
  if (isProblem(chat)) return chat;
  const kind = kindIn(chat);
  if (kind === null) return { ...chat, spans: null, passes: true };
  if (kind !== "responses") return { ...chat, spans: { kind, scan: chat } };
  const responses = openaiResponses.scan(body);
  return isProblem(responses) ? responses : { ...responses, spans: { kind, scan: responses } };
}

/** Bytes to hear or to see are sent as they are, too. */
function isObject(body: Uint8Array): boolean {
  const first = body.find((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  return first === OPEN_BRACE;
}

const NOTHING: Scan<Spans> = {
  body: new Uint8Array(),
  promptField: null,
  promptVariables: null,
  model: null,
  stream: false,
  conversationKey: null,
  userKey: null,
  firstUserText: null,
  continues: false,
  previousResponse: null,
  passes: true,
  spans: null,
};

/** Who names a prompt or its variables and says nothing else wants the version's own messages. */
function kindIn({ spans: tree, promptField, promptVariables }: Scan<Tree>): Kind | null {
  if (findMember(tree, ROOT, MESSAGES) !== NONE) return "chat";
  const input = findMember(tree, ROOT, INPUT);
  if (input !== NONE && ["string", "array"].includes(kindOf(tree, input))) return "responses";
  const text = findMember(tree, ROOT, PROMPT);
  if (text !== NONE && kindOf(tree, text) === "string") return "text";
  return promptField !== null || promptVariables !== null ? "chat" : null;
}

function prepare(rendered: Rendered, options: PrepareOptions): Pieces {
  const chat = prepareChat(rendered, options, "workers-ai");
  return { settings: chat.settings, chat, responses: openaiResponses.prepare(rendered, options) };
}

function plan({ spans }: Scan<Spans>, { chat, responses }: Pieces): Patch[] | Problem {
  switch (spans?.kind) {
    case "chat":
      return openaiChat.plan(spans.scan, chat);
    case "responses":
      return openaiResponses.plan(spans.scan, responses);
    case "text":
      return problem(
        "invalid_request",
        "Nothing can be put into a body with a bare prompt. Send messages, or leave the prompt's name out for a model that takes none.",
        { field: "prompt" },
      );
    case undefined:
      return [];
  }
}

export const workersAi: WireFormat<Spans, Pieces> = defineFormat({
  id: "workers-ai",
  family: "workers-ai",
  answers: workersAiAnswers,
  scan,
  shapes: ({ spans }) =>
    spans === null ? noShapes("workers-ai") : shapesIn(FORMS[spans.kind], spans.scan.spans, ROOT),
  prepare,
  plan,
});
