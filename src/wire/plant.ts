// Objects that a body lacks and a version's settings lead through: grown name by name, then written as one value each.

import type { Name } from "./json-tree.ts";
import { joinBytes, objectBytes } from "./json-write.ts";
import type { Spelling } from "./settings.ts";

/** An object that is to be made, or a value in it. */
export type Plant = { name: Name | null; value: Uint8Array | null; members: Map<string, Plant> };

export function newPlant(name: Name | null): Plant {
  return { name, value: null, members: new Map() };
}

export function isPath(names: readonly Name[]): names is Spelling {
  return names.length > 0;
}

export function plant(object: Plant, spelling: Spelling, value: Uint8Array): void {
  let place = object;
  for (const name of spelling) {
    const member = place.members.get(name.text) ?? newPlant(name);
    place.members.set(name.text, member);
    place = member;
  }
  place.value = value;
}

export function membersOf(members: Plant["members"]): Uint8Array[] {
  return [...members.values()].map(({ name, value, members: inner }) =>
    joinBytes([name!.prefix, value ?? objectBytes(membersOf(inner))]),
  );
}
