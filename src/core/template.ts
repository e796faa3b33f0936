// Templates: logic-less Mustache, without HTML escaping. Compiled once at push, rendered on every request. Guarantees:
// one pass over our own text only (a value that contains `{{x}}` stays as it is), no look-up ever leaves the caller's own
// data (no prototypes), and a template that repeats itself over huge lists ends in a Problem, not in a dead isolate.

import { problem, type Problem } from "./problem.ts";
import { isTemplateError, parseTokens, type TemplateError, type Token } from "./tokens.ts";
import type { Json, JsonObject, Segment, Template } from "./types.ts";

/** What one rendering may cost at most: characters written, and segments visited. */
const MAX_RENDERED_CHARACTERS = 8_388_608;
const MAX_STEPS = 2_000_000;

/**
 * Compiles the template that stands at `field` of a version's content. `invalid_request` for a syntax error (the message
 * says where), for set-delimiter tags, and for partials, which must have been inlined before.
 */
export function compileTemplate(text: string, field: string): Template | Problem {
  const tokens = parseTokens(text);
  if (isTemplateError(tokens)) return templateProblem(tokens, text, field);
  const partial = findPartial(tokens);
  if (partial === null) return toSegments(tokens);
  const error = `the partial "${partial.name}" has not been inlined`;
  return templateProblem({ error, position: partial.start }, text, field);
}

export function templateProblem({ error, position }: TemplateError, text: string, field: string): Problem {
  const before = text.slice(0, position).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  const message = `line ${before.length}, column ${column}: ${error}`;
  return problem("invalid_request", `${field}, ${message}.`, { field, errors: [{ field, message }] });
}

function findPartial(tokens: Token[]): { name: string; start: number } | null {
  for (const token of tokens) {
    const found = token.kind === "partial" ? token : "body" in token ? findPartial(token.body) : null;
    if (found !== null) return found;
  }
  return null;
}

/** Without partials. Neighbouring texts become one, so that equal templates have equal segments. */
export function toSegments(tokens: Token[]): Template {
  return joinTemplates(
    tokens.map((token): Template => {
      if (token.kind === "text") return [token.text];
      if (token.kind === "value") return [{ kind: "value", path: toPath(token.name) }];
      if (token.kind === "partial") return [];
      return [{ kind: token.kind, path: toPath(token.name), body: toSegments(token.body) }];
    }),
  );
}

export function joinTemplates(templates: Template[]): Template {
  const joined: Template = [];
  for (const segment of templates.flat()) {
    const last = joined.at(-1);
    if (typeof segment === "string" && typeof last === "string") joined[joined.length - 1] = last + segment;
    else if (segment !== "") joined.push(segment);
  }
  return joined;
}

/** The implicit iterator `{{.}}` is the empty path. */
function toPath(name: string): string[] {
  return name === "." ? [] : name.split(".");
}

/** A value and what it stands inside of. The outermost frame has no parent. */
type Frame = { value: Json | undefined; parent: Frame | null };
/** `media`: values that no text can hold, under the name of their variable. `met`: one that a text was to hold. */
type Output = { text: string; steps: number; media: Media; met: string | null };
export type Media = ReadonlyMap<Json, { variable: string }>;

const NO_MEDIA: Media = new Map();

/**
 * Mustache's semantics: names are looked up from the innermost section outwards; strings as they are, numbers and
 * booleans as JavaScript prints them, lists and objects as compact JSON, null and what is missing as nothing.
 * `variable_invalid` where the values make the text larger than any provider takes, and where one of `media` is named.
 */
export function renderTemplate(
  template: Template,
  view: JsonObject,
  media: Media = NO_MEDIA,
): string | Problem {
  const [only] = template;
  if (template.length === 1 && typeof only === "string") return only;
  const output: Output = { text: "", steps: 0, media, met: null };
  if (writeSegments(template, { value: view, parent: null }, output)) return output.text;
  if (output.met !== null) return refuseMedia(output.met);
  return problem(
    "variable_invalid",
    `The prompt grows past ${MAX_RENDERED_CHARACTERS} characters (or ${MAX_STEPS} steps) with these variables: send shorter ones.`,
    { field: "prompt.variables" },
  );
}

function refuseMedia(variable: string): Problem {
  const field = `prompt.variables.${variable}`;
  return problem(
    "variable_invalid",
    `${field} is a picture or a file, which only a user message of the version can hold, outside of every section: ` +
      `let the version name {{${variable}}} there, or send a text.`,
    { field },
  );
}

/** False as soon as the output is over budget, or met what is no text. */
function writeSegments(segments: Segment[], frame: Frame, output: Output): boolean {
  for (const segment of segments) {
    output.steps += 1;
    if (typeof segment === "string") output.text += segment;
    else if (segment.kind === "value") writeValue(lookUp(frame, segment.path), output);
    else if (!writeSection(segment, frame, output)) return false;
    if (output.met !== null) return false;
    if (output.text.length > MAX_RENDERED_CHARACTERS || output.steps > MAX_STEPS) return false;
  }
  return true;
}

function writeSection(
  section: Exclude<Segment, string | { kind: "value" }>,
  frame: Frame,
  output: Output,
): boolean {
  const value = lookUp(frame, section.path);
  const isSet = Array.isArray(value) ? value.length > 0 : Boolean(value);
  if (section.kind === "inverted") return isSet || writeSegments(section.body, frame, output);
  if (!isSet) return true;
  if (value === true) return writeSegments(section.body, frame, output);
  const elements = Array.isArray(value) ? value : [value];
  return elements.every((element) => {
    output.steps += 1;
    return writeSegments(section.body, { value: element, parent: frame }, output);
  });
}

function lookUp(frame: Frame, path: string[]): Json | undefined {
  // The outermost frame is the bag of all variables, which `{{.}}` is not meant to spill.
  if (path.length === 0) return frame.parent === null ? undefined : frame.value;
  for (let at: Frame | null = frame; at !== null; at = at.parent) {
    let found: Json | undefined = at.value;
    let depth = 0;
    while (depth < path.length && isOwn(found, path[depth]!)) found = readOwn(found, path[depth++]!);
    if (depth === path.length) return found;
  }
  return undefined;
}

function isOwn(value: Json | undefined, key: string): value is Json[] | JsonObject {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function readOwn(value: Json[] | JsonObject, key: string): Json | undefined {
  return (value as JsonObject)[key];
}

function writeValue(value: Json | undefined, output: Output): void {
  if (typeof value === "string") output.text += value;
  else if (value === undefined || value === null) return;
  else if (typeof value !== "object") output.text += String(value);
  else if (output.media.has(value)) output.met = output.media.get(value)!.variable;
  else output.text += JSON.stringify(value);
}
