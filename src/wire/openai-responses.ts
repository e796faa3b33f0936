// Responses: the system text goes into `instructions`, which is not carried over from turn to turn, never into `input`,
// whose items a conversation keeps; for the same reason examples go in only where no earlier response or conversation
// is named. The caller's own instructions may stand in `instructions` or as system and developer items of `input`.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { Placement } from "../core/types.ts";
import { responsesAnswers } from "./answer-openai.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf, readCommon, textIn } from "./facts.ts";
import { textOf } from "./first-text.ts";
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
  type Node,
  type Tree,
} from "./json-tree.ts";
import { jsonBytes, listBytes } from "./json-write.ts";
import { spoil, writeExamples, type PartWriter } from "./parts.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import { insertAt, type Patch } from "./splice.ts";
import { encodeSystem, placeInMember, type SystemText } from "./system-text.ts";
import { contentOf, endOfLeading, instructionsIn, readTurns, ROLE } from "./turns.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

type Prepared = {
  settings: Settings;
  placement: Placement;
  system: SystemText | null;
  examples: Uint8Array[];
  /** What makes a list of an input that is a text: the text itself stays where it stands. */
  wrap: { before: Uint8Array; after: Uint8Array };
};

const INPUT = nameOf("input");
const INSTRUCTIONS = nameOf("instructions");
const CONVERSATION = nameOf("conversation");
const PREVIOUS = nameOf("previous_response_id");
const ID = nameOf("id");
const STORE = nameOf("store");
const FIELDS = fieldsOf({ input: 4, conversation: 1, text: 2, reasoning: 1 });

function scan(body: Uint8Array): Scan<Tree> | Problem {
  const tree = scanJson(body, FIELDS);
  if (isProblem(tree)) return tree;
  const common = readCommon(tree);
  if (isProblem(common)) return common;
  const input = findMember(tree, ROOT, INPUT);
  const turns = input === NONE ? { firstUser: NONE, continues: false } : readTurns(tree, input);
  const isText = input !== NONE && kindOf(tree, input) === "string";
  const content = isText ? input : turns.firstUser === NONE ? NONE : contentOf(tree, turns.firstUser);
  const conversation = findMember(tree, ROOT, CONVERSATION);
  const store = findMember(tree, ROOT, STORE);
  return {
    ...common,
    conversationKey:
      readString(tree, conversation) || textIn(tree, conversation, ID) || common.conversationKey,
    firstUserText: content === NONE ? null : textOf(tree, content),
    continues: turns.continues || isThreaded(tree),
    previousResponse: textIn(tree, ROOT, PREVIOUS),
    isUnstored: store !== NONE && kindOf(tree, store) === "false",
  };
}

/** An earlier response or a conversation is named: the provider holds the turns before this one. */
function isThreaded(tree: Tree): boolean {
  return [PREVIOUS, CONVERSATION].some((name) => {
    const node = findMember(tree, ROOT, name);
    return node !== NONE && kindOf(tree, node) !== "null";
  });
}

/** Variables come in this format's own parts. */
const PARTS: PartWriter = { text: (text) => ({ type: "input_text", text }), media: ({ sent }) => sent };

function prepare(rendered: Rendered, options: PrepareOptions): Prepared {
  const { system, placement } = rendered;
  const { items, refusal } = writeExamples(rendered, PARTS);
  const examples = items.map((item) => jsonBytes(item));
  const opening = listBytes([...examples, encodeUtf8('{"role":"user","content":')]);
  return {
    settings: spoil(settingsFor(rendered, "openai-responses", options), refusal),
    placement,
    system: system === null ? null : encodeSystem(system),
    examples,
    wrap: { before: opening.subarray(0, -1), after: encodeUtf8("}]") },
  };
}

function plan({ spans: tree }: Scan<Tree>, prepared: Prepared): Patch[] | Problem {
  const changes = new Plan(tree);
  const refusal =
    changes.apply(prepared.settings) ?? placeSystem(changes, prepared) ?? placeExamples(changes, prepared);
  return refusal ?? changes.finish();
}

function placeSystem(changes: Plan, { settings, system, placement }: Prepared): Problem | null {
  if (system === null || settings.owned.has(INSTRUCTIONS.text)) return null;
  const { tree } = changes;
  if (placement === "if_absent" && hasInstructionItems(tree)) return null;
  return placeInMember(changes, INSTRUCTIONS, system, placement);
}

function hasInstructionItems(tree: Tree): boolean {
  const input = findMember(tree, ROOT, INPUT);
  return input !== NONE && instructionsIn(tree, input).length > 0;
}

/** Examples behind the caller's leading instructions; `replace` also takes instructions out of the input. */
function placeExamples(changes: Plan, prepared: Prepared): Problem | null {
  const { tree } = changes;
  const examples = isThreaded(tree) ? [] : prepared.examples;
  const replaces = prepared.system !== null && prepared.placement === "replace";
  const inputs = findMembers(tree, ROOT, INPUT);
  if (inputs.length === 0 && examples.length > 0) changes.insertMember(INPUT, listBytes(examples));
  for (const node of inputs) {
    const kind = kindOf(tree, node);
    if (kind === "array") {
      const removed = replaces ? instructionsIn(tree, node) : [];
      changes.editList(node, removed, [{ before: endOfLeading(tree, node), items: examples }]);
    } else if (examples.length > 0 && kind === "null") {
      changes.replace(node, listBytes(examples));
    } else if (examples.length > 0 && kind === "string") {
      wrapText(changes, node, prepared);
    } else if (kind !== "null" && kind !== "string") {
      return problem("invalid_request", "input must be a string or an array of items.", { field: "input" });
    }
  }
  return null;
}

function wrapText(changes: Plan, node: Node, { wrap }: Prepared): void {
  insertAt(changes.patches, valueFrom(changes.tree, node), wrap.before);
  insertAt(changes.patches, valueTo(changes.tree, node), wrap.after);
}

/** What says that earlier turns are the provider's may stand behind the input: then the examples are left out. */
function isSettled({ spans: tree }: Scan<Tree>, { system, examples, placement }: Prepared): boolean {
  const input = findMember(tree, ROOT, INPUT);
  if (input === NONE || (examples.length > 0 && !isThreaded(tree))) return false;
  if (system === null || kindOf(tree, input) !== "array") return true;
  return placement === "if_absent" ? hasInstructionItems(tree) : placement !== "replace";
}

export const openaiResponses: WireFormat<Tree, Prepared> = defineFormat({
  id: "openai-responses",
  family: "openai",
  answers: responsesAnswers,
  scan,
  shapes: ({ spans }) => shapesIn("openai-responses", spans, ROOT),
  prepare,
  plan,
  stream: { list: INPUT, watched: ROLE, isSettled },
});
