// A compiled version and the caller's variables become text: the only work that variables cost a request. Guarantees:
// every missing variable is named at once and nothing is rendered without it; nothing but messages is ever templated;
// without variables the result never changes, so the caller may keep it. Measured on two shared cores with Node 24, a
// 4 KB system text: with 184 tags compile 0.8 ms and render 14 µs, without tags 0.06 ms and 0.2 µs.

import { readContentPart, type MediaPart, type RenderedPart } from "./content-parts.ts";
import { isProblem, problem, type FieldError, type Problem } from "./problem.ts";
import type { Rendered } from "./rendered.ts";
import { renderTemplate } from "./template.ts";
import type { Compiled, Json, JsonObject, Segment, Template } from "./types.ts";
import { fitsType, isDeeperThan, MAX_DEPTH, nameType } from "./variables.ts";

/** False: `renderVersion` gives the same for every request. */
export function hasVariables(compiled: Compiled): boolean {
  return Object.keys(compiled.variables).length > 0;
}

/**
 * `variable_missing` (all of them in `missing`; null counts as not sent) and `variable_invalid` (field
 * `prompt.variables.<name>`). Variables that the version does not know are ignored.
 */
export function renderVersion(compiled: Compiled, variables: JsonObject): Rendered | Problem {
  const view = fillView(compiled, variables);
  if (isProblem(view)) return view;
  const system = compiled.system === null ? null : renderTemplate(compiled.system, view.values, view.media);
  if (isProblem(system)) return system;
  const examples: Rendered["examples"] = [];
  for (const { role, content: template } of compiled.examples) {
    const content =
      role === "user" ? renderContent(template, view) : renderTemplate(template, view.values, view.media);
    if (isProblem(content)) return content;
    examples.push({ role, content });
  }
  const { placement, model, params, defaults, tools, responseFormat, providerParams } = compiled;
  return { system, examples, placement, model, params, defaults, tools, responseFormat, providerParams };
}

/** A user's message: a text, or parts where a tag at its top level stands for a picture or a file. White space alone is
 * no part, for some providers refuse it. */
function renderContent(template: Template, view: View): string | RenderedPart[] | Problem {
  if (view.media.size === 0 || !template.some((segment) => mediaAt(segment, view) !== null)) {
    return renderTemplate(template, view.values, view.media);
  }
  const parts: RenderedPart[] = [];
  let rest = template;
  while (rest.length > 0) {
    const at = rest.findIndex((segment) => mediaAt(segment, view) !== null);
    const text = renderTemplate(at < 0 ? rest : rest.slice(0, at), view.values, view.media);
    if (isProblem(text)) return text;
    if (text.trim() !== "") parts.push({ kind: "text", text });
    const media = at < 0 ? null : mediaAt(rest[at]!, view);
    if (media !== null) parts.push(media);
    rest = at < 0 ? [] : rest.slice(at + 1);
  }
  return parts;
}

function mediaAt(segment: Segment, { values, media }: View): MediaPart | null {
  if (typeof segment === "string" || segment.kind !== "value" || segment.path.length !== 1) return null;
  const name = segment.path[0]!;
  return Object.hasOwn(values, name) ? (media.get(values[name]!) ?? null) : null;
}

/** What the templates look names up in. `media`: those of its values that are pictures or files. */
type View = { values: JsonObject; media: Map<Json, MediaPart> };

/** In a box, because a variable may be called `problem`. */
function fillView(compiled: Compiled, variables: JsonObject): View | Problem {
  const values = { ...variables };
  const media: View["media"] = new Map();
  const missing: string[] = [];
  const errors: FieldError[] = [];
  for (const [name, rule] of Object.entries(compiled.variables)) {
    const sent = (Object.hasOwn(variables, name) ? variables[name] : null) ?? rule.default;
    if (sent === undefined) {
      if (rule.required) missing.push(name);
      continue;
    }
    const value = readValue(name, sent, rule.type);
    if ("error" in value) errors.push({ field: fieldOf(name), message: value.error });
    else if ("media" in value) media.set(sent, value.media);
    // Also one that is a part: what stands in the view is what was sent.
    values[name] = "value" in value ? value.value : sent;
  }
  readUnruled(variables, compiled, { values, media });
  for (const name of findTooDeep(variables)) {
    errors.push({ field: fieldOf(name), message: `must not nest deeper than ${MAX_DEPTH} levels` });
  }
  if (missing.length > 0) return reportMissing(missing, errors);
  const [first] = errors;
  if (first === undefined) return { values, media };
  return problem("variable_invalid", `${first.field} ${first.message}.`, { field: first.field, errors });
}

/** A section may print what no rule names: a part is one there, too. */
function readUnruled(variables: JsonObject, compiled: Compiled, { values, media }: View): void {
  for (const [name, sent] of Object.entries(variables)) {
    if (typeof sent !== "object" || Object.hasOwn(compiled.variables, name)) continue;
    const part = readContentPart(name, sent);
    if (part !== null && "text" in part) values[name] = part.text;
    if (part !== null && "media" in part) media.set(sent!, part.media);
  }
}

function fieldOf(name: string): string {
  return `prompt.variables.${name}`;
}

function readValue(
  name: string,
  sent: Json,
  type: Compiled["variables"][string]["type"],
): { value: Json } | { media: MediaPart } | { error: string } {
  const part = type === "object" ? null : readContentPart(name, sent);
  if (part !== null && "error" in part) return part;
  if (part !== null && "media" in part) {
    return type === null ? part : { error: `must be of type ${type}, not an input_${part.media.kind} part` };
  }
  const value = part?.text ?? sent;
  if (type === null || fitsType(value, type)) return { value };
  return { error: `must be of type ${type}, not ${nameType(value)}` };
}

/** Also those that no rule names: a section may print them, and JSON.stringify has a stack to lose. */
function findTooDeep(variables: JsonObject): string[] {
  return Object.keys(variables).filter((name) => {
    const value = variables[name]!;
    return typeof value === "object" && value !== null && isDeeperThan(value, MAX_DEPTH);
  });
}

function reportMissing(missing: string[], errors: FieldError[]): Problem {
  const names = missing.join(", ");
  const [first = ""] = missing;
  return problem(
    "variable_missing",
    `Missing: ${names}. Send ${missing.length === 1 ? "it" : "them"} in the body's prompt.variables or prompt_variables, or in the header Prompt-Variables.`,
    {
      field: fieldOf(first),
      missing,
      errors: [...missing.map((name) => ({ field: fieldOf(name), message: "is missing" })), ...errors],
    },
  );
}
