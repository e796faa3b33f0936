// Collects what one injection changes in one body, so that each object is edited once however many settings touch it.
// Where a name stands twice, both are changed: whichever of them a provider's parser takes, it sees ours.

import { problem, type Problem } from "../core/problem.ts";
import {
  findMember,
  findMembers,
  firstChild,
  isText,
  kindOf,
  nameOf,
  nextSibling,
  NONE,
  readString,
  ROOT,
  type Name,
  type Node,
  type Tree,
  valueFrom,
  valueTo,
} from "./json-tree.ts";
import { joinBytes, joinItems, listBytes, objectBytes } from "./json-write.ts";
import { isPath, membersOf, newPlant, plant, type Plant } from "./plant.ts";
import type { Setting, Settings, Spelling } from "./settings.ts";
import { editList, insertAt, replaceValue, sortPatches, type Insertion, type Patch } from "./splice.ts";

type Edit = { removed: Node[]; inserted: Uint8Array[] };

const OPEN_LIST = Uint8Array.of(0x5b);
const CLOSE_LIST = Uint8Array.of(0x5d);
const COMMA = Uint8Array.of(0x2c);

const PROMPT = nameOf("prompt");
const PROMPT_VARIABLES = nameOf("prompt_variables");
const MODEL = nameOf("model");
const NAME = nameOf("name");
const TYPE = nameOf("type");
const FUNCTION = nameOf("function");
const CUSTOM = nameOf("custom");
const TOOL_SPEC = nameOf("toolSpec");
const MODEL_PREFIX = "prompt:";

export class Plan {
  readonly tree: Tree;
  readonly patches: Patch[] = [];
  /** Objects that stand in the body, the body itself first of all. */
  private readonly edits = new Map<Node, Edit>([[ROOT, { removed: [], inserted: [] }]]);
  /** Objects that an object lacks. */
  private readonly missing = new Map<Node, Plant>();
  /** Values that must be objects and are none. */
  private readonly rewritten = new Map<Node, Plant>();

  constructor(tree: Tree) {
    this.tree = tree;
  }

  /** All that does not depend on the format: our own members out, the version's settings and tools in. */
  apply(settings: Settings): Problem | null {
    return this.applySettings(settings) ?? this.mergeTools(settings);
  }

  /** The same without the tools. `targets`: the objects that the settings are members of, if not the body itself. */
  applySettings(settings: Settings, targets: readonly Node[] = [ROOT]): Problem | null {
    const refusal = settings.refusal ?? this.checkModel(settings);
    if (refusal !== null) return refusal;
    this.removePrompt();
    for (const target of targets) {
      for (const setting of settings.list) this.set(target, setting);
    }
    return null;
  }

  finish(): Patch[] {
    for (const [node, { members }] of this.missing) this.editOf(node).inserted.push(...membersOf(members));
    for (const [node, { members }] of this.rewritten)
      replaceValue(this.patches, this.tree, node, objectBytes(membersOf(members)));
    for (const [node, { removed, inserted }] of this.edits) {
      const insertions = [{ before: firstChild(this.tree, node), items: inserted }];
      editList(this.patches, this.tree, node, removed, insertions);
    }
    return sortPatches(this.patches);
  }

  insertMember(name: Name, value: Uint8Array, parent = ROOT): void {
    this.editOf(parent).inserted.push(joinBytes([name.prefix, value]));
  }

  /** Takes an item out of an object. */
  removeMember(node: Node, parent = ROOT): void {
    this.editOf(parent).removed.push(node);
  }

  /** In place of all that stands under this name, or as a member of its own. */
  setMember(name: Name, value: Uint8Array, parent = ROOT): void {
    const members = findMembers(this.tree, parent, name);
    if (members.length === 0) this.insertMember(name, value, parent);
    for (const node of members) this.replace(node, value);
  }

  replace(node: Node, value: Uint8Array): void {
    replaceValue(this.patches, this.tree, node, value);
  }

  editList(list: Node, removed: Node[], insertions: Insertion[]): void {
    editList(this.patches, this.tree, list, removed, insertions);
  }

  /** Into a list, or around the one item that stands in a list's place. */
  addToList(list: Node, items: Uint8Array[], placement: "prepend" | "append"): void {
    const isArray = kindOf(this.tree, list) === "array";
    const added = joinItems(items);
    if (isArray) {
      const before = placement === "prepend" ? firstChild(this.tree, list) : NONE;
      this.editList(list, [], [{ before, items }]);
    } else if (placement === "prepend") {
      this.enclose(list, [OPEN_LIST, added, COMMA], [CLOSE_LIST]);
    } else {
      this.enclose(list, [OPEN_LIST], [COMMA, added, CLOSE_LIST]);
    }
  }

  enclose(node: Node, before: Uint8Array[], after: Uint8Array[]): void {
    insertAt(this.patches, valueFrom(this.tree, node), joinBytes(before));
    insertAt(this.patches, valueTo(this.tree, node), joinBytes(after));
  }

  private editOf(node: Node): Edit {
    let edit = this.edits.get(node);
    if (edit === undefined) {
      edit = { removed: [], inserted: [] };
      this.edits.set(node, edit);
    }
    return edit;
  }

  /** A `prompt` that is no object (null, or the text of another API) is the provider's to judge. */
  private removePrompt(): void {
    const { removed } = this.editOf(ROOT);
    const prompts = findMembers(this.tree, ROOT, PROMPT);
    const last = prompts.at(-1);
    const isOurs = last !== undefined && kindOf(this.tree, last) === "object";
    removed.push(...prompts.filter((node) => isOurs || kindOf(this.tree, node) === "object"));
    removed.push(...findMembers(this.tree, ROOT, PROMPT_VARIABLES));
  }

  private set(target: Node, { spellings, value, mode }: Setting): void {
    const present = spellings.filter((spelling) => this.isPresent(target, spelling));
    if (mode === "default" && present.length > 0) return;
    const [preferred] = spellings;
    const chosen = value === null ? null : mode === "exact" ? preferred : (present[0] ?? preferred);
    if (chosen && value !== null) this.write(target, chosen, value, mode === "default");
    for (const spelling of present) {
      if (spelling !== chosen) this.erase(target, spelling);
    }
  }

  private isPresent(target: Node, spelling: Spelling): boolean {
    let node = target;
    for (const name of spelling) {
      if (kindOf(this.tree, node) !== "object") return false;
      node = findMember(this.tree, node, name);
      if (node === NONE) return false;
    }
    return true;
  }

  private write(parent: Node, [name, ...rest]: Spelling, value: Uint8Array, isDefault: boolean): void {
    const members = findMembers(this.tree, parent, name);
    if (!isPath(rest)) {
      if (members.length === 0) this.editOf(parent).inserted.push(joinBytes([name.prefix, value]));
      if (!isDefault) for (const node of members) this.replace(node, value);
      return;
    }
    if (members.length === 0) plant(this.plantIn(this.missing, parent), [name, ...rest], value);
    for (const node of members) {
      const kind = kindOf(this.tree, node);
      if (kind === "object") this.write(node, rest, value, isDefault);
      else if (!isDefault || kind === "null") plant(this.plantIn(this.rewritten, node), rest, value);
    }
  }

  private plantIn(plants: Map<Node, Plant>, node: Node): Plant {
    const root = plants.get(node) ?? newPlant(null);
    plants.set(node, root);
    return root;
  }

  private erase(parent: Node, [name, ...rest]: Spelling): void {
    for (const node of findMembers(this.tree, parent, name)) {
      if (!isPath(rest)) this.editOf(parent).removed.push(node);
      else if (kindOf(this.tree, node) === "object") this.erase(node, rest);
    }
  }

  /** `model: "prompt:support-bot"` names a prompt; no provider has such a model. */
  private checkModel({ list, modelInPath }: Settings): Problem | null {
    if (modelInPath || list.some(({ spellings }) => spellings[0]?.[0].text === MODEL.text)) return null;
    for (const node of findMembers(this.tree, ROOT, MODEL)) {
      const model = readString(this.tree, node);
      if (model?.startsWith(MODEL_PREFIX)) {
        return problem(
          "invalid_request",
          `The version served names no model, so the request has to: "${model.slice(0, 80)}" only names the prompt.`,
          { field: "model" },
        );
      }
    }
    return null;
  }

  /** The version's tools first; the caller's after them, but for those of the same name. */
  private mergeTools({ tools, owned }: Settings): Problem | null {
    const { place, items } = tools;
    if (items.length === 0 || owned.has(place[0].text)) return null;
    return this.mergeAt(ROOT, place, tools);
  }

  private mergeAt(parent: Node, [name, ...rest]: Spelling, tools: Settings["tools"]): Problem | null {
    if (!isPath(rest)) return this.mergeList(parent, name, tools);
    const holders = findMembers(this.tree, parent, name);
    const list = listBytes(tools.items);
    if (holders.length === 0) plant(this.plantIn(this.missing, parent), [name, ...rest], list);
    for (const node of holders) {
      const kind = kindOf(this.tree, node);
      if (kind === "null") plant(this.plantIn(this.rewritten, node), rest, list);
      else if (kind !== "object") return refuseKind(name, "an object");
      const refusal = kind === "object" ? this.mergeAt(node, rest, tools) : null;
      if (refusal !== null) return refusal;
    }
    return null;
  }

  private mergeList(parent: Node, name: Name, { items, keys }: Settings["tools"]): Problem | null {
    const lists = findMembers(this.tree, parent, name);
    if (lists.length === 0) this.insertMember(name, listBytes(items), parent);
    for (const node of lists) {
      const kind = kindOf(this.tree, node);
      if (kind === "null") {
        this.replace(node, listBytes(items));
      } else if (kind === "array") {
        const removed = this.elementsOf(node).filter((tool) => this.isOneOf(tool, keys));
        this.editList(node, removed, [{ before: firstChild(this.tree, node), items }]);
      } else {
        return refuseKind(name, "an array");
      }
    }
    return null;
  }

  private elementsOf(list: Node): Node[] {
    const found: Node[] = [];
    for (let node = firstChild(this.tree, list); node !== NONE; node = nextSibling(this.tree, list, node)) {
      found.push(node);
    }
    return found;
  }

  private isOneOf(tool: Node, keys: Name[]): boolean {
    const { tree } = this;
    const holders = [FUNCTION, CUSTOM, TOOL_SPEC].map((name) => findMember(tree, tool, name));
    const holder = holders.find((node) => node !== NONE && kindOf(tree, node) === "object") ?? tool;
    const named = [
      findMember(tree, holder, NAME),
      findMember(tree, tool, NAME),
      findMember(tree, tool, TYPE),
    ];
    const key = named.find((node) => node !== NONE);
    return key !== undefined && keys.some((name) => isText(tree, key, name));
  }
}

function refuseKind({ text }: Name, wanted: string): Problem {
  return problem("invalid_request", `${text} must be ${wanted}.`, { field: text });
}
