// From words to an invocation, or to one sentence that names the argument that is wrong. Values are checked here by
// kind, so that a command only meets numbers that are numbers.

import { parseArgs } from "node:util";
import { NAME_PATTERN } from "../core/types.ts";
import type { Argument, CommandSpec, Invocation, Option, Value } from "./command.ts";
import { findNearest } from "./nearest.ts";

export const GLOBAL_OPTIONS: Option[] = [
  { name: "environment", short: "e", kind: "environment", value: "NAME", help: "default: production" },
  { name: "reason", short: "m", kind: "text", value: "TEXT", help: "why; kept in the audit log" },
  { name: "json", kind: "flag", help: "the server's own JSON, errors too" },
  { name: "yes", short: "y", kind: "flag", help: "ask nothing" },
  { name: "url", kind: "text", value: "URL", help: "instead of SWITCHBACK_URL" },
  {
    name: "token",
    kind: "text",
    value: "TOKEN",
    help: "instead of SWITCHBACK_TOKEN, which no process list shows",
  },
  { name: "no-color", kind: "flag", help: "as NO_COLOR does" },
  { name: "help", short: "h", kind: "flag", help: "what the command does, with examples" },
];

export type Misuse = { misuse: string; spec: CommandSpec | null };

/** A prompt's name or an alias, which may hold more. */
export function isPromptName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(text);
}

/** The command is the first word that is no option and no value of a global option; some have two words. */
export function parseCommandLine(specs: CommandSpec[], argv: string[]): Invocation | Misuse {
  const at = findWord(argv, 0);
  if (at === null) return { misuse: "A command is missing.", spec: null };
  const first = argv[at]!;
  const group = specs.filter((spec) => spec.name.startsWith(`${first} `));
  const second = group.length > 0 ? findWord(argv, at + 1) : null;
  if (group.length > 0 && second === null) {
    const names = group.map((spec) => spec.name.slice(first.length + 1));
    return { misuse: `"${first}" needs one of: ${names.join(", ")}.`, spec: group[0]! };
  }
  const name = second === null ? first : `${first} ${argv[second]}`;
  const spec = specs.find((candidate) => candidate.name === name);
  const usual = group.find((candidate) => candidate.isUsual);
  if (!spec && usual && second !== null && isVersionNext(argv, second)) {
    return parseRest(
      usual,
      argv.filter((_, index) => index !== at),
    );
  }
  const alone = group.find((candidate) => candidate.isUsualAlone);
  if (!spec && alone && second !== null && isPromptAlone(argv, second, group)) {
    return parseRest(
      alone,
      argv.filter((_, index) => index !== at),
    );
  }
  if (!spec) return { misuse: describeUnknown(specs, name), spec: null };
  return parseRest(
    spec,
    argv.filter((_, index) => index !== at && index !== second),
  );
}

/** `ramp support-bot 3`, where a misspelt second word would be followed by something else. */
function isVersionNext(argv: string[], second: number): boolean {
  const third = findWord(argv, second + 1);
  return third !== null && typeof readVersion(argv[third]!) === "number";
}

/** `ramp support-bot`, but not `ramp puase`. */
function isPromptAlone(argv: string[], second: number, group: CommandSpec[]): boolean {
  const words = group.map((spec) => spec.name.slice(spec.name.indexOf(" ") + 1));
  return findWord(argv, second + 1) === null && findNearest(argv[second]!, words) === null;
}

function findWord(argv: string[], start: number): number | null {
  for (let index = start; index < argv.length; index += 1) {
    const word = argv[index]!;
    if (!word.startsWith("-") || word === "-") return index;
    if (takesNextWord(word)) index += 1;
  }
  return null;
}

function takesNextWord(word: string): boolean {
  return GLOBAL_OPTIONS.some(
    (option) => option.kind !== "flag" && (word === `--${option.name}` || word === `-${option.short}`),
  );
}

function describeUnknown(specs: CommandSpec[], name: string): string {
  const nearest = findNearest(
    name,
    specs.map((spec) => spec.name),
  );
  const hint = nearest === null ? "`switchback help` lists them" : `did you mean "${nearest}"?`;
  return `There is no command "${name}": ${hint}`;
}

function parseRest(spec: CommandSpec, argv: string[]): Invocation | Misuse {
  const options = [...spec.options, ...GLOBAL_OPTIONS];
  const { tokens } = parseArgs({
    args: argv,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      options.map((option) => [
        option.name,
        {
          type: option.kind === "flag" ? "boolean" : "string",
          ...(option.short ? { short: option.short } : {}),
        },
      ]),
    ),
  });
  const values: Invocation["values"] = {};
  const words: string[] = [];
  let negativeAt = -1;
  for (const token of tokens) {
    // No option begins with a digit; what looks like several to `parseArgs` is one number.
    const word = argv[token.index]!;
    if (token.kind === "option" && /^-\.?\d/.test(word)) {
      if (token.index !== negativeAt) words.push(word);
      negativeAt = token.index;
      continue;
    }
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const misuse = takeOption(options, token, values);
    if (misuse !== null) return { misuse, spec };
  }
  if (values["help"] === true) return { spec, values };
  const misuse = takeArguments(spec, words, values);
  return misuse === null ? { spec, values } : { misuse, spec };
}

type OptionToken = {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
};

function takeOption(options: Option[], token: OptionToken, values: Invocation["values"]): string | null {
  const option = options.find((candidate) => candidate.name === token.name);
  if (!option) {
    const nearest = findNearest(
      token.name,
      options.map((candidate) => candidate.name),
    );
    return `There is no option ${token.rawName} here${nearest === null ? "." : `: did you mean --${nearest}?`}`;
  }
  if (option.kind === "flag") {
    if (token.value !== undefined) return `--${option.name} takes no value.`;
    values[option.name] = true;
    return null;
  }
  const text = token.value;
  const swallowed = token.inlineValue === false && text !== undefined && /^--?[a-z]/i.test(text);
  if (text === undefined || swallowed) return `--${option.name} needs a value${suffixOf(option)}.`;
  const value = readOption(option, text, values[option.name]);
  if (isWrong(value)) return `--${option.name} ${value.wrong} (got "${text}").`;
  values[option.name] = value;
  return null;
}

function suffixOf(option: Option): string {
  return option.value === undefined ? "" : `: ${option.value}`;
}

type Wrong = { wrong: string };

function isWrong(value: Value | Wrong): value is Wrong {
  return typeof value === "object" && "wrong" in value;
}

function readOption(option: Option, text: string, earlier: Value | undefined): Value | Wrong {
  if (option.choices && !option.choices.includes(text)) {
    return { wrong: `must be ${option.choices.join(" or ")}` };
  }
  switch (option.kind) {
    case "version":
      return readVersion(text);
    case "revision":
      return /^\d{1,9}$/.test(text) ? Number(text) : { wrong: "must be the number of a revision" };
    case "seconds":
      return readSeconds(text);
    case "duration":
      return readDuration(text);
    case "percent":
      return readWeight(text);
    case "environment":
      return NAME_PATTERN.test(text) ? text : { wrong: `must match ${NAME_PATTERN.source}` };
    case "list":
      return [...(Array.isArray(earlier) ? earlier : []), text];
    default:
      return text;
  }
}

function takeArguments(spec: CommandSpec, words: string[], values: Invocation["values"]): string | null {
  const surplus = words[spec.arguments.length];
  if (surplus !== undefined) return `"${surplus}" is one word too many.`;
  const needed = spec.arguments.filter((argument) => !argument.optional).length;
  // Optional words stand where they may be left out: `push [PROMPT] FILE` gives its first word to FILE.
  let spare = words.length - needed;
  let next = 0;
  for (const argument of spec.arguments) {
    if (argument.optional && spare-- <= 0) continue;
    const text = words[next++];
    if (text === undefined) return `${argument.name} is missing.`;
    const value = readArgument(argument, text);
    if (isWrong(value)) return `${argument.name} ${value.wrong} (got "${text}").`;
    values[argument.name] = value;
  }
  return null;
}

function readArgument(argument: Argument, text: string): Value | Wrong {
  switch (argument.kind) {
    case "version":
      return readVersion(text);
    case "weight":
      return readWeight(text);
    case "prompt":
      return isPromptName(text) ? text : { wrong: "must be the name or an alias of a prompt" };
    default:
      return text;
  }
}

/** "3" or "v3". */
export function readVersion(text: string): number | Wrong {
  return /^v?[1-9]\d{0,8}$/.test(text)
    ? Number(text.replace("v", ""))
    : { wrong: "must be the number of a version, such as 3" };
}

/** "5%", "5" or "0.25%". */
export function readWeight(text: string): number | Wrong {
  const weight = /^\d{1,3}(\.\d{1,2})?%?$/.test(text) ? Number(text.replace("%", "")) : Number.NaN;
  return weight <= 100
    ? weight
    : { wrong: "must be a percentage from 0 to 100 in steps of 0.01, such as 5%" };
}

const DURATION_MS: { [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "10m", "90s", "1h30m", "500ms", "0" → milliseconds. */
export function readDuration(text: string): number | Wrong {
  const parts = [...text.matchAll(/(\d{1,6})(ms|s|m|h|d)/g)];
  const whole = parts.map(([part]) => part).join("");
  if (text === "0") return 0;
  if (text === "" || whole !== text) return { wrong: "must be a duration, such as 90s, 10m, 24h or 1h30m" };
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * DURATION_MS[unit!]!, 0);
}

function readSeconds(text: string): number | Wrong {
  const seconds = Number(text);
  return text !== "" && seconds >= 0.1 && seconds <= 3600
    ? seconds
    : { wrong: "must be a number of seconds from 0.1 to 3600" };
}
