// Chat Completions: the system text is a message, in the role that the caller's own instructions have (newer models
// call it `developer`), examples stand behind the instructions. Also what every OpenAI-compatible provider speaks.

import { isProblem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { Placement } from "../core/types.ts";
import { chatAnswers } from "./answer.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf } from "./facts.ts";
import { firstChild, NONE, type Node, type Tree } from "./json-tree.ts";
import { joinBytes, jsonBytes } from "./json-write.ts";
import { messageLists, scanMessages } from "./messages.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import type { Insertion, Patch } from "./splice.ts";
import { endOfLeading, instructionsIn, isDeveloper } from "./turns.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

type Prepared = {
  settings: Settings;
  placement: Placement;
  system: { asSystem: Uint8Array; asDeveloper: Uint8Array } | null;
  examples: Uint8Array[];
};

const FIELDS = fieldsOf({ messages: 4, reasoning: 1 });
const AS_SYSTEM = encodeUtf8('{"role":"system","content":');
const AS_DEVELOPER = encodeUtf8('{"role":"developer","content":');
const CLOSE = encodeUtf8("}");

function prepare(rendered: Rendered, options: PrepareOptions): Prepared {
  const { system, examples, placement } = rendered;
  return {
    settings: settingsFor(rendered, "openai-chat", options),
    placement,
    system: system === null ? null : encodeRoles(jsonBytes(system)),
    examples: examples.map(({ role, content }) => jsonBytes({ role, content })),
  };
}

/** The text is encoded once, for it may be long and differ with every request's variables. */
function encodeRoles(text: Uint8Array): Prepared["system"] {
  return {
    asSystem: joinBytes([AS_SYSTEM, text, CLOSE]),
    asDeveloper: joinBytes([AS_DEVELOPER, text, CLOSE]),
  };
}

function plan({ spans: tree }: Scan<Tree>, prepared: Prepared): Patch[] | Problem {
  const changes = new Plan(tree);
  const refusal = changes.apply(prepared.settings);
  if (refusal !== null) return refusal;
  const lists = messageLists(tree);
  if (isProblem(lists)) return lists;
  for (const list of lists) placeMessages(changes, list, prepared);
  return changes.finish();
}

function placeMessages(changes: Plan, list: Node, { system, examples, placement }: Prepared): void {
  const { tree } = changes;
  const first = firstChild(tree, list);
  const body = endOfLeading(tree, list);
  const insertions: Insertion[] = [];
  let removed: Node[] = [];
  if (system !== null) {
    const ours = first !== NONE && isDeveloper(tree, first) ? system.asDeveloper : system.asSystem;
    if (placement === "replace") removed = instructionsIn(tree, list);
    const isWanted = placement !== "if_absent" || instructionsIn(tree, list).length === 0;
    if (isWanted) insertions.push({ before: placement === "append" ? body : first, items: [ours] });
  }
  insertions.push({ before: body, items: examples });
  changes.editList(list, removed, insertions);
}

export const openaiChat: WireFormat<Tree, Prepared> = defineFormat({
  id: "openai-chat",
  family: "openai",
  answers: chatAnswers,
  scan: (body) => scanMessages(body, FIELDS),
  prepare,
  plan,
});
