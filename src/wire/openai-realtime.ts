// OpenAI's Realtime: a version goes into the session of a WebSocket, by the client's own first `session.update`, or by one
// of ours before whatever else the client begins with. Its session object is a body like any other: `instructions`, tools
// and parameters at its top. What the client says later of the same members, in a `session.update` or for one answer in a
// `response.create`, is placed against the version's in the same way; what it does not mention stays as it was set.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { Placement } from "../core/types.ts";
import { responsesAnswers } from "./answer-openai.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf, readCommon } from "./facts.ts";
import { scanJson } from "./json-scan.ts";
import {
  findMember,
  findMembers,
  kindOf,
  nameOf,
  NONE,
  readString,
  ROOT,
  valueFrom,
  valueTo,
  type Tree,
} from "./json-tree.ts";
import { joinBytes, jsonBytes } from "./json-write.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import { splice, type Patch } from "./splice.ts";
import { encodeSystem, placeInMember, type SystemText } from "./system-text.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

type RealtimeId = "openai-realtime" | "openai-realtime-beta";

export type PreparedSession = {
  settings: Settings;
  placement: Placement;
  system: SystemText | null;
  /** Events that put the version's examples into the conversation. */
  examples: Uint8Array[];
};

const INSTRUCTIONS = nameOf("instructions");
const TOOLS = nameOf("tools");
const TYPE = nameOf("type");
const SESSION = nameOf("session");
const RESPONSE = nameOf("response");
const FIELDS = fieldsOf({ reasoning: 1 });

function scan(body: Uint8Array): Scan<Tree> | Problem {
  const tree = scanJson(body, FIELDS);
  if (isProblem(tree)) return tree;
  const common = readCommon(tree);
  if (isProblem(common)) return common;
  return { ...common, firstUserText: null, continues: false, previousResponse: null };
}

function prepareAs(id: RealtimeId, rendered: Rendered, options: PrepareOptions): PreparedSession {
  const { system, placement, examples } = rendered;
  const settings = settingsFor(rendered, id, options);
  const parts = examples.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const media = parts.find((part) => part.kind !== "text");
  const hasMedia = media !== undefined;
  const refusal = problem(
    "variable_invalid",
    "A Realtime session takes no pictures and files as variables.",
    {
      field: `prompt.variables.${media?.variable ?? ""}`,
    },
  );
  return {
    settings: hasMedia ? { ...settings, refusal: settings.refusal ?? refusal } : settings,
    placement,
    system: system === null ? null : encodeSystem(system),
    examples: hasMedia ? [] : examples.map((example) => exampleEvent(id, example)),
  };
}

function exampleEvent(id: RealtimeId, { role, content }: Rendered["examples"][number]): Uint8Array {
  const answered = id === "openai-realtime" ? "output_text" : "text";
  const part = { type: role === "user" ? "input_text" : answered, text: content as string };
  return jsonBytes({ type: "conversation.item.create", item: { type: "message", role, content: [part] } });
}

function plan({ spans: tree }: Scan<Tree>, prepared: PreparedSession): Patch[] | Problem {
  const changes = new Plan(tree);
  const { settings, system, placement } = prepared;
  const isPlaced = system !== null && !settings.owned.has(INSTRUCTIONS.text);
  const refusal =
    changes.apply(settings) ?? (isPlaced ? placeInMember(changes, INSTRUCTIONS, system, placement) : null);
  return refusal ?? changes.finish();
}

function defineSession(id: RealtimeId): WireFormat<Tree, PreparedSession> {
  return defineFormat({
    id,
    family: "openai",
    answers: responsesAnswers,
    scan,
    shapes: ({ spans }) => shapesIn(id, spans, ROOT),
    prepare: (rendered, options) => prepareAs(id, rendered, options),
    plan,
  });
}

/** The present form, and the one that clients ask for with `OpenAI-Beta: realtime=v1`. */
export const realtimeSession = defineSession("openai-realtime");
export const realtimeBetaSession = defineSession("openai-realtime-beta");

/** An event of the client's that may say how the model behaves; `at`: where the object stands that says it. */
export type ClientEvent = {
  type: "session.update" | "response.create";
  at: { from: number; to: number };
  isTranscription: boolean;
};

/** null: an event that has no part in it, or is none at all. */
export function readClientEvent(event: Uint8Array): ClientEvent | Problem | null {
  const tree = scanJson(event, fieldsOf({ session: 1, response: 1 }));
  if (isProblem(tree)) return null;
  const type = readString(tree, findMember(tree, ROOT, TYPE));
  if (type !== "session.update" && type !== "response.create") return null;
  const name = type === "session.update" ? SESSION : RESPONSE;
  const nodes = findMembers(tree, ROOT, name);
  const node = nodes[0] ?? NONE;
  if (node === NONE && type === "response.create") return null;
  if (nodes.length !== 1 || kindOf(tree, node) !== "object") {
    return problem("invalid_request", `${name.text} must be an object, once.`, { field: name.text });
  }
  const kind = readString(tree, findMember(tree, node, TYPE));
  const at = { from: valueFrom(tree, node), to: valueTo(tree, node) };
  return { type, at, isTranscription: kind === "transcription" };
}

/** Events that a session has to be prompted before: they say something, or ask for an answer. */
const SPEAKS = /^(?:session\.update$|response\.|conversation\.|input_audio_buffer\.)/;

/** Does this begin the session's work? Text that is no event of Realtime is the provider's to judge. */
export function beginsWork(event: Uint8Array): boolean {
  const tree = scanJson(event, []);
  if (isProblem(tree)) return false;
  return SPEAKS.test(readString(tree, findMember(tree, ROOT, TYPE)) ?? "");
}

/** The event with another object in the place of its own. */
export function replaceObject(event: Uint8Array, { at }: ClientEvent, object: Uint8Array): Uint8Array {
  return splice(event, [{ ...at, bytes: object }]);
}

/** A session as a client would ask for it that says nothing of its own. */
export function emptySession(id: RealtimeId): Uint8Array {
  return encodeUtf8(id === "openai-realtime" ? '{"type":"realtime"}' : "{}");
}

const UPDATE = encodeUtf8('{"type":"session.update","session":');
const CLOSE = encodeUtf8("}");

export function updateEvent(session: Uint8Array): Uint8Array {
  return joinBytes([UPDATE, session, CLOSE]);
}

/** An event of a session that has its version: only what this one mentions is placed against the version's. */
export function repeatInto(
  event: Uint8Array,
  found: ClientEvent,
  prepared: PreparedSession,
): Uint8Array | Problem {
  const { from, to } = found.at;
  const scanned = scan(event.subarray(from, to));
  if (isProblem(scanned)) return scanned;
  const patches = plan(scanned, mentionedIn(scanned.spans, prepared));
  return isProblem(patches) ? patches : replaceObject(event, found, splice(scanned.body, patches));
}

function mentionedIn(tree: Tree, prepared: PreparedSession): PreparedSession {
  const { settings, system } = prepared;
  const isMentioned = (text: string) => findMember(tree, ROOT, nameOf(text)) !== NONE;
  const list = settings.list.filter(({ spellings }) => spellings.some(([name]) => isMentioned(name.text)));
  const tools = isMentioned(TOOLS.text) ? settings.tools : { ...settings.tools, items: [], keys: [] };
  return {
    ...prepared,
    settings: { ...settings, list, tools },
    system: isMentioned(INSTRUCTIONS.text) ? system : null,
  };
}
