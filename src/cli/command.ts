// What a command is, as data: its words, its options, and one function from an invocation to an outcome. A command
// never prints and never exits: main.ts turns the outcome into text or JSON and an exit code, in one place.

import type { Client, Refusal } from "./client.ts";
import type { Machine } from "./machine.ts";
import type { Look } from "./show/look.ts";

export type Argument = {
  /** As in the usage line: `PROMPT`. */
  name: string;
  kind: "prompt" | "version" | "weight" | "text";
  optional?: true;
};

export type Option = {
  /** Without the dashes. */
  name: string;
  kind:
    | "flag"
    | "text"
    | "list"
    | "version"
    | "revision"
    | "environment"
    | "seconds"
    | "duration"
    | "percent";
  short?: string;
  /** What stands for the value in the help: `N`, `drain|now`. */
  value?: string;
  choices?: readonly string[];
  help: string;
};

export type CommandSpec = {
  /** One word or two: `rollback`, `tokens list`. */
  name: string;
  /** Of two words the second may be left out. */
  isUsual?: true;
  /** And where nothing but the prompt is named. */
  isUsualAlone?: true;
  summary: string;
  arguments: Argument[];
  options: Option[];
  examples: string[];
  /** What does not fit the summary: defaults, what is safe, what is not. */
  details?: string;
} & (
  | { offline?: never; run(invocation: Invocation, context: Context): Promise<Outcome> }
  /** Runs without a control plane. */
  | { offline: true; run(invocation: Invocation, surroundings: Surroundings): Promise<Outcome> }
);

export type Value = string | number | boolean | string[];

export type Invocation = {
  spec: CommandSpec;
  /** Arguments by their name and options by theirs, checked by kind; what was not given is missing. */
  values: { [name: string]: Value };
};

/** What every command is given, whether or not there is a control plane. */
export type Surroundings = {
  machine: Machine;
  look: Look;
  /** `--no-color`. */
  noColour: boolean;
  /** When the command began, for ages. */
  nowMs: number;
  json: boolean;
  environment: string;
  /** `--environment` was given. */
  environmentGiven: boolean;
  reason: string;
  yes: boolean;
};

export type Context = Surroundings & { client: Client };

export type Outcome =
  /** `json` is printed as it is under `--json`; `lines` are asked for otherwise. */
  | { outcome: "done"; json: string; lines: () => string[] }
  | { outcome: "refused"; refusal: Refusal; hints: string[] }
  | { outcome: "misused"; message: string }
  /** The user said no. */
  | { outcome: "declined" }
  /** Has printed all there was to print while it ran. */
  | { outcome: "ended" };

export function done(json: string, lines: () => string[]): Outcome {
  return { outcome: "done", json, lines };
}

export function refused(refusal: Refusal, ...hints: string[]): Outcome {
  return { outcome: "refused", refusal, hints };
}

export function misused(message: string): Outcome {
  return { outcome: "misused", message };
}

export function textOf(invocation: Invocation, name: string): string | undefined {
  const value = invocation.values[name];
  return typeof value === "string" ? value : undefined;
}

export function numberOf(invocation: Invocation, name: string): number | undefined {
  const value = invocation.values[name];
  return typeof value === "number" ? value : undefined;
}

export function listOf(invocation: Invocation, name: string): string[] {
  const value = invocation.values[name];
  return Array.isArray(value) ? value : [];
}

export function isSet(invocation: Invocation, name: string): boolean {
  return invocation.values[name] === true;
}

/** The value of an argument that is not optional. */
export function required<T>(value: T | undefined): T {
  if (value === undefined)
    throw new TypeError("an argument that the parser lets nobody leave out is missing");
  return value;
}

/** "canary PROMPT VERSION WEIGHT% [--transition drain|now]" */
export function usageOf(spec: CommandSpec): string {
  const options = spec.options.map((option) => {
    const value = option.kind === "flag" ? "" : ` ${option.value ?? "TEXT"}`;
    return `[--${option.name}${value}]${option.kind === "list" ? "…" : ""}`;
  });
  return [spec.name, ...wordsOf(spec), ...options].join(" ");
}

/** "PROMPT", "[VERSION]", "WEIGHT%" */
export function wordsOf(spec: CommandSpec): string[] {
  return spec.arguments.map((argument) => {
    const name = argument.kind === "weight" ? `${argument.name}%` : argument.name;
    return argument.optional ? `[${name}]` : name;
  });
}
