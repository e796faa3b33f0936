// Where a path names the model, and the path with another model there: every other byte of it stays. Names are written so
// that they cannot become anything but a name: a slash in one is data, or leads where the provider's own names have one.

import { problem, type Problem } from "../core/problem.ts";
import type { Endpoint, Resource } from "./wire.ts";

/** The model that the path names, decoded; null where the body names it. */
export function modelInPath(path: string, { modelAt }: Endpoint): string | null {
  if (modelAt === null) return null;
  return decode(path.slice(modelAt.from, modelAt.to));
}

/** The path with another model in it. */
export function replaceModel(path: string, { modelAt }: Endpoint, model: string): string {
  if (modelAt === null) return path;
  const { from, to, naming = "segment" } = modelAt;
  const [before, after] = [path.slice(0, from), path.slice(to)];
  if (naming === "segment") return before + encodeURIComponent(model) + after;
  if (naming === "path") return before + model.split("/").map(encodeName).join("/") + after;
  const collectionFrom = before.lastIndexOf("/", from - 2) + 1;
  const { collection, id } = splitModel(model, before.slice(collectionFrom, from - 1));
  return `${path.slice(0, collectionFrom)}${encodeName(collection)}/${encodeName(id)}${after}`;
}

/** Google's names of models may say their collection, `tunedModels/x`, and what holds it. */
export function splitModel(model: string, collection: string): { collection: string; id: string } {
  const segments = model.split("/");
  const id = segments.pop() ?? "";
  return { collection: segments.pop() ?? collection, id };
}

/** The resource that a path of Google's names. */
export function resourceAt(path: string, { from, to }: NonNullable<Endpoint["modelAt"]>): Resource {
  const collection = path.slice(path.lastIndexOf("/", from - 2) + 1, from - 1);
  const isVertex = /\/(?:projects|publishers|endpoints)\//.test(path);
  return { collection, model: decode(path.slice(from, to)), isVertex };
}

/** A version's model that no path can name. */
export function checkPathModel(model: string | null): Problem | null {
  if (model === null || !model.split("/").some((segment) => /^\.{0,2}$/.test(segment))) return null;
  return problem("invalid_request", `The version's model "${model.slice(0, 80)}" cannot stand in a path.`, {
    field: "model",
  });
}

function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll("%40", "@");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
