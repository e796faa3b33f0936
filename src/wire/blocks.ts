// Our system text as a block of its own in a list of blocks that the caller gave: his blocks stay as they are.

import type { Placement } from "../core/types.ts";
import { firstChild, NONE, type Node } from "./json-tree.ts";
import { listBytes } from "./json-write.ts";
import type { Plan } from "./plan.ts";

export function placeInBlocks(changes: Plan, node: Node, block: Uint8Array, placement: Placement): void {
  const first = firstChild(changes.tree, node);
  if (placement === "replace") changes.replace(node, listBytes([block]));
  else if (placement !== "if_absent" || first === NONE) {
    changes.editList(node, [], [{ before: placement === "append" ? NONE : first, items: [block] }]);
  }
}
