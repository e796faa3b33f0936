// A compiled version and the caller's variables become text: the only work that variables cost a request. Guarantees:
// every missing variable is named at once and nothing is rendered without it; nothing but messages is ever templated;
// without variables the result never changes, so the caller may keep it. Measured on two shared cores with Node 24, a
// 4 KB system text: with 184 tags compile 0.8 ms and render 14 µs, without tags 0.06 ms and 0.2 µs.

import { isProblem, problem, type FieldError, type Problem } from "./problem.ts";
import type { Rendered } from "./rendered.ts";
import { renderTemplate } from "./template.ts";
import type { Compiled, Json, JsonObject } from "./types.ts";
import { fitsType, isDeeperThan, MAX_DEPTH, nameType, readContentPart } from "./variables.ts";

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
  const system = compiled.system === null ? null : renderTemplate(compiled.system, view.values);
  if (isProblem(system)) return system;
  const examples: Rendered["examples"] = [];
  for (const { role, content } of compiled.examples) {
    const text = renderTemplate(content, view.values);
    if (isProblem(text)) return text;
    examples.push({ role, content: text });
  }
  const { placement, model, params, defaults, tools, responseFormat, providerParams } = compiled;
  return { system, examples, placement, model, params, defaults, tools, responseFormat, providerParams };
}

/** In a box, because a variable may be called `problem`. */
function fillView(compiled: Compiled, variables: JsonObject): { values: JsonObject } | Problem {
  const values = { ...variables };
  const missing: string[] = [];
  const errors: FieldError[] = [];
  for (const [name, rule] of Object.entries(compiled.variables)) {
    const sent = Object.hasOwn(variables, name) ? variables[name] : null;
    if (sent === null || sent === undefined) {
      if (rule.default !== undefined) values[name] = rule.default;
      else if (rule.required) missing.push(name);
      continue;
    }
    const value = readValue(sent, rule.type);
    if ("value" in value) values[name] = value.value;
    else errors.push({ field: fieldOf(name), message: value.error });
  }
  for (const name of findTooDeep(variables)) {
    errors.push({ field: fieldOf(name), message: `must not nest deeper than ${MAX_DEPTH} levels` });
  }
  if (missing.length > 0) return reportMissing(missing, errors);
  const [first] = errors;
  if (first === undefined) return { values };
  return problem("variable_invalid", `${first.field} ${first.message}.`, { field: first.field, errors });
}

function fieldOf(name: string): string {
  return `prompt.variables.${name}`;
}

function readValue(
  sent: Json,
  type: Compiled["variables"][string]["type"],
): { value: Json } | { error: string } {
  const part = type === "object" ? null : readContentPart(sent);
  if (part !== null && "refused" in part) {
    return { error: `is an ${part.refused} part; only text can be put into a text` };
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
