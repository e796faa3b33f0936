// From a closed content to what the edge needs of it, once, at push. Guarantee: what compiles here can be rendered by
// every edge without another look at syntax, and which variables a caller has to send is settled and readable.

import { isProblem, problem, type FieldError, type Problem } from "./problem.ts";
import { compileTemplate, joinTemplates } from "./template.ts";
import { encodeUtf8 } from "./text.ts";
import type { Compiled, Content, PromptKind, Segment, Template } from "./types.ts";

/** A version (content and compiled form together) is one row of a Durable Object's storage, which holds 2 MB. */
const MAX_VERSION_BYTES = 1_900_000;

type CompiledMessage = { role: "system" | "user" | "assistant"; template: Template };

/**
 * `invalid_request` for syntax errors, all of them in `errors`, each naming its field (`messages[0].content`) and place.
 * `{{.}}` outside of every section is refused, but for a partial, which may be meant for the inside of one.
 * System messages become one text with a blank line between them; the rest are examples, in their order.
 */
export function compileContent(content: Content, kind: PromptKind = "prompt"): Compiled | Problem {
  const messages = compileMessages(content, kind);
  if (isProblem(messages)) return messages;
  const systems = messages.filter(({ role }) => role === "system").map(({ template }) => template);
  const compiled: Compiled = {
    system:
      systems.length === 0
        ? null
        : joinTemplates(systems.flatMap((system, at) => (at > 0 ? [["\n\n"], system] : [system]))),
    examples: messages.flatMap(({ role, template }) =>
      role === "system" ? [] : [{ role, content: template }],
    ),
    placement: content.placement,
    model: content.model ?? null,
    params: content.params ?? {},
    defaults: content.defaults ?? {},
    tools: content.tools ?? [],
    responseFormat: content.response_format ?? null,
    providerParams: content.provider_params ?? {},
    variables: settleVariables(
      content,
      messages.flatMap(({ template }) => template),
    ),
  };
  const bytes = encodeUtf8(JSON.stringify({ content, compiled })).length;
  if (bytes <= MAX_VERSION_BYTES) return compiled;
  return problem(
    "invalid_request",
    `The version takes ${bytes} bytes, compiled form included; ${MAX_VERSION_BYTES} is the most.`,
    { field: "messages" },
  );
}

function compileMessages(content: Content, kind: PromptKind): CompiledMessage[] | Problem {
  const messages: CompiledMessage[] = [];
  const problems: Problem[] = [];
  for (const [index, { role, content: text }] of content.messages.entries()) {
    const field = `messages[${index}].content`;
    const template = compileTemplate(text, field);
    if (isProblem(template)) problems.push(template);
    else if (kind === "prompt" && spillsAll(template)) problems.push(refuseIterator(field));
    else messages.push({ role, template });
  }
  const [first] = problems;
  if (first === undefined) return messages;
  return { ...first, errors: problems.flatMap(({ errors }): FieldError[] => errors ?? []) };
}

/** Whether `{{.}}` stands where it means no element but the bag of all variables. */
function spillsAll(template: Template): boolean {
  return template.some((segment) => {
    if (typeof segment === "string") return false;
    return segment.path.length === 0 || (segment.kind === "inverted" && spillsAll(segment.body));
  });
}

function refuseIterator(field: string): Problem {
  const message = "{{.}} stands for the element of a section around it, and there is none";
  return problem("invalid_request", `${field}: ${message}.`, { field, errors: [{ field, message }] });
}

/**
 * Declared variables first, then undeclared names in order of appearance: required where a plain tag outside of every
 * section uses them, optional where only a section asks for them. Names inside a section may be members of its elements,
 * so nobody is made to send them.
 */
function settleVariables(content: Content, segments: Segment[]): Compiled["variables"] {
  const settled = new Map<string, Compiled["variables"][string]>();
  for (const [name, rule] of Object.entries(content.variables ?? {})) {
    const hasDefault = rule.default !== undefined;
    settled.set(name, {
      type: rule.type ?? null,
      required: rule.required ?? !hasDefault,
      ...(hasDefault ? { default: rule.default } : {}),
    });
  }
  const declared = new Set(settled.keys());
  for (const segment of segments) {
    const name = typeof segment === "string" ? undefined : segment.path[0];
    if (typeof segment === "string" || name === undefined || declared.has(name)) continue;
    const required = segment.kind === "value" || settled.get(name)?.required === true;
    settled.set(name, { type: null, required });
  }
  return Object.fromEntries(settled);
}
