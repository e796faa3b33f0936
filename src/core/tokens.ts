// A template's tags, by the parser of the `mustache` package (it builds tokens and never code, so it runs where eval is
// off). Guarantee: a template that gets through here can be walked by plain recursion and costs linear time; the look at
// the tags beforehand is what keeps the parser from its weak spots (unclosed tags over long blanks, endless nesting).

import Mustache from "mustache";
import { TAG_NAME } from "./variables.ts";

export type Token =
  | { kind: "text"; text: string }
  | { kind: "value"; name: string; start: number }
  | { kind: "section" | "inverted"; name: string; start: number; body: Token[] }
  | PartialToken;

/** `indentation`, `tagIndex` and `lineHasText` are what Mustache indents a partial by. */
export type PartialToken = {
  kind: "partial";
  name: string;
  start: number;
  end: number;
  indentation: string;
  tagIndex: number;
  lineHasText: boolean;
};

/** `position` counts UTF-16 units from the start of the template. */
export type TemplateError = { error: string; position: number };

/** Above this the parser's token per character (about 100 bytes each, measured) would not fit an isolate's 128 MB. */
const MAX_TEMPLATE_CHARACTERS = 262_144;
/** The parser looks for a tag's end in time quadratic in the blanks inside it. */
const MAX_TAG_CHARACTERS = 2_000;
const MAX_NESTING = 32;

const LOGIC_WORD = /^(if|unless|each|for|with|endif|elif|set|include)\s/;
const LITERAL_BRACES = 'to write braces literally, give a variable the default "{{"';

// The package's own default writer keeps every template it has ever seen.
const writer = new Mustache.Writer() as Mustache.Writer & { templateCache: undefined };
writer.templateCache = undefined;

/** Tokens as the package makes them: kind, value, start, end, then the body or a partial's indentation. */
type RawToken = [string, string, number, number, (RawToken[] | string)?, number?, boolean?];

export function parseTokens(template: string): Token[] | TemplateError {
  if (!template.includes("{{")) return template === "" ? [] : [{ kind: "text", text: template }];
  if (template.length > MAX_TEMPLATE_CHARACTERS) {
    return { error: `a text with tags may have ${MAX_TEMPLATE_CHARACTERS} characters at most`, position: 0 };
  }
  const wrong = findWrongTag(template);
  if (wrong !== null) return wrong;
  try {
    return nameTokens(writer.parse(template) as RawToken[]);
  } catch (thrown) {
    return readParserError(thrown, template);
  }
}

export function isTemplateError(value: Token[] | TemplateError): value is TemplateError {
  return !Array.isArray(value);
}

function findWrongTag(template: string): TemplateError | null {
  let depth = 0;
  const opening = /\{\{\s*([#^/>{&=!]?)\s*/y;
  for (let start = template.indexOf("{{"); start !== -1; start = template.indexOf("{{", opening.lastIndex)) {
    opening.lastIndex = start;
    const type = opening.exec(template)?.[1] ?? "";
    const close = type === "{" ? "}}}" : "}}";
    const end = template.indexOf(close, opening.lastIndex);
    if (type === "=") return { error: "changing the tags' delimiters is not supported", position: start };
    if (end === -1) return { error: `the tag is never closed; ${LITERAL_BRACES}`, position: start };
    if (end - start > MAX_TAG_CHARACTERS) {
      return { error: `the tag is longer than ${MAX_TAG_CHARACTERS} characters`, position: start };
    }
    const error = checkName(type, template.slice(opening.lastIndex, end).trimEnd());
    if (error !== null) return { error, position: start };
    depth += type === "#" || type === "^" ? 1 : type === "/" ? -1 : 0;
    if (depth > MAX_NESTING) return { error: `sections nest deeper than ${MAX_NESTING}`, position: start };
    opening.lastIndex = end + close.length;
  }
  return null;
}

function checkName(type: string, name: string): string | null {
  // A comment may say anything; what a partial may be called is for whoever resolves it.
  if (type === "!" || type === ">" || name === "." || TAG_NAME.test(name)) return null;
  if (LOGIC_WORD.test(name)) {
    return `"${name}" is logic, which Mustache has not: {{#x}}…{{/x}} shows its body if x is set, or once per element, {{^x}}…{{/x}} if it is not`;
  }
  const found = name === "" ? "the tag is empty" : `"${name.slice(0, 60)}" cannot be the name of a variable`;
  return `${found} (letters, digits, _ and -, with dots for members); ${LITERAL_BRACES}`;
}

function nameTokens(raw: RawToken[]): Token[] {
  return raw.flatMap(([kind, value, start, end, more, tagIndex, lineHasText]): Token[] => {
    switch (kind) {
      case "text":
        return [{ kind: "text", text: value }];
      case "name":
      case "&":
        return [{ kind: "value", name: value, start }];
      case "#":
      case "^":
        return [
          {
            kind: kind === "#" ? "section" : "inverted",
            name: value,
            start,
            body: nameTokens(more as RawToken[]),
          },
        ];
      case ">":
        return [
          {
            kind: "partial",
            name: value,
            start,
            end,
            indentation: more as string,
            tagIndex: tagIndex ?? 0,
            lineHasText: lineHasText ?? false,
          },
        ];
      default:
        return [];
    }
  });
}

function readParserError(thrown: unknown, template: string): TemplateError {
  const [, error, position] = /^(.*) at (\d+)$/s.exec(String((thrown as Error).message)) ?? [];
  if (error === undefined) throw thrown;
  return {
    error: error.slice(0, 1).toLowerCase() + error.slice(1),
    position: Math.min(Number(position), template.length),
  };
}
