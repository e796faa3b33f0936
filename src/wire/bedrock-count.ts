// Bedrock's CountTokens: the body of another call, packed into one of its own: Converse's as an object, InvokeModel's as
// Base64. The prompt goes into what is packed, by that format's own rules, or the count would not be that of the call.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { bedrockConverse, type Prepared as ConversePrepared } from "./bedrock-converse.ts";
import { bedrockInvoke } from "./bedrock-invoke.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf, readCommon } from "./facts.ts";
import { scanJson } from "./json-scan.ts";
import {
  findMember,
  findMembers,
  kindOf,
  nameOf,
  NONE,
  ROOT,
  valueFrom,
  valueTo,
  type Node,
  type Tree,
} from "./json-tree.ts";
import { Plan } from "./plan.ts";
import { emptySettings, type Settings } from "./settings.ts";
import { noShapes } from "./shapes.ts";
import { sortPatches, splice, type Patch } from "./splice.ts";
import type { Scan, WireFormat } from "./wire.ts";

type Inner =
  | { of: "converse"; from: number; scan: Scan<Tree> }
  | { of: "invoke"; from: number; to: number; scan: Scan<Tree> };

type Spans = { tree: Tree; inner: Inner };
type InvokePrepared = ReturnType<typeof bedrockInvoke.prepare>;
type Prepared = { settings: Settings; converse: ConversePrepared; invoke: InvokePrepared };

const INPUT = nameOf("input");
const CONVERSE = nameOf("converse");
const INVOKE = nameOf("invokeModel");
const BODY = nameOf("body");
const FIELDS = fieldsOf({ input: 3 });

function scan(body: Uint8Array): Scan<Spans> | Problem {
  const tree = scanJson(body, FIELDS);
  if (isProblem(tree)) return tree;
  const common = readCommon(tree);
  if (isProblem(common)) return common;
  const inner = readInner(tree);
  if (isProblem(inner)) return inner;
  const { firstUserText, continues, conversationKey, userKey } = inner.scan;
  return {
    ...common,
    conversationKey: conversationKey ?? common.conversationKey,
    userKey: userKey ?? common.userKey,
    firstUserText,
    continues,
    previousResponse: null,
    spans: { tree, inner },
  };
}

function readInner(tree: Tree): Inner | Problem {
  const input = only(tree, ROOT, INPUT);
  const converse = only(tree, input, CONVERSE);
  const body = only(tree, only(tree, input, INVOKE), BODY);
  if (converse !== NONE && body === NONE && kindOf(tree, converse) === "object") {
    const from = valueFrom(tree, converse);
    const found = bedrockConverse.scan(tree.body.subarray(from, valueTo(tree, converse)));
    return isProblem(found) ? within(found, "input.converse") : { of: "converse", from, scan: found };
  }
  if (body !== NONE && converse === NONE && kindOf(tree, body) === "string") {
    const from = valueFrom(tree, body) + 1;
    const to = valueTo(tree, body) - 1;
    const bytes = decodeBase64(tree.body.subarray(from, to));
    const found = bytes === null ? null : bedrockInvoke.scan(bytes);
    if (found === null) return refuse("input.invokeModel.body", "must be Base64");
    return isProblem(found)
      ? within(found, "input.invokeModel.body")
      : { of: "invoke", from, to, scan: found };
  }
  return refuse("input", "must hold either converse or invokeModel.body, once");
}

/** A member that stands there once: of two a provider may count the other one. */
function only(tree: Tree, parent: Node, name: ReturnType<typeof nameOf>): Node {
  if (parent === NONE || findMembers(tree, parent, name).length !== 1) return NONE;
  return findMember(tree, parent, name);
}

function refuse(field: string, message: string): Problem {
  return problem("invalid_request", `${field} ${message}.`, { field });
}

function within(found: Problem, place: string): Problem {
  return { ...found, message: `${place}: ${found.message}` };
}

function plan({ spans: { tree, inner } }: Scan<Spans>, prepared: Prepared): Patch[] | Problem {
  const outer = new Plan(tree);
  // The names of prompts and their variables go out; a model stands in the path.
  const refusal = outer.apply(emptySettings("bedrock-converse", true));
  if (refusal !== null) return refusal;
  const patches =
    inner.of === "converse"
      ? bedrockConverse.plan(inner.scan, prepared.converse)
      : bedrockInvoke.plan(inner.scan, prepared.invoke);
  if (isProblem(patches)) return patches;
  if (inner.of === "invoke") {
    const bytes = encodeBase64(splice(inner.scan.body, patches));
    return sortPatches([...outer.finish(), { from: inner.from, to: inner.to, bytes }]);
  }
  const moved = patches.map(({ from, to, bytes }) => ({
    from: from + inner.from,
    to: to + inner.from,
    bytes,
  }));
  return sortPatches([...outer.finish(), ...moved]);
}

export const bedrockCount: WireFormat<Spans, Prepared> = defineFormat({
  id: "bedrock-converse",
  family: "bedrock",
  answers: bedrockConverse.answers,
  scan,
  shapes: () => noShapes("bedrock-converse"),
  prepare(rendered, options) {
    const converse = bedrockConverse.prepare(rendered, options);
    const invoke = bedrockInvoke.prepare(rendered, { ...options, count: false });
    return { settings: converse.settings, converse, invoke };
  },
  plan,
});
