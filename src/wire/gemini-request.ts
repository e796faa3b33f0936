// Which object of a body is the request that a prompt goes into, and what cannot go into it. A count of tokens takes a
// list of contents alone or, on Gemini's own API, the whole request that it counts for: a list that a version adds more
// to than examples becomes such a request, or the count would leave them out. Vertex AI takes the members as they are.

import { problem, type Problem } from "../core/problem.ts";
import { encodeUtf8 } from "../core/text.ts";
import { googleName } from "./gemini-names.ts";
import { GENERATE, type GeminiSpans } from "./gemini-scan.ts";
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
import { jsonBytes } from "./json-write.ts";
import { splitModel } from "./model-path.ts";
import { Plan } from "./plan.ts";
import type { Settings } from "./settings.ts";

type Wanted = { settings: Settings; count: boolean; system: unknown };

export type RequestPlace = { changes: Plan; targets: Node[]; isWrapped: boolean };

const MODEL = nameOf("model");
const CACHED = googleName("cachedContent");
const OPEN = encodeUtf8('{"generateContentRequest":{');
const CLOSE = encodeUtf8("}}");

export function targetsOf({ tree, resource }: GeminiSpans, wanted: Wanted): RequestPlace | Problem {
  const changes = new Plan(tree);
  const nested = wanted.count ? findMembers(tree, ROOT, GENERATE) : [];
  const targets = nested.filter((node) => kindOf(tree, node) === "object");
  if (nested.some((node) => kindOf(tree, node) !== "object" && kindOf(tree, node) !== "null")) {
    return problem("invalid_request", "generateContentRequest must be an object.", {
      field: "generateContentRequest",
    });
  }
  if (targets.length > 0) return { changes, targets, isWrapped: false };
  const { settings, system } = wanted;
  const addsMore =
    system !== null ||
    settings.list.length > 0 ||
    settings.tools.items.length + settings.tools.declarations.length > 0;
  const isWrapped = wanted.count && resource !== null && !resource.isVertex && addsMore;
  if (isWrapped) for (const node of nested) changes.removeMember(node);
  return { changes, targets: [ROOT], isWrapped };
}

/** A request that is counted for has to name its model, the one of the path. */
export function wrapCount(
  { changes, targets, isWrapped }: RequestPlace,
  { tree, resource }: GeminiSpans,
  { settings, count }: Wanted,
): void {
  if (!count || resource === null) return;
  const forced = settings.pathModel;
  const { collection, id } = splitModel(forced ?? resource.model, resource.collection);
  for (const target of isWrapped || targets[0] !== ROOT ? targets : []) {
    const isNamed = findMember(tree, target, MODEL) !== NONE;
    if (forced !== null || !isNamed) changes.setMember(MODEL, jsonBytes(`${collection}/${id}`), target);
  }
  if (!isWrapped) return;
  const [from, to] = [valueFrom(tree, ROOT), valueTo(tree, ROOT)];
  changes.patches.push({ from, to: from + 1, bytes: OPEN }, { from: to - 1, to, bytes: CLOSE });
}

/** What the version says that Google refuses beside cached content, the version's or the caller's: a cache was made with
 * its own. */
export function checkCache(
  { tree, resource }: GeminiSpans,
  target: Node,
  { settings, system }: Wanted,
): Problem | null {
  const { tools, owned, pathModel } = settings;
  const isOwn = owned.has(CACHED.text);
  if (isOwn ? !setsCache(settings) : !isCached(tree, target)) return null;
  const sets = (member: string) =>
    owned.has(member) || settings.list.some(({ spellings }) => spellings[0]?.[0].text === member);
  const said = [
    system !== null || sets("systemInstruction") ? "a system text" : null,
    tools.items.length + tools.declarations.length > 0 || sets("tools") ? "tools" : null,
    sets("toolConfig") ? "a tool_choice" : null,
    pathModel !== null && resource !== null && pathModel !== resource.model ? "a model of its own" : null,
  ].filter((what) => what !== null);
  if (said.length === 0) return null;
  const mend = isOwn
    ? "Take one or the other out of the version."
    : "Send the request without cachedContent, or put the prompt into the cache and serve a version that sets parameters only.";
  return problem(
    "invalid_request",
    `Gemini takes nothing of this beside cachedContent, and the version served has ${list(said)}. ${mend}`,
    { field: isOwn ? "provider_params.gemini.cachedContent" : "cachedContent" },
  );
}

function isCached(tree: Tree, target: Node): boolean {
  const node = findMember(tree, target, CACHED);
  return node !== NONE && kindOf(tree, node) === "string" && valueTo(tree, node) - valueFrom(tree, node) > 2;
}

/** A version may also take the caller's cache away. */
function setsCache({ list: settings }: Settings): boolean {
  const own = settings.find(({ spellings }) => spellings[0]?.[0].text === CACHED.text);
  return own?.value?.[0] === 0x22 && own.value.length > 2;
}

function list(items: string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
