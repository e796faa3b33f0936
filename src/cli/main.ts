// The command line from words to exit code: parse, find the settings, run the command, print its outcome. Nothing
// else prints results, so --json and the exit codes (0 done, 1 refused or unreachable, 2 wrong usage) cannot differ
// from command to command.

import { DEFAULT_ENVIRONMENT } from "../core/types.ts";
import { CATALOGUE } from "./catalogue.ts";
import { createClient, localProblem } from "./client.ts";
import {
  isSet,
  textOf,
  usageOf,
  type CommandSpec,
  type Invocation,
  type Outcome,
  type Surroundings,
} from "./command.ts";
import { thisMachine, type Machine } from "./machine.ts";
import { parseCommandLine } from "./parse.ts";
import { findSettings, type Settings } from "./settings.ts";
import { formatCommandHelp, formatOverview } from "./show/help.ts";
import { paint } from "./show/look.ts";
import { formatProblem } from "./show/problem.ts";

export type ExitCode = 0 | 1 | 2;

export async function main(argv: string[], machine: Machine = thisMachine()): Promise<ExitCode> {
  const words = rewriteLoneOptions(argv);
  const json = words.includes("--json");
  const look = machine.look(words.includes("--no-color"));
  if (words.length === 0) {
    machine.writeError(joinLines(formatOverview(look, CATALOGUE)));
    return 2;
  }
  const parsed = parseCommandLine(CATALOGUE, words);
  if ("misuse" in parsed) return printMisuse({ machine, look, json }, parsed.misuse, parsed.spec);
  const { spec } = parsed;
  if (isSet(parsed, "help")) {
    machine.writeOut(joinLines(formatCommandHelp(look, spec)));
    return 0;
  }
  const surroundings = readSurroundings(parsed, machine);
  if (spec.offline) return printOutcome(surroundings, spec, await spec.run(parsed, surroundings));
  const settings = findSettings({ flags: flagsOf(parsed), ...machine });
  if ("settingsError" in settings) return printMisuse(surroundings, settings.settingsError, null);
  const client = connect(settings, surroundings);
  return printOutcome(surroundings, spec, await spec.run(parsed, { ...surroundings, client }));
}

/** `switchback --version` and `switchback --help` are commands, too. */
function rewriteLoneOptions(argv: string[]): string[] {
  if (argv[0] === "--version") return ["version", ...argv.slice(1)];
  const optionsOnly = argv.every((word) => word.startsWith("-"));
  return optionsOnly && (argv.includes("--help") || argv.includes("-h")) ? ["help"] : argv;
}

function readSurroundings(invocation: Invocation, machine: Machine): Surroundings {
  const noColour = isSet(invocation, "no-color");
  const environment = textOf(invocation, "environment");
  return {
    machine,
    look: machine.look(noColour),
    noColour,
    nowMs: machine.nowMs(),
    json: isSet(invocation, "json"),
    environment: environment ?? DEFAULT_ENVIRONMENT,
    environmentGiven: environment !== undefined,
    reason: textOf(invocation, "reason") ?? "",
    yes: isSet(invocation, "yes"),
  };
}

function flagsOf(invocation: Invocation): { url?: string; token?: string } {
  const url = textOf(invocation, "url");
  const token = textOf(invocation, "token");
  return { ...(url === undefined ? {} : { url }), ...(token === undefined ? {} : { token }) };
}

function connect(settings: Settings, { machine, json }: Surroundings) {
  return createClient({
    settings,
    unchecked: json,
    newKey: machine.newKey,
    sleep: machine.sleep,
    onRetry: (why, attempt) => machine.showProgress(`${why} Trying again (${attempt}) …`),
  });
}

function printOutcome(surroundings: Surroundings, spec: CommandSpec, outcome: Outcome): ExitCode {
  const { machine, json, look } = surroundings;
  machine.showProgress("");
  switch (outcome.outcome) {
    case "done":
      machine.writeOut(json ? `${outcome.json}\n` : joinLines(outcome.lines()));
      return 0;
    case "ended":
      return 0;
    case "refused":
      if (json) machine.writeOut(`${outcome.refusal.text}\n`);
      else machine.writeError(joinLines(formatProblem(look, outcome.refusal.problem, outcome.hints)));
      return 1;
    case "declined":
      machine.writeError("Nothing has been changed.\n");
      return 1;
    case "misused":
      return printMisuse(surroundings, outcome.message, spec);
  }
}

function printMisuse(
  { machine, look, json }: Pick<Surroundings, "machine" | "look" | "json">,
  message: string,
  spec: CommandSpec | null,
): ExitCode {
  if (json) {
    machine.writeOut(`${localProblem("wrong_usage", "Wrong usage", message).text}\n`);
    return 2;
  }
  const usage = spec === null ? [] : [paint(look, "dim", `usage: switchback ${usageOf(spec)}`)];
  machine.writeError(joinLines([`switchback: ${message}`, ...usage]));
  return 2;
}

function joinLines(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
