// Partials, `{{> name}}` and `{{> name@3}}`: found, and inlined at push. Guarantee: a closed version renders exactly as
// Mustache would render the open one with the same partials, or the push is refused; what a partial says later cannot
// reach a version that is there already.

import { canonicalJson } from "./canonical.ts";
import { countIndentation, indentPartial, spliceTexts, writeTemplate } from "./partial-text.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { templateProblem, toSegments } from "./template.ts";
import { encodeUtf8 } from "./text.ts";
import { isTemplateError, parseTokens, type PartialToken, type Token } from "./tokens.ts";
import {
  NAME_PATTERN,
  type Content,
  type Json,
  type PromptVersion,
  type Template,
  type VariableRule,
} from "./types.ts";

/** Version null: the newest that was not revoked, at the time of the push; whoever looks it up sees to that. */
export type PartialReference = { name: string; version: number | null };

/** What a look-up answers. `variables` are the partial's own declarations; the prompt inherits those it lacks. */
export type PartialSource = {
  text: string;
  version: number;
  digest: string;
  variables?: { [name: string]: VariableRule };
};
export type PartialLookup = (name: string, version: number | null) => PartialSource | null;

const MAX_DEPTH = 10;
const MAX_CLOSED_BYTES = 1_048_576;
/** Ten levels of ten tags each would be ten thousand million inclusions, of nothing if need be. */
const MAX_INCLUSIONS = 1_000;

/** Every partial that the content names, each once. Templates that do not parse are left to `inlinePartials`. */
export function listPartials(content: Content): PartialReference[] {
  const found = new Map<string, PartialReference>();
  for (const message of content.messages) {
    const tokens = parseTokens(message.content);
    for (const tag of isTemplateError(tokens) ? [] : findPartials(tokens)) {
      const reference = readReference(tag.name);
      if (reference !== null) found.set(tag.name, reference);
    }
  }
  return [...found.values()];
}

/** The text of a prompt of kind `partial`: its one message. Whatever inlining would drop is refused. */
export function partialText(content: Content): string | Problem {
  const [only] = content.messages;
  if (only === undefined || content.messages.length > 1) {
    return problem("invalid_request", "A partial has exactly one message; its text is what gets inlined.", {
      field: "messages",
    });
  }
  const dropped = (
    ["model", "params", "defaults", "tools", "response_format", "provider_params"] as const
  ).find((field) => content[field] !== undefined);
  if (dropped === undefined) return only.content;
  return problem("invalid_request", `A partial is text only: set ${dropped} in the prompts that use it.`, {
    field: dropped,
  });
}

type Inlined = { content: Content; partials: PromptVersion["partials"] };

/** One run over a content: what has been used, and what may still be spent. */
type Run = {
  lookup: PartialLookup;
  field: string;
  used: Map<string, { name: string; source: PartialSource }>;
  inclusions: number;
  bytes: number;
};

/**
 * The content with the text of every partial in the place of its tag. `invalid_request` names the message and the partial:
 * not found, cyclic, nested deeper than 10, more than 1 MiB in all, or torn across its border.
 */
export function inlinePartials(content: Content, lookup: PartialLookup): Inlined | Problem {
  const run: Run = { lookup, field: "", used: new Map(), inclusions: 0, bytes: 0 };
  const messages: Content["messages"] = [];
  for (const [index, message] of content.messages.entries()) {
    run.field = `messages[${index}].content`;
    const closed = closeText(message.content, [], run);
    if (isProblem(closed)) return closed;
    messages.push({ ...message, content: closed.text });
  }
  const inherited = inheritVariables(content, run);
  if (isProblem(inherited)) return inherited;
  const variables = { ...Object.fromEntries(inherited), ...content.variables };
  return {
    content: { ...content, messages, ...(Object.keys(variables).length > 0 ? { variables } : {}) },
    partials: [...run.used.values()].map(({ name, source: { version, digest } }) => ({
      name,
      version,
      digest,
    })),
  };
}

type Closed = { text: string; tokens: Token[] };

/** `chain` is the way from the message down to this text: `name@version` of each partial. */
function closeText(text: string, chain: string[], run: Run): Closed | Problem {
  run.bytes += encodeUtf8(text).length;
  if (run.bytes > MAX_CLOSED_BYTES)
    return refuse(run, `with its partials it is larger than ${MAX_CLOSED_BYTES} bytes`);
  const tokens = parseTokens(text);
  if (isTemplateError(tokens)) {
    const where = chain.length === 0 ? run.field : `${run.field}, in the partial ${chain.at(-1)}`;
    return { ...templateProblem(tokens, text, where), field: run.field };
  }
  const inner = new Map<PartialToken, Closed>();
  for (const tag of findPartials(tokens)) {
    const closed = closePartial(tag, chain, run);
    if (isProblem(closed)) return closed;
    inner.set(tag, closed);
  }
  if (inner.size === 0) return { text, tokens };
  const closed = expandTokens(tokens, inner);
  const replacements = [...inner].map(([tag, { text: replacement }]) => ({ tag, text: replacement }));
  const written = writeFaithfully(spliceTexts(text, replacements), toSegments(closed));
  if (typeof written === "string") return { text: written, tokens: closed };
  const names = [...inner.keys()].map(({ name }) => name).join(", ");
  return refuse(run, `with the partials inlined (${names}), ${written.error}`);
}

/** The plain way if it reads as Mustache would read it, else anew from the segments. */
function writeFaithfully(spliced: string, expected: Template): string | { error: string } {
  const wanted = JSON.stringify(expected);
  let error = "a tag or a blank line is torn across a border; end the partials with a newline";
  for (const written of [spliced, writeTemplate(expected)]) {
    const tokens = parseTokens(written);
    if (isTemplateError(tokens)) error = tokens.error;
    else if (JSON.stringify(toSegments(tokens)) === wanted) return written;
  }
  return { error };
}

function closePartial(tag: PartialToken, chain: string[], run: Run): Closed | Problem {
  const reference = readReference(tag.name);
  if (reference === null) {
    return refuse(run, `"${tag.name.slice(0, 80)}" is no partial's name; write {{> name}} or {{> name@3}}`);
  }
  const source = run.lookup(reference.name, reference.version);
  if (source === null) {
    return refuse(run, `there is no partial "${tag.name}"; push it first, as a prompt of kind partial`);
  }
  const id = `${reference.name}@${source.version}`;
  run.inclusions += 1;
  if (chain.includes(id))
    return refuse(run, `the partials include each other: ${[...chain, id].join(" → ")}`);
  if (chain.length >= MAX_DEPTH)
    return refuse(run, `partials nest deeper than ${MAX_DEPTH}: ${[...chain, id].join(" → ")}`);
  if (run.inclusions > MAX_INCLUSIONS)
    return refuse(run, `it takes more than ${MAX_INCLUSIONS} inclusions of partials`);
  if (countIndentation(source.text, tag) > MAX_CLOSED_BYTES) {
    return refuse(run, `with its partials it is larger than ${MAX_CLOSED_BYTES} bytes`);
  }
  run.used.set(id, { name: reference.name, source });
  return closeText(indentPartial(source.text, tag), [...chain, id], run);
}

function refuse(run: Run, message: string): Problem {
  const { field } = run;
  return problem("invalid_request", `${field}: ${message}.`, { field, errors: [{ field, message }] });
}

function findPartials(tokens: Token[]): PartialToken[] {
  return tokens.flatMap((token) => {
    if (token.kind === "partial") return [token];
    return "body" in token ? findPartials(token.body) : [];
  });
}

function expandTokens(tokens: Token[], inner: Map<PartialToken, Closed>): Token[] {
  return tokens.flatMap((token): Token[] => {
    if (token.kind === "partial") return inner.get(token)?.tokens ?? [];
    return "body" in token ? [{ ...token, body: expandTokens(token.body, inner) }] : [token];
  });
}

function readReference(text: string): PartialReference | null {
  const [, name = "", version] = /^([^@\s]+)(?:@([1-9]\d{0,8}))?$/.exec(text) ?? [];
  return NAME_PATTERN.test(name) ? { name, version: version === undefined ? null : Number(version) } : null;
}

/** What the partials declare and the prompt does not. Two partials that disagree leave it to the prompt. */
function inheritVariables(content: Content, run: Run): Map<string, VariableRule> | Problem {
  const inherited = new Map<string, VariableRule>();
  for (const [from, { source }] of run.used) {
    for (const [name, rule] of Object.entries(source.variables ?? {})) {
      if (Object.hasOwn(content.variables ?? {}, name)) continue;
      const other = inherited.get(name);
      if (other !== undefined && canonicalJson(other as Json) !== canonicalJson(rule as Json)) {
        return problem(
          "invalid_request",
          `Two partials declare the variable ${name} differently (one is ${from}): declare it in the prompt.`,
          { field: `variables.${name}` },
        );
      }
      inherited.set(name, rule);
    }
  }
  return inherited;
}
